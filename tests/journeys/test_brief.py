"""What the two briefs show works as shown: the quick start by curl, and the order example of Clopos."""

import json
import subprocess
from typing import Any

import pytest

from tests.connectors.clopos.linked import documented
from tests.journeys.conftest import NewStage, Stage
from tests.journeys.site import READ_KEY, Server, bearer, order_body, venue
from tests.journeys.vendor import Vendor, mark_of

LIST_STORES = "curl https://your-domain.com/api/v1/stores"
GET_MENU = "curl https://your-domain.com/api/v1/stores/demo-restaurant/menu"
PLACE_ORDER = r"""curl -X POST https://your-domain.com/api/v1/orders \
-H "Content-Type: application/json" \
-d '{
"storeSlug": "demo-restaurant",
"items": [{ "itemId": "item_xxx", "quantity": 2 }],
"orderType": "pickup",
"customer": { "name": "Alice", "phone": "555-1234" }
}'"""
CHECK_STATUS = "curl https://your-domain.com/api/v1/orders/DT-001"
SEARCH_GUESTS = r"""curl -H "Authorization: Bearer sk_abc123..." \
https://your-domain.com/api/v1/customers?query=alice"""


class Shop:
    """A hub with two venues behind one sandbox; the second sends whole products."""

    def __init__(self, stage: Stage) -> None:
        self.vendor: Vendor = stage.vendor(start=False)
        self.vendor.start_from_command_line()
        whole = venue(self.vendor.url, "whole-products", "WP", config={"order_product": "full"})
        stage.site.apply(venue(self.vendor.url), whole)
        self.server: Server = stage.site.serve()

    def paste(self, command: str, item_id: str = "item_xxx") -> Any:
        """Runs a command of the brief in a shell, host, key and item id filled in, and reads the JSON it prints."""
        filled = command.replace("https://your-domain.com", self.server.url).replace("sk_abc123...", READ_KEY)
        filled = filled.replace("item_xxx", item_id)
        done = subprocess.run(["sh", "-c", filled], capture_output=True, check=True, timeout=30)
        return json.loads(done.stdout)

    def arrived(self, order_id: str) -> dict[str, Any]:
        """The order as the sandbox received it."""
        self.server.wait_until(order_id, "confirmed")
        number = int(self.server.injection(order_id)["posOrderId"])
        return next(order for order in self.vendor.orders() if order["number"] == number)


@pytest.fixture(scope="module")
def shop(new_shared_stage: NewStage) -> Shop:
    return Shop(new_shared_stage())


def test_the_four_commands_of_the_quick_start_work_when_pasted(shop: Shop) -> None:
    stores = shop.paste(LIST_STORES)["stores"]
    assert [store["slug"] for store in stores] == ["demo-restaurant", "whole-products"]
    assert stores[0]["id"].startswith("loc_")
    menu = shop.paste(GET_MENU)["menu"]
    kebab = next(item for group in menu["categories"] for item in group["items"] if item["name"] == "Lülə kabab")
    assert (kebab["price"]["cents"], kebab["price"]["dollars"]) == (980, 9.8)
    placed = shop.paste(PLACE_ORDER, kebab["id"])["order"]
    assert placed["orderNumber"] == "DT-001"
    assert placed["id"].startswith("order_")
    assert placed["status"] == "received"
    assert placed["total"]["cents"] == 1960
    assert [(line["itemId"], line["quantity"]) for line in placed["items"]] == [(kebab["id"], 2)]
    shop.server.wait_until(placed["id"], "confirmed")
    shown = shop.paste(CHECK_STATUS)["order"]
    assert (shown["id"], shown["status"]) == (placed["id"], "received")
    assert shown["injection"][0]["state"] == "confirmed"
    assert "Alice" not in json.dumps(shown) and "555-1234" not in json.dumps(shown)
    arrived = shop.arrived(placed["id"])["body"]["payload"]
    assert arrived["service"]["sale_type_name"] == "Takeaway"
    assert [(line["product_id"], line["count"]) for line in arrived["products"]] == [(3, 2)]
    assert arrived["meta"]["orderTotal"] == "19.6000"


def test_the_search_for_a_guest_works_when_pasted(shop: Shop) -> None:
    guest = {"name": "Alice Munro", "phone": "555-9876", "email": "alice@example.com"}
    shop.server.placed(order_body(shop.server.item_id(), customer=guest))
    found = shop.paste(SEARCH_GUESTS)["customers"]
    assert ("Alice Munro", "alice@example.com") in [(one["name"], one["email"]) for one in found]


def test_the_same_order_is_read_by_id_by_uuid_and_by_number(shop: Shop) -> None:
    placed = shop.server.placed(order_body(shop.server.item_id()))
    bare = placed["id"].removeprefix("order_")
    uuid = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
    read = {shop.server.order(name)["orderNumber"] for name in (placed["id"], bare, uuid, placed["orderNumber"])}
    assert read == {placed["orderNumber"]}


def brief_example(server: Server, slug: str) -> dict[str, Any]:
    """The order of the Clopos brief as a caller of the hub writes it."""
    durum = next(item for name, item in server.menu(slug).items() if name.startswith("Mega Dürüm"))
    options = {option["name"]: option["id"] for group in durum["modifierGroups"] for option in group["options"]}
    return {
        "storeSlug": slug,
        "items": [{"itemId": durum["id"], "quantity": 1, "modifiers": [options["yyy"], options["S-bb"]]}],
        "orderType": "delivery",
        "customer": {"name": "Rahid Akhundzada", "phone": "+994705401040"},
        "discount": {"type": "percent", "value": 10},
    }


@pytest.mark.parametrize(
    ("slug", "fixture"),
    [("demo-restaurant", "create_order_v1"), ("whole-products", "create_order_v1_first")],
    ids=["the full payload example", "the request example"],
)
def test_the_order_example_of_clopos_arrives_field_for_field(shop: Shop, slug: str, fixture: str) -> None:
    placed = shop.server.placed(brief_example(shop.server, slug))
    assert (placed["subtotal"]["cents"], placed["discount"]["cents"], placed["total"]["cents"]) == (1800, 180, 1620)
    arrived = shop.arrived(placed["id"])
    body, expected = arrived["body"], documented(fixture)
    assert mark_of(arrived) in body["payload"]["meta"].pop("comment")
    assert expected["payload"]["meta"].pop("comment") == ""
    assert body == expected
    assert body["payload"]["meta"]["orderTotal"] == "16.2000"
    product = body["payload"]["products"][0]["meta"]["order_product"]
    assert product["product_hash"] == "MTExODcsMTEyMDE="
    assert product["product"]["name"] == "Mega Dürüm Menü Alana Çiğ Köfte Dürüm"
    audit = shop.server.order(placed["id"])["moneyAudit"]
    assert (audit["computed"]["cents"], audit["pos"]["cents"], audit["difference"]["cents"]) == (1620, 1620, 0)


def test_a_discount_is_refused_without_a_key_and_with_a_key_that_only_reads(shop: Shop) -> None:
    body = brief_example(shop.server, "demo-restaurant")
    before = len(shop.vendor.orders())
    anonymous = shop.server.post(body)
    assert anonymous.status_code == 403
    assert anonymous.json()["field"] == "discount"
    reader = shop.server.post(body, bearer(READ_KEY))
    assert reader.status_code == 403
    assert "orders:write" in reader.json()["error"]
    del body["discount"]
    assert shop.server.post(body).status_code == 201
    assert len(shop.vendor.orders()) - before <= 1


def test_every_answer_of_an_order_says_its_number_and_where_it_is(shop: Shop) -> None:
    answer = shop.server.post(order_body(shop.server.item_id()), bearer())
    order = answer.json()["order"]
    assert answer.headers["Location"] == f"/api/v1/orders/{order['id']}"
    assert answer.headers["Content-Type"] == "application/json"
    assert order["injection"][0]["target"] == "clopos"
