"""Reconciliation over the API and at the terminal: whose orders, of which time, and what differs."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from hub.cli import reconciling
from hub.errors import InvalidRequest, VendorUnreachable
from hub.model.order import VendorRef
from hub.model.status import Status
from tests.api.conftest import NewHouse
from tests.api.house import House
from tests.services.reconciling import Till, told

pytestmark = pytest.mark.anyio
TODAY = datetime.now(ZoneInfo("Asia/Baku")).date()  # a house's clock is the real one
BEGIN, END = (TODAY - timedelta(days=1)).isoformat(), (TODAY + timedelta(days=2)).isoformat()
PERIOD = f"from={BEGIN}&to={END}"
AT_TILL = VendorRef(kind="order", id="9001")  # as the house's till names every order it takes


@pytest.fixture
def till(house: House, monkeypatch: pytest.MonkeyPatch) -> Till:
    """What is compared with: a POS that has one order which the hub does not know."""
    till = Till(told("till-7", number="A-7", created_at_ms=house.hub.now_ms()))
    monkeypatch.setattr(house.hub.connections, "pos", lambda _link_id: till)
    return till


async def test_what_differs_is_answered_by_order_and_field(house: House, till: Till) -> None:
    await house.order()
    answer = await house.get(f"/stores/demo/reconciliation?{PERIOD}")
    assert answer.status_code == 200
    assert answer.json() == {
        "storeSlug": "demo",
        "orders": 1,
        "compared": ["till"],
        "differences": [
            {"target": "till", "order": "DT-001", "field": "missing_there", "here": "open", "there": "queued"},
            {"target": "till", "order": "A-7", "field": "missing_here", "here": "nothing", "there": "NEW"},
        ],
    }


async def test_an_order_that_arrived_is_compared_field_by_field(
    new_house: NewHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with new_house(deliver=True) as house:
        await house.delivered(await house.order())
        theirs = structs.replace(told(), ref=AT_TILL, total_cents=1700, status=Status.OPEN)
        monkeypatch.setattr(house.hub.connections, "pos", lambda _link_id: Till(theirs))
        answer = (await house.get(f"/stores/demo/reconciliation?{PERIOD}")).json()
        assert answer["differences"] == [
            {"target": "till", "order": "DT-001", "field": "total", "here": "1800", "there": "1700"}
        ]


async def test_a_pos_that_is_silent_is_said_and_no_server_error(house: House, till: Till) -> None:
    till.silent_on = {"list": VendorUnreachable("till: nobody answers")}
    answer = (await house.get(f"/stores/demo/reconciliation?{PERIOD}")).json()
    assert answer["compared"] == []
    assert [(one["order"], one["field"], one["there"]) for one in answer["differences"]] == [
        ("*", "not_asked", "till: nobody answers")
    ]


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/stores/demo/reconciliation", "", 401),
        ("/stores/demo/reconciliation", "sk_orders", 403),  # orders:write alone
        ("/stores/demo/reconciliation", "sk_other", 403),  # another store's key
        ("/stores/nowhere/reconciliation", "sk_read", 404),
        ("/stores/demo/reconciliation", "sk_read", 200),
    ],
)
async def test_only_a_key_that_may_read_the_stores_orders_sees_it(
    house: House, till: Till, path: str, key: str, status: int
) -> None:
    answer = await house.get(f"{path}?{PERIOD}", key=key)
    assert answer.status_code == status
    assert (till.asked != []) is (status == 200)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"),
        (f"from={BEGIN}", "to"),
        (f"from={BEGIN}&to={BEGIN}", "to"),
        (f"from=2026-13-01&to={END}", "from"),
        (f"from=2026-11-18T00:00:00&to={END}", "from"),
        (f"from=2026-01-01&to={END}", "to"),
        ("from=2026-01-01&to=2026-01-02", "from"),
        (f"{PERIOD}&by=weather", "by"),
    ],
)
async def test_a_period_that_cannot_be_read_is_refused_by_its_field(
    house: House, till: Till, query: str, field: str
) -> None:
    answer = await house.get(f"/stores/demo/reconciliation?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert till.asked == []


async def test_a_day_is_the_stores_day(house: House, till: Till) -> None:
    made = datetime.fromisoformat((await house.order())["createdAt"])
    day = made.astimezone(ZoneInfo("Asia/Baku")).date()
    before, after = (day - timedelta(days=1)).isoformat(), (day + timedelta(days=1)).isoformat()
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Asia/Baku")).astimezone(UTC)
    same = f"from={midnight:%Y-%m-%dT%H:%M:%SZ}&to={midnight + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    periods = {
        f"from={day}&to={after}": 1,
        same: 1,
        f"from={before}&to={day}": 0,
        f"from={day}&to={after}&by=closing": 0,
    }
    for query, orders in periods.items():
        answer = (await house.get(f"/stores/demo/reconciliation?{query}")).json()
        assert (query, answer["orders"]) == (query, orders)


async def test_the_terminal_prints_each_difference_and_its_exit_status_says_it(
    house: House, till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await reconciling.compare(house.hub, "demo", BEGIN, END) == 1
    assert capsys.readouterr().out.splitlines() == [
        "demo: 0 orders compared with till",
        "A-7  till  missing_here: nothing here, NEW there",
    ]
    till.known.clear()
    assert await reconciling.compare(house.hub, "demo", BEGIN, END, by="closing") == 0
    assert capsys.readouterr().out == "demo: 0 orders compared with till\n"
    till.silent_on = {"list": VendorUnreachable("till: nobody answers")}
    assert await reconciling.compare(house.hub, "demo", BEGIN, END) == 1
    assert capsys.readouterr().out.splitlines() == [
        "demo: 0 orders compared with nobody",
        "*  till  not_asked: 0 orders here, till: nobody answers there",
    ]


async def test_the_terminal_prints_the_same_as_json(
    house: House, till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await reconciling.compare(house.hub, "demo", BEGIN, END, as_json=True) == 1
    [difference] = json.loads(capsys.readouterr().out)["differences"]
    assert (difference["order"], difference["field"]) == ("A-7", "missing_here")
    with pytest.raises(InvalidRequest, match=r"^from: "):
        await reconciling.compare(house.hub, "demo", "yesterday", END)


async def test_a_store_without_a_pos_is_compared_with_nobody(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    await house.order("kiosk")
    assert await reconciling.compare(house.hub, "kiosk", BEGIN, END) == 0
    assert capsys.readouterr().out == "kiosk: 1 orders compared with nobody\n"
