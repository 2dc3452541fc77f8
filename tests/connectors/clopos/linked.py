"""A Clopos link whose calls end in a respx router, the documentation's fixtures, and orders to submit."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import respx

from connectors.clopos.connector import CloposConnector
from hub.contract.connector import LinkContext
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.redact import Redactor
from hub.contract.tables import load_tables
from hub.contract.writes import OrderWrite
from hub.model.check import Check, Discount, Line, Modifier, Totals
from hub.model.decimals import decode_json, encode_json
from hub.model.order import Customer, MoneyAudit, Order, Origin, Timing
from hub.model.status import OrderType
from hub.model.venue import Link
from tests.contract.ports import CallList, MemoryRefs, MemoryTokens, NoPacing, StandingClock

BASE_URL = "https://clopos.test/open-api"
LINK_ID = "link_clopos"
NOW_MS = 1_795_000_000_000  # 2026-11-18T11:06:40Z
MARK = "#H7F3K9Q2"
KEY = "0fe7bc1e-9972-4c2f-bf03-4e0f09ba9d9d"
SECRET = "very-secret-value"

V1: Mapping[str, Any] = {
    "brand": "openapitest",
    "venue_id": 1,
    "venue_name": "Main",
    "client_id": "client-1",
    "client_secret": SECRET,
    "default_customer_id": 5,
    "sale_types": {
        "delivery": {"id": 2, "name": "Delivery"},
        "pickup": {"id": 3, "name": "Takeaway"},
        "dine_in": {"id": 1, "name": "In-store"},
    },
}
V2: Mapping[str, Any] = {**V1, "dialect": "v2", "integrator_id": "integrator-1"}


def documented(name: str) -> Any:
    """The body of a fixture copied from the vendor's documentation."""
    return json.loads(Path(str(files(__package__))).joinpath("fixtures", f"{name}.json").read_text("utf-8"))["body"]


class LinkedClopos:
    """A connector with its ports in memory. `token` is kept from the start; pass "" for none."""

    def __init__(
        self, config: Mapping[str, Any] = V1, *, token: str = "oauth_EXAMPLE", transport: Any = None, base_url: str = ""
    ) -> None:
        self.router = respx.Router(assert_all_called=False)
        self.sink = CallList()
        self.tokens = MemoryTokens()
        self.refs = MemoryRefs()
        self.clock = StandingClock(NOW_MS)
        self.base_url = base_url or BASE_URL
        self.prefix = "/v2" if config.get("dialect") == "v2" else ""
        if token:
            self.tokens.tokens[LINK_ID] = (token, NOW_MS + 3_600_000)
        profile = HttpProfile("clopos", LINK_ID, self.base_url, 3.0, 5.0, ())
        http = VendorHttp(
            profile,
            transport=transport or httpx.MockTransport(self.router.async_handler),
            sink=self.sink,
            limiter=NoPacing(),
            clock=self.clock,
            redactor=Redactor(["x-token"], ["client_secret", "token"], [config["client_secret"]]),
        )
        self.context = LinkContext(
            link=Link(id=LINK_ID, venue_id="loc_1", connector="clopos", config=config),
            config=config,
            currency="AZN",
            timezone="Asia/Baku",
            http=http,
            tables=load_tables("clopos"),
            tokens=self.tokens,
            refs=self.refs,
            clock=self.clock,
        )
        self.connector = CloposConnector(self.context)

    def answers(self, method: str, path: str, body: Any = None, status: int = 200) -> respx.Route:
        """Arranges one JSON answer."""
        return self.route(method, path).mock(return_value=httpx.Response(status, json=body))

    def route(self, method: str, path: str) -> respx.Route:
        """The route for a path of the API."""
        return self.router.route(method=method, url__startswith=f"{BASE_URL}{self.prefix}{path}")

    def knows_customer(self, phone_digits: str, customer_id: int) -> None:
        """The hub has learnt this customer's number before."""
        self.refs.refs[(LINK_ID, "customer", phone_digits)] = str(customer_id)


def as_sent(body: Any) -> Any:
    """A body as the vendor reads it; fractions are `Decimal`."""
    return decode_json(encode_json(body))


def product_line(**changes: Any) -> Line:
    """Product 1 of the order example, with its two modifiers."""
    values: dict[str, Any] = {
        "uid": "li_1",
        "item_id": "item_1",
        "name": "Mega Dürüm Menü Alana Çiğ Köfte Dürüm",
        "quantity": 1,
        "unit_cents": 0,
        "gross_cents": 1800,
        "discount_cents": 180,
        "modifiers": (
            Modifier(
                modifier_id="mod_187", group_id="g", name="yyy", unit_cents=300, vendor={"id": 187, "name": "yyy"}
            ),
            Modifier(
                modifier_id="mod_201", group_id="g", name="S-bb", unit_cents=1500, vendor={"id": 201, "name": "S-bb"}
            ),
        ),
        "vendor": {
            "product": {
                "id": 1,
                "name": "Mega Dürüm Menü Alana Çiğ Köfte Dürüm",
                "category_id": 1,
                "station_id": 1,
                "price": 0,
            }
        },
    }
    return Line(**{**values, **changes})


def plain_line(unit_cents: int, quantity: int, **changes: Any) -> Line:
    """A product without modifiers, number 140."""
    gross = unit_cents * quantity
    whole, rest = divmod(unit_cents, 100)
    price: int | str = f"{whole}.{rest:02d}" if rest else whole
    product = {"id": 140, "name": "Göbələk şorbası", "category_id": 1, "station_id": 1, "price": price}
    values: dict[str, Any] = {
        "uid": "li_2",
        "item_id": "item_140",
        "name": "Göbələk şorbası",
        "quantity": quantity,
        "unit_cents": unit_cents,
        "gross_cents": gross,
        "vendor": {"product": product},
    }
    return Line(**{**values, **changes})


def order(lines: Sequence[Line] = (), **changes: Any) -> Order:
    """The order of the documentation's example, or one with other lines and no discount."""
    check = changes.pop("check", None)
    if check is None and lines:
        gross = sum(line.gross_cents for line in lines)
        check = Check(id="check_1", lines=tuple(lines), totals=Totals(subtotal_cents=gross, total_cents=gross))
    values: dict[str, Any] = {
        "id": "order_019a",
        "venue_id": "loc_1",
        "number": "DT-001",
        "order_type": OrderType.DELIVERY,
        "origin": Origin(system="api"),
        "timing": Timing(timezone="Asia/Baku", business_date="2026-11-18"),
        "currency": "AZN",
        "checks": (check or example_check(),),
        "customer": Customer(name="Rahid Akhundzada", phone="+994705401040"),
        "money_audit": MoneyAudit(computed_cents=1620),
        "created_at_ms": NOW_MS,
        "updated_at_ms": NOW_MS,
    }
    return Order(**{**values, **changes})


def example_check() -> Check:
    """18.00 less ten percent."""
    return Check(
        id="check_1",
        lines=(product_line(),),
        discounts=(Discount(type="percent", value="10", cents=180),),
        totals=Totals(subtotal_cents=1800, discount_cents=180, total_cents=1620),
    )


def write(of: Order | None = None, **changes: Any) -> OrderWrite:
    """A write about an order."""
    values: dict[str, Any] = {"order": of or order(), "idempotency_key": KEY, "mark": MARK}
    return OrderWrite(**{**values, **changes})
