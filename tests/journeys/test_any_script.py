"""Names in any script, and everything else that is unusual but right, goes through unchanged."""

from collections.abc import Iterator

import pytest

from tests.journeys.conftest import POSTGRES, NewStage
from tests.journeys.site import Server, bearer, order_body, venue
from tests.journeys.vendor import Vendor, comment_of

NAMES = [
    "Əliağa Çıraqlı",
    "李小龍",
    "محمد علي",
    "Ζωή",
    "👩‍🍳 Café",
    "a\u0301",
    "O'Brien; DROP TABLE orders",
    "<b>&amp;",
    "\u200f\u202e",
]


@pytest.fixture(scope="module")
def shop(new_shared_stage: NewStage) -> Iterator[tuple[Server, Vendor]]:
    stage = new_shared_stage(POSTGRES)  # the stricter of the two about text
    vendor = stage.vendor()
    stage.site.apply(venue(vendor.url))
    yield stage.site.serve(), vendor
    stage.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_arrives_as_it_was_written(shop: tuple[Server, Vendor], name: str) -> None:
    server, vendor = shop
    body = order_body(server.item_id(), f"for {name}", externalId=name)
    body["customer"]["name"] = name
    placed = server.placed(body, bearer())
    assert (placed["customer"]["name"], placed["externalId"]) == (name, name)
    number = int(server.wait_until(placed["id"], "confirmed")["posOrderId"])
    arrived = next(order for order in vendor.orders() if order["number"] == number)
    assert arrived["body"]["payload"]["customer"]["name"] == name
    assert comment_of(arrived).startswith(f"for {name}")


@pytest.mark.parametrize("key", ["a", "x" * 255, '"quoted"', "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
def test_every_key_of_visible_characters_works(shop: tuple[Server, Vendor], key: str) -> None:
    server, _ = shop
    body = order_body(server.item_id(), key[:20])
    first = server.placed(body, bearer(idempotency_key=key))
    assert server.placed(body, bearer(idempotency_key=key))["id"] == first["id"]
