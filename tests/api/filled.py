"""Two stores full of data: every word of the second one's guests, orders and bookings says whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from hub.api.views import timestamp
from hub.database import directory
from hub.database.access_tables import metadata
from hub.database.directory import StoredKey
from hub.database.floor import StoredTable, save_tables
from hub.database.link_state import CodeRow, replace_codes
from hub.model.menu import Item, Menu
from hub.model.table import Table
from hub.model.venue import Link, Policies, Venue
from hub.services.keys import SCOPES, hash_of
from tests.api.house import House
from tests.database.stored import NOW, VENUE

OWN, FOREIGN = "amber", "birch"
"""The slugs. The foreign one has a POS that can do everything."""
SECRET, PUBLIC = "birch-secret", "birch-public"
"""What stands in every word of the foreign store: in what everybody may read, and in all the rest."""
OWN_KEY, FOREIGN_KEY = "sk_amber", "sk_birch"
REVOKED_KEY = "sk_revoked"
_DAY_MS = 86_400_000
_SHARED_PHONE = "+994 50 765 43 21"


def store(slug: str, digit: str, prefix: str) -> tuple[Venue, Link, Item]:
    """A store with its link and its only item."""
    word = f"{slug}-public"
    venue = structs.replace(
        VENUE,
        id="loc_" + digit * 32,
        slug=slug,
        name=f"{word} name",
        address=f"{word} address",
        order_prefix=prefix,
        policies=Policies(service_charge_percent="0"),
    )
    link = Link(id="link_" + digit * 32, venue_id=venue.id, connector="till" if slug == FOREIGN else "plain")
    return venue, link, Item(id="item_" + digit * 32, name=f"{word} plov", price_cents=1800)


STORES = {OWN: store(OWN, "a", "AM"), FOREIGN: store(FOREIGN, "b", "BI")}


def alone(scope: str) -> str:
    """The key with this scope only, for every store."""
    return f"sk_only_{scope}"


def lacking(scope: str) -> str:
    """The key with every scope but those that cover this one."""
    return f"sk_not_{scope}"


KEYS: dict[str, tuple[Sequence[str], str | None]] = {
    OWN_KEY: (("read", "write"), STORES[OWN][0].id),
    FOREIGN_KEY: (("read", "write"), STORES[FOREIGN][0].id),
    REVOKED_KEY: (("read", "write"), None),
    **{alone(scope): ((scope,), None) for scope in SCOPES},
    **{
        lacking(scope): (tuple(other for other in SCOPES if other not in (scope, scope.rpartition(":")[2])), None)
        for scope in SCOPES
    },
}


@dataclass(frozen=True)
class Things:
    """What a store has, by how parameters and fields name it; the first of each is the newest and can be changed."""

    slug: str
    named: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The first thing of this kind."""
        return self.named[name][0]


def declare(connection: Connection) -> None:
    """The two stores, their menus and codes, and the keys."""
    for venue, link, item in STORES.values():
        directory.save_venue(connection, venue)
        directory.save_link(connection, link)
        directory.save_menu(connection, venue.id, Menu(items=(item,)), source="pos", now_ms=NOW)
        secret = f"{venue.slug}-secret"
        table = StoredTable(table=Table(id=f"tbl_{venue.slug}", name=f"{secret} table", area=secret), declared=True)
        save_tables(connection, venue.id, [table])
        replace_codes(connection, link.id, [CodeRow(code_table="x", code_id="1", name=secret, detail=secret)])
    for key, (scopes, venue_id) in KEYS.items():
        stored = StoredKey(
            id=f"key_{key}",
            name=key.removeprefix("sk_"),
            hash=hash_of(key),
            shown="sk_",
            scopes=tuple(scopes),
            venue_id=venue_id,
            created_at_ms=0,
        )
        directory.insert_key(connection, stored)
    directory.revoke_key(connection, REVOKED_KEY.removeprefix("sk_"), NOW)


async def fill(house: House, slug: str) -> Things:
    """Gives a store orders, bookings, guests and campaigns, open and ended; can be done again."""
    filler = _Filler(house, slug)
    return await filler.fill()


class _Filler:
    def __init__(self, house: House, slug: str) -> None:
        self._house, self._slug = house, slug
        self._word = f"{slug}-secret"
        self._venue, _, self._item = STORES[slug]
        self._things = Things(slug)

    async def fill(self) -> Things:
        """All of it."""
        named = self._things.named
        named |= {"item": [self._item.id], "storeSlug": [self._slug], "locationId": [self._venue.id]}
        named["store"] = [self._slug, self._venue.id]
        named["segment"] = ["new"]
        await self._house.ask("PATCH", f"/menu/items/{self._item.id}", {"available": True})
        open_order = await self._order("open")
        paid = await self._post(
            f"/orders/{open_order['id']}/payments", {"method": "cash", "amount": 100, "reference": self._word}
        )
        parted = await self._post(f"/orders/{open_order['id']}/checks/split", {"ways": 2})
        closed = await self._order("closed")
        await self._post(f"/orders/{closed['id']}/cancel", {"reason": self._word})
        held = await self._order("held")
        await self._post(f"/orders/{held['id']}/hold", {"reason": self._word})
        checks = parted["order"]["checks"][::-1]  # the first has no payment
        named["order"] = [order[key] for order in (open_order, held, closed) for key in ("id", "orderNumber")]
        named["check"] = [check["id"] for check in checks]
        named["payment"] = [payment["id"] for check in paid["order"]["checks"] for payment in check["payments"]]
        named["uid"] = [line for check in checks for line in check["lines"]]
        named["externalId"] = [order["externalId"] for order in (open_order, held)]
        named["quoteId"] = [(await self._post("/quotes", self.wanted("quoted")))["quote"]["id"]]
        await self._book()
        await self._sell()
        await self._hear()
        return self._things

    def wanted(self, why: str) -> dict[str, Any]:
        """An order in which every word says whose it is."""
        return {
            "storeSlug": self._slug,
            "items": [{"itemId": self._item.id, "quantity": 2, "notes": f"{self._word} line"}],
            "orderType": "delivery",
            "customer": self._guest("eater"),
            "deliveryAddress": f"{self._word} street",
            "deliveryInstructions": f"{self._word} door",
            "notes": f"{self._word} {why}",
            "externalId": self._house.hub.new_id("their"),
            "discount": {"type": "amount", "value": 100, "reason": f"{self._word} discount"},
        }

    def _guest(self, kind: str = "guest") -> dict[str, str]:
        return {"name": f"{self._word} {kind}", "email": f"{kind}@{self._word}.example"}

    async def _order(self, why: str) -> dict[str, Any]:
        order: dict[str, Any] = (await self._post("/orders", self.wanted(why)))["order"]
        return order

    async def _book(self) -> None:
        named, asked = self._things.named, {"storeSlug": self._slug, "partySize": 2, "notes": self._word}
        shared = {"name": f"{self._word} twin", "phone": _SHARED_PHONE}
        booked = []
        for guest, days in ((self._guest(), 30), (shared, 31)):
            starts_at = timestamp(self._house.hub.now_ms() + days * _DAY_MS)
            body = {**asked, "customer": guest, "startsAt": starts_at, "allowOverlap": True, "externalId": self._word}
            booked.append(
                (await self._post("/reservations", body | {"tables": [f"{self._word} table"]}))["reservation"]
            )
        waiting = [(await self._post("/waitlist", {**asked, "customer": self._guest(kind)}))["entry"] for kind in "ab"]
        named["reservation"] = [entry["id"] for entry in booked]
        named["entry"] = [entry["id"] for entry in waiting]
        named["customer"] = [entry["customerId"] for entry in (*booked, *waiting)]
        await self._house.ask("PATCH", f"/customers/{named['customer'][0]}", {"marketingConsent": True})

    async def _sell(self) -> None:
        body = {"storeSlug": self._slug, "name": self._word, "segment": "new", "message": f"{self._word} message"}
        made = (await self._post("/campaigns", body | {"channel": "email"}))["campaign"]
        self._things.named["campaign"] = [made["id"]]
        results = [{"customerId": self._things.named["customer"][1], "result": "sent", "detail": self._word}]
        await self._post(f"/campaigns/{made['id']}/results", {"results": results})
        await self._house.get(f"/customers?storeSlug={self._slug}")  # the guest book reads what is new

    async def _hear(self) -> None:
        for endpoint in (await self._house.get("/webhooks")).json()["webhooks"]:
            if endpoint["storeSlug"] == self._slug:
                await self._house.ask("DELETE", f"/webhooks/{endpoint['id']}")
        body = {"storeSlug": self._slug, "url": f"http://127.0.0.1:9/{self._word}", "description": self._word}
        self._things.named["webhook"] = [(await self._post("/webhooks", body))["webhook"]["id"]]

    async def _post(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self._house.post(path, body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        given: dict[str, Any] = answer.json()
        return given


async def rows_about(house: House, things: Sequence[Things]) -> set[str]:
    """Every row of the database in which one of the foreign store's things or words occurs."""
    words = [SECRET, PUBLIC, STORES[FOREIGN][0].id, STORES[FOREIGN][1].id]
    words += [
        each
        for one in things
        for name in ("order", "reservation", "entry", "campaign", "customer", "quoteId")
        for each in one.named[name]
    ]

    def unit(connection: Connection) -> set[str]:
        found = set[str]()
        for table in metadata.sorted_tables:
            for row in connection.execute(table.select()):
                text = f"{table.name} {tuple(row)!r}"
                if any(word in text for word in words):
                    found.add(text)
        return found

    return await house.hub.database.read(unit)
