"""One ten-item order, decoded, checked, priced, translated for the vendor and encoded: what P10 times."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from bench.hub_contenders import SLUG, vendor_answers
from connectors.clopos.catalogue import CatalogueSetup, menu_from_clopos
from connectors.clopos.settings import SaleType
from connectors.clopos.translate import OrderSetup
from connectors.clopos.translate_v1 import order_to_clopos
from hub.api.json import decode
from hub.api.order_body import OrderBody, order_request
from hub.contract.tables import load_tables
from hub.contract.writes import OrderWrite
from hub.model.decimals import decode_json, encode_json
from hub.model.menu import Menu
from hub.model.order import Order
from hub.model.venue import Venue
from hub.services.directory import Catalog
from hub.services.orders import new_order
from hub.services.requests import Caller, OrderRequest

_NOON_MS = 1_795_000_000_000


class _Kitchen:
    """The menu, and all that an order needs besides itself."""

    def __init__(self) -> None:
        self.menu = _menu()
        self._catalog = Catalog(version=1, menu=self.menu, sold_out=frozenset())
        self._venue = Venue(
            id="loc_bench", slug=SLUG, name="Bench", currency="AZN", timezone="Asia/Baku", order_prefix="BE"
        )
        self._caller = Caller(id="key_bench", name="bench", scopes=frozenset({"write"}))
        self._numbers = count()
        self._setup = OrderSetup(
            tables=load_tables("clopos"),
            venue_id=1,
            venue_name="Main",
            sale_type=SaleType(3, "Takeaway"),
            customer_id=9,
            customer_discount_type=1,
            apply_service_charge=True,
            full_products=False,
        )

    def understand(self, body: bytes) -> OrderRequest:
        return order_request(decode(body, OrderBody), self._venue.id)

    def price(self, request: OrderRequest) -> Order:
        return new_order(request, self._caller, self._venue, self._catalog, now_ms=_NOON_MS, new_id=self._new_id)

    def translate(self, order: Order) -> bytes:
        write = OrderWrite(order=order, idempotency_key="bench", mark="#BENCH234")
        return encode_json(order_to_clopos(write, self._setup).body)

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):032x}"


def order_to_vendor() -> Callable[[], object]:
    """Prepare menu and order; the returned function takes the bytes of one order to the bytes of the vendor's."""
    kitchen = _Kitchen()
    body = _ten_items(kitchen.menu)
    return lambda: kitchen.translate(kitchen.price(kitchen.understand(body)))


def priced_order_to_vendor() -> Callable[[], object]:
    """The same without the pricing, which the bare translation does not do either."""
    kitchen = _Kitchen()
    body = _ten_items(kitchen.menu)
    order = kitchen.price(kitchen.understand(body))

    def run() -> object:
        kitchen.understand(body)
        return kitchen.translate(order)

    return run


def _menu() -> Menu:
    rows: dict[str, Any] = {
        name: decode_json(vendor_answers()[f"GET /open-api/{name}"][1])["data"] for name in ("categories", "products")
    }
    setup = CatalogueSetup(link_id="link_bench", currency="AZN", full_products=False)
    return menu_from_clopos(rows["categories"], rows["products"], [], setup)


def _ten_items(menu: Menu) -> bytes:
    lines = [
        {
            "itemId": item.id,
            "quantity": 1 + position % 2,
            "modifiers": [{"optionId": item.modifier_groups[0].options[0].id, "quantity": 1}],
        }
        for position, item in enumerate(menu.items[:10])
    ]
    customer = {"name": "Alice Example", "phone": "+994000000000"}
    return json.dumps({"storeSlug": SLUG, "items": lines, "orderType": "pickup", "customer": customer}).encode()
