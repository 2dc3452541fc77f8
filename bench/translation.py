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
from hub.model.venue import Venue
from hub.services.directory import Catalog
from hub.services.orders import new_order
from hub.services.requests import Caller

_NOON_MS = 1_795_000_000_000


def order_to_vendor() -> Callable[[], object]:
    """Prepare menu and order; the returned function takes the bytes of one order to the bytes of the vendor's."""
    menu = _menu()
    catalog = Catalog(version=1, menu=menu, sold_out=frozenset())
    venue = Venue(id="loc_bench", slug=SLUG, name="Bench", currency="AZN", timezone="Asia/Baku", order_prefix="BE")
    caller = Caller(id="key_bench", name="bench", scopes=frozenset({"write"}))
    setup = OrderSetup(
        tables=load_tables("clopos"),
        venue_id=1,
        venue_name="Main",
        sale_type=SaleType(3, "Takeaway"),
        customer_id=9,
        customer_discount_type=1,
        apply_service_charge=True,
        full_products=False,
    )
    body, numbers = _ten_items(menu), count()

    def new_id(prefix: str) -> str:
        return f"{prefix}_{next(numbers):032x}"

    def run() -> object:
        request = order_request(decode(body, OrderBody), venue.id)
        order = new_order(request, caller, venue, catalog, now_ms=_NOON_MS, new_id=new_id)
        write = OrderWrite(order=order, idempotency_key="bench", mark="#BENCH234")
        return encode_json(order_to_clopos(write, setup).body)

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
