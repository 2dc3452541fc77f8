"""Checks over the API: split, joined, closed and voided, for the version that was meant, once per key."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.conftest import NewHouse
from tests.api.house import House
from tests.database.stored import PLOV

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, new_house: NewHouse) -> AsyncIterator[House]:
    """A hub on either database."""
    url = request.getfixturevalue("postgres").create_database() if request.param == "postgresql" else ""
    async with new_house(url) as opened:
        yield opened


async def tab_of(house: House, quantity: int = 3) -> dict[str, Any]:
    """An order of some plovs for 18.00 each at a store without a POS."""
    body = {"storeSlug": "kiosk", "items": [{"itemId": PLOV.id, "quantity": quantity}], "orderType": "dine_in"}
    order: dict[str, Any] = (await house.post("/orders", body | {"tables": ["7A"]})).json()["order"]
    return order


def totals(answer: Any) -> list[int]:
    return [check["total"]["cents"] for check in answer.json()["order"]["checks"]]


async def test_a_check_is_split_by_its_lines(either: House) -> None:
    order = await tab_of(either)
    [line] = order["items"]
    parts = [[{"uid": line["uid"], "quantity": 1}]]
    answer = await either.post(f"/orders/{order['orderNumber']}/checks/split", {"parts": parts})
    assert (answer.status_code, totals(answer), answer.headers["ETag"]) == (200, [3600, 1800], '"2"')
    assert (answer.json()["hub"], answer.json()["pos"]) == ("applied", "no_pos")
    checks = answer.json()["order"]["checks"]
    assert [check["number"] for check in checks] == ["KI-001", "KI-001-2"]
    assert answer.json()["order"]["total"]["cents"] == 5400
    moved = {"items": [{"uid": checks[1]["lines"][0]}], "to": checks[0]["id"]}
    back = await either.post(f"/orders/{order['id']}/checks/{checks[1]['id']}/move", moved)
    assert (back.status_code, totals(back)) == (200, [5400, 0])


async def test_shares_are_closed_one_by_one_and_the_order_with_the_last(either: House) -> None:
    order = await tab_of(either, 2)
    path = f"/orders/{order['id']}/checks"
    answer = await either.post(f"{path}/split", {"ways": 2})
    first, second = (check["id"] for check in answer.json()["order"]["checks"])
    assert totals(answer) == [1800, 1800]
    paid = await either.post(f"{path}/{second}/close", {"payments": [{"method": "cash", "amount": 1800}]})
    told = paid.json()["order"]
    assert (told["tabStatus"], told["paymentStatus"], told["checks"][1]["status"]) == ("open", "partial", "closed")
    last = (await either.post(f"{path}/{first}/close", {})).json()["order"]
    assert (last["tabStatus"], last["status"], last["due"]["cents"]) == ("closed", "completed", 1800)


async def test_a_check_is_voided_with_a_reason_and_the_last_one_cancels_the_order(either: House) -> None:
    order = await tab_of(either)
    path = f"/orders/{order['id']}/checks"
    parts = [[{"uid": order["items"][0]["uid"], "quantity": 2}]]
    split = (await either.post(f"{path}/split", {"parts": parts})).json()["order"]
    first, second = (check["id"] for check in split["checks"])
    assert (await either.post(f"{path}/{second}/void", {})).status_code == 400
    voided = (await either.post(f"{path}/{second}/void", {"reason": "spilt"})).json()["order"]
    assert (voided["total"]["cents"], voided["tabStatus"]) == (1800, "open")
    gone = (await either.post(f"{path}/{first}/void", {"reason": "guest left"})).json()["order"]
    assert (gone["tabStatus"], gone["status"]) == ("void", "cancelled")


async def test_a_key_splits_once_and_an_old_version_never(either: House) -> None:
    order = await tab_of(either)
    path = f"/orders/{order['id']}/checks/split"
    first = await either.post(path, {"ways": 2}, idempotency_key="k1", if_match="1")
    again = await either.post(path, {"ways": 2}, idempotency_key="k1", if_match="1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await either.post(path, {"ways": 3}, idempotency_key="k1")
    assert other.status_code == 422
    late = await either.post(path, {"ways": 2}, if_match="1")
    assert (late.status_code, late.json()["code"]) == (409, "VERSION_CONFLICT")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ways"),
        ({"ways": 2, "parts": [[{"uid": "li_1"}]]}, "ways"),
        ({"parts": [[{"uid": "li_9"}]]}, "parts[0]"),
        ({"parts": [[{"uid": "li_1", "quantity": 4}]]}, "parts[0]"),
        ({"parts": [[{"uid": "li_1", "quantity": 1}, {"uid": "li_1", "quantity": 1}]]}, "parts[0]"),
        ({"ways": 2, "checkId": "chk_x"}, "checkId"),
    ],
)
async def test_a_split_that_cannot_be_names_its_field(house: House, body: dict[str, Any], field: str) -> None:
    order = await tab_of(house)
    answer = await house.post(f"/orders/{order['id']}/checks/split", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_only_who_may_change_this_stores_orders_splits_checks(house: House) -> None:
    order = await tab_of(house)
    path = f"/orders/{order['id']}/checks/split"
    codes = [(await house.post(path, {"ways": 2}, key=key)).status_code for key in ("", "sk_read", "sk_other")]
    assert codes == [401, 403, 403]
    assert (await house.post(path, {"ways": 2}, key="sk_orders")).status_code == 200
