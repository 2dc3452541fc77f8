"""A whole hub in this process with three stores: one behind the till, one behind a plain POS, one without any."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from litestar.types import ASGIApp
from msgspec import structs
from sqlalchemy import Connection

from hub.app import Hub
from hub.database import directory
from hub.database.directory import StoredKey
from hub.model.menu import Menu
from hub.model.venue import Policies
from hub.services.keys import hash_of
from hub.settings import Settings
from hub.web import create_app
from tests.api.till import Script, till_registry
from tests.database.stored import LINK, NOW, OTHER_LINK, OTHER_VENUE, PLOV, VENUE

NO_POS_VENUE = structs.replace(VENUE, id="loc_" + "3" * 32, slug="kiosk", name="Kiosk", order_prefix="KI")
KEYS = {
    "sk_full": (("read", "write"), None),
    "sk_read": (("read",), None),
    "sk_orders": (("orders:write",), None),
    "sk_other": (("read", "write"), OTHER_VENUE.id),
}
TABLES = ("orders", "order_events", "lanes", "deliveries", "idempotency_keys", "order_refs")


class House:
    """The hub, its till, and a client of its API."""

    def __init__(self, hub: Hub, app: ASGIApp, client: httpx.AsyncClient, script: Script) -> None:
        self.hub, self.app, self.client, self.till = hub, app, client, script

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "sk_full", **headers: str
    ) -> httpx.Response:
        """One call with a key; `if_match="3"` and the like become headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            named["Authorization"] = f"Bearer {key}"
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=named)

    async def post(self, path: str, body: Any, **more: str) -> httpx.Response:
        """`POST` with the full key."""
        return await self.ask("POST", path, body, **more)

    async def get(self, path: str, **more: str) -> httpx.Response:
        """`GET` with the full key."""
        return await self.ask("GET", path, **more)

    async def order(self, slug: str = VENUE.slug) -> dict[str, Any]:
        """A new order of one plov for 18.00, on its way into the POS if the store has one."""
        body = {"storeSlug": slug, "items": [{"itemId": PLOV.id}], "orderType": "dine_in"}
        answer = await self.post("/orders", body | {"tables": ["7A"], "customer": {"name": "Alice"}})
        assert answer.status_code == 201, answer.text
        order: dict[str, Any] = answer.json()["order"]
        return order

    async def delivered(self, order: dict[str, Any], state: str = "confirmed") -> dict[str, Any]:
        """The order once its way into the POS ended so; delivery must have been started."""
        record = await self.hub.outcomes.wait(order["id"], 10)
        assert record is not None and record.injection[0].state == state, record
        answer: dict[str, Any] = (await self.get(f"/orders/{order['id']}")).json()["order"]
        return answer

    async def counts(self) -> dict[str, int]:
        """How many rows every table has that an order writes to."""

        def unit(connection: Connection) -> dict[str, int]:
            return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in TABLES}

        return await self.hub.database.read(unit)


@asynccontextmanager
async def open_house(
    folder: Path, database_url: str = "", *, deliver: bool = False, public_url: str = "", keeps_secrets: bool = True
) -> AsyncIterator[House]:
    """A hub on a fresh database; with `deliver` it carries orders into the till, with `public_url` it offers OAuth.

    On PostgreSQL it `keeps_secrets` only with a key for them; on SQLite it makes one itself.
    """
    script = Script()
    url = database_url or f"sqlite:///{folder / 'hub.sqlite'}"
    settings = Settings(
        data=folder,
        database_url=url,
        calls_url=database_url or f"sqlite:///{folder / 'calls.sqlite'}",
        requests_per_minute=1_000_000,
        requests_per_day=1_000_000,
        webhook_networks=("127.0.0.0/8",),
        public_orders_per_minute=1_000_000,
        public_url=public_url,
        secret_keys=(base64.urlsafe_b64encode(b"k" * 32).decode(),) if database_url and keeps_secrets else (),
    )
    hub = Hub(settings, registry=till_registry(script))
    app = create_app(hub, deliver=False)
    await hub.prepare()
    await hub.database.write(_declare)
    await hub.directory.refresh()
    if deliver:
        await hub.start()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        try:
            yield House(hub, app, client, script)
        finally:
            await hub.stop()


def _declare(connection: Connection) -> None:
    plain_link = structs.replace(OTHER_LINK, connector="plain")
    for venue, link in ((VENUE, LINK), (OTHER_VENUE, plain_link), (NO_POS_VENUE, None)):
        directory.save_venue(connection, structs.replace(venue, policies=Policies(service_charge_percent="0")))
        if link is not None:
            directory.save_link(connection, link)
        directory.save_menu(connection, venue.id, Menu(items=(PLOV,)), source="pos", now_ms=NOW)
    for key, (scopes, venue_id) in KEYS.items():
        stored = StoredKey(
            id=f"key_{key}",
            name=key.removeprefix("sk_"),
            hash=hash_of(key),
            shown="sk_",
            scopes=scopes,
            venue_id=venue_id,
            created_at_ms=0,
        )
        directory.insert_key(connection, stored)
