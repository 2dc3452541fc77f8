"""Three restaurants, one for each POS: their sandboxes as processes, and one hub that serves them all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hub.model.ids import order_mark
from tests.journeys.conftest import Stage
from tests.journeys.running import ROOT, wait_for
from tests.journeys.site import CLIENT_SECRET, Server, Site, bearer
from tests.journeys.vendor import Vendor

CLOPOS, DESIBITS, DESKTOP_KITCHEN = "clopos", "desibits", "desktop_kitchen"
SLUGS = {CLOPOS: "demo-restaurant", DESIBITS: "demo-desibits", DESKTOP_KITCHEN: "demo-taqueria"}
TUNING = {
    "rate_limits": [],
    "max_in_flight": 8,
    "poll_seconds": 1,
    "connect_timeout_seconds": 1.0,
    "total_timeout_seconds": 3.0,
    "settle_seconds": 0.5,
}


class Pos(Vendor):
    """The sandbox of one POS, its till and its kitchen."""

    @property
    def connector(self) -> str:
        """Whose sandbox this is."""
        return self._connector

    @property
    def slug(self) -> str:
        """The venue behind it."""
        return SLUGS[self._connector]

    def declaration(
        self, tuning: Mapping[str, Any] | None = None, config: Mapping[str, Any] | None = None, **link: Any
    ) -> str:
        """The connector's own demo venue at this sandbox. `link` are further settings of the link itself."""
        text = (ROOT / "connectors" / self._connector / "demo.toml").read_text(encoding="utf-8")
        text = text.replace("{sandbox_url}", self.url).split("\n# A venue to practise at")[0]
        head, _, rest = text.partition("[venues.link.tuning]\n")
        _, _, menu = rest.partition("\n\n")
        head = head.replace("[venues.link]\n", "[venues.link]\n" + _assignments(link))
        head = head.replace("[venues.link.config]\n", "[venues.link.config]\n" + _assignments(config or {}))
        return f"{head}[venues.link.tuning]\n{_assignments(TUNING | dict(tuning or {}))}\n{menu}\n"

    def play(self, method: str, path: str, body: Any = None) -> Any:
        """A control call: what a person in the restaurant does, or what the kitchen was told."""
        answer = self._client.request(method, f"/_sandbox/{path}", json=body)
        assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A call of the vendor's own API that must succeed."""
        answer = self._client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def set_options(self, **options: Any) -> None:
        """Plays another kind of Desibits server, until told otherwise."""
        seed = self.play("GET", "seed")
        self.play("PUT", "seed", seed | {"options": options})

    def kitchen(self, order_id: str = "") -> list[dict[str, Any]]:
        """What the kitchen was told to cook; with an order's id, only what carries its mark."""
        tickets: list[dict[str, Any]] = self.play("GET", "kitchen")
        mark = order_mark(order_id) if order_id else ""
        return [ticket for ticket in tickets if mark in json.dumps(ticket)]

    def received(self, order_id: str) -> list[dict[str, Any]]:
        """The orders that arrived with our mark, as the sandbox keeps them, oldest first."""
        mark = order_mark(order_id)
        return [order for order in self.orders() if mark in json.dumps([order["body"], order["record"]])]

    def order(self, order_id: str) -> dict[str, Any]:
        """The one order that arrived with our mark."""
        [own] = self.received(order_id)
        return own


class Trio:
    """The three, as far as a test asks for them, and the hub. `one` is the POS of a stage with a single one."""

    def __init__(
        self,
        stage: Stage,
        connectors: Sequence[str] = (CLOPOS, DESIBITS, DESKTOP_KITCHEN),
        *,
        options: Mapping[str, Any] | None = None,
        tuning: Mapping[str, Any] | None = None,
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        serve: bool = True,
        **link: Any,
    ) -> None:
        self.site: Site = stage.site
        self.pos: dict[str, Pos] = {}
        for name in connectors:
            self.site.environment_more[f"SANDBOX_{name.upper()}_SECRET"] = CLIENT_SECRET
            self.pos[name] = Pos(stage.folder / name, self.site.clock, name, options)
            stage.add(self.pos[name])
            self.pos[name].start()
        own = configs or {}
        self.site.apply(*(pos.declaration(tuning, own.get(name), **link) for name, pos in self.pos.items()))
        if serve:
            self.server: Server = self.site.serve()

    @property
    def one(self) -> Pos:
        """The only POS."""
        [pos] = self.pos.values()
        return pos

    @property
    def headers(self) -> dict[str, str]:
        """Those of a caller who waits for the POS."""
        return bearer(prefer="wait=20")

    def body(self, connector: str, items: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """An order at the venue of a POS; items and options are given by their names."""
        slug = SLUGS[connector]
        menu = self.server.menu(slug)
        body: dict[str, Any] = {
            "storeSlug": slug,
            "items": [_item(menu[str(item["item"])], item) for item in items],
            "orderType": "pickup",
            "customer": {"name": "Alice", "phone": "+994705401040"},
        }
        return body | more

    def place(self, connector: str, *names: str, state: str = "confirmed", **more: Any) -> str:
        """Places an order of these items, waits for its injection, and gives its id."""
        placed = self.server.placed(self.body(connector, [{"item": name} for name in names], **more))
        self.server.wait_until(placed["id"], state)
        return str(placed["id"])

    def ask(self, order_id: str, what: str, body: Mapping[str, Any], *, status: int = 200) -> dict[str, Any]:
        """The answer to a change, once the POS had its say."""
        answer = self.server.client.post(
            f"/api/v1/orders/{order_id}/{what}", json=body, headers=self.headers, timeout=40
        )
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def wait_for(self, order_id: str, seconds: float = 45.0, **expected: Any) -> dict[str, Any]:
        """The order once these fields of it are so."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            nonlocal seen
            seen = self.server.order(order_id)
            return all(seen[name] == value for name, value in expected.items())

        try:
            wait_for(look, f"{order_id}: {expected}", seconds=seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}; the order: { ({name: seen.get(name) for name in expected}) }") from None
        return seen

    def stored(self, order_id: str) -> dict[str, Any]:
        """The order as it is kept."""
        rows = self.site.rows("SELECT document FROM orders WHERE id = :id", id=order_id)
        document: dict[str, Any] = json.loads(rows[0][0])
        return document

    def fidelity(self, order_id: str) -> dict[str, Any]:
        """The report of what the POS did not take as it was."""
        answer = self.server.client.get(f"/api/v1/orders/{order_id}/fidelity", headers=bearer())
        assert answer.status_code == 200, answer.text
        [report] = answer.json()["targets"]
        return dict(report)


def fates(report: Mapping[str, Any], *fates: str) -> dict[str, str]:
    """The parts of a fidelity report with one of these fates: path to fate."""
    return {part["path"]: part["fate"] for part in report["parts"] if part["fate"] in fates}


def _item(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    options = {option["name"]: option["id"] for group in shown["modifierGroups"] for option in group["options"]}
    own = {name: value for name, value in wanted.items() if name not in ("item", "options")}
    chosen = wanted.get("options", {})
    modifiers = [{"optionId": options[name], "quantity": quantity} for name, quantity in chosen.items()]
    return {"itemId": shown["id"], "quantity": 1, **own, "modifiers": modifiers}


def _assignments(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
