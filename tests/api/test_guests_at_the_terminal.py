"""`openpos-hub guests`: one is found, and forgotten with everything that names them but what must be kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from hub.cli import guests as commands
from hub.database import calls as stored_calls
from hub.database.deliveries import enqueue
from hub.database.order_reads import load_order
from hub.database.tables import metadata
from hub.errors import Conflict, NotFound
from hub.model.change import OrderSnapshot
from tests.api.house import House
from tests.database.stored import LINK, NOW, PLOV
from tests.database.test_calls import call, keep

pytestmark = pytest.mark.anyio
GUEST = {"name": "Zoe Quist", "phone": "+994501234567", "email": "zoe@example.com"}
KEPT = "kept: what was ordered and paid, for the books; what a POS or channel was sent is theirs to delete"


async def order(house: House, slug: str = "kiosk", **more: Any) -> str:
    """An order of Zoe's, closed; its number."""
    body = {"storeSlug": slug, "items": [{"itemId": PLOV.id}], "orderType": "pickup", "customer": GUEST}
    answer = await house.post("/orders", body | {"notes": "for Zoe"}, idempotency_key=f"key-{slug}-{len(more)}")
    number: str = answer.json()["order"]["orderNumber"]
    return number


async def close(house: House, number: str) -> None:
    body = {"status": "completed"}
    answer = await house.post(f"/orders/{number}/status", body, idempotency_key=f"close-{number}")
    assert answer.status_code == 200, answer.text


async def found(house: House, capsys: pytest.CaptureFixture[str], query: str, store: str = "") -> list[str]:
    capsys.readouterr()
    assert await commands.find_guests(house.hub, query, store=store) == 0
    return capsys.readouterr().out.splitlines()


def all_tables(connection: Connection) -> str:
    return "\n".join(str(connection.execute(select(table)).all()) for table in metadata.sorted_tables)


def all_calls(connection: Connection) -> str:
    days = stored_calls.days_kept(connection)
    return "\n".join(str(connection.execute(select(stored_calls.calls_table(day))).all()) for day in days)


async def test_a_guest_is_found_by_name_phone_or_email_at_one_store_or_all(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    await close(house, await order(house))
    for query in ("zoe", "1234567", "ZOE@example.com", "quist"):
        first, second, last = await found(house, capsys, query)
        assert first.split("  ")[1:] == ["kiosk", "Zoe Quist", "+994501234567", "zoe@example.com"]
        assert second.startswith("  1 orders, ")
        assert second.endswith("; may be written to: no")
        assert last == "1 found"
    assert await found(house, capsys, "zoe", "demo") == ["0 found"]
    assert await found(house, capsys, "bob") == ["0 found"]
    with pytest.raises(NotFound):
        await commands.find_guests(house.hub, "zoe", store="nowhere")


async def test_who_is_forgotten_is_nowhere_in_the_database(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    number = await order(house)
    await close(house, number)
    in_a_week = datetime.now(UTC) + timedelta(days=7)
    book = {"partySize": 2, "startsAt": in_a_week.isoformat(), "storeSlug": "kiosk", "customer": GUEST}
    booked = await house.post("/reservations", book, idempotency_key="booking")
    assert booked.status_code == 201, booked.text
    record = await house.hub.database.read(lambda c: load_order(c, number))
    assert record is not None
    ids = {"lane_id": "lane_1", "delivery_id": "dlv_1", "link_id": LINK.id, "order_id": record.order.id}
    await house.hub.database.write(
        lambda c: enqueue(
            c,
            **ids,
            operation="push_changed",
            change=OrderSnapshot(order=record.order),
            now_ms=NOW,
            deliver_by_ms=NOW,
        )
    )
    keep(house.hub.calls_database, call(order_id=record.order.id, request_body='{"name": "Zoe Quist"}'))
    guest_id = (await found(house, capsys, "zoe"))[0].split()[0]
    await house.hub.recorder.flush()  # what is recorded afterwards would wait for the next purge
    assert "Zoe" in await house.hub.database.read(all_tables)
    assert "Zoe" in await house.hub.calls_database.read(all_calls)
    assert await commands.forget_guest(house.hub, guest_id) == 0
    assert capsys.readouterr().out.splitlines() == ["forgotten: 1 orders and 1 bookings name nobody any more", KEPT]
    assert await found(house, capsys, "zoe") == ["0 found"]
    stored = await house.hub.database.read(all_tables)
    stored += await house.hub.calls_database.read(all_calls)
    for word in ("Zoe", "zoe", "Quist", "1234567"):
        assert word not in stored
    after = await house.hub.orders.load(number)
    assert after.order.totals.total_cents == 1800  # what the books need stays
    with pytest.raises(NotFound):
        await commands.forget_guest(house.hub, guest_id)


async def test_a_request_that_comes_again_is_answered_without_the_guest(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    number = await order(house)
    await close(house, number)
    guest_id = (await found(house, capsys, "zoe"))[0].split()[0]
    await commands.forget_guest(house.hub, guest_id)
    body = {"storeSlug": "kiosk", "items": [{"itemId": PLOV.id}], "orderType": "pickup", "customer": GUEST}
    again = await house.post("/orders", body | {"notes": "for Zoe"}, idempotency_key="key-kiosk-0")
    assert (again.json()["order"]["orderNumber"], again.json()["order"]["customer"]) == (number, None)
    assert "Zoe" not in again.text


async def test_an_order_under_a_hold_keeps_its_guest_and_is_named(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    number = await order(house)
    await close(house, number)
    await house.hub.archive.hold((await house.hub.orders.load(number)).order, reason="a claim", actor="tester")
    guest_id = (await found(house, capsys, "zoe"))[0].split()[0]
    await commands.forget_guest(house.hub, guest_id)
    assert capsys.readouterr().out.splitlines() == [
        "forgotten: 0 orders and 0 bookings name nobody any more",
        f"under a legal hold, as they were: {number}",
        KEPT,
    ]
    kept = (await house.hub.orders.load(number)).order.customer
    assert kept is not None and kept.name == "Zoe Quist"


async def test_a_guest_with_an_open_order_is_not_forgotten(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    number = await order(house)
    guest_id = (await found(house, capsys, "zoe"))[0].split()[0]
    with pytest.raises(Conflict, match=f"open order .{number}."):
        await commands.forget_guest(house.hub, guest_id)
    assert len(await found(house, capsys, "zoe")) == 3
