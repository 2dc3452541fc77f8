"""Closed orders over 45 days: readable to the last minute, gone soon after, whatever is killed on the way."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.journeys.archived import close_orders, fill
from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.running import Process, wait_for
from tests.journeys.site import Server, Site, bearer, order_body

CAFE = """
[[venues]]
slug = "demo-restaurant"
name = "Corner"
order_prefix = "DT"
currency = "EUR"
timezone = "Europe/Berlin"
[[venues.menu.categories]]
key = "drinks"
name = "Drinks"
[[venues.menu.items]]
key = "coffee"
name = "Coffee"
category = "drinks"
price = 3.20

"""
GUEST = {"name": "Gülnarə Əliyeva", "phone": "+994501112233", "email": "gulnara@guest.example"}
PERSONAL = ("Gülnarə", "994501112233", "gulnara@")


class Cafe:
    """A restaurant without a POS; on PostgreSQL two processes serve it, on SQLite one."""

    def __init__(self, new_stage: NewStage, database: str) -> None:
        self.site: Site = new_stage(database).site
        self.site.apply(CAFE)
        self.first = self.site.serve()
        self.servers: list[Server] = [self.first, *([self.site.serve()] if database == POSTGRES else [])]
        self.item = self.first.item_id("Coffee")

    def place(self, **more: Any) -> dict[str, Any]:
        return self.first.placed(order_body(self.item, customer=GUEST, **more))

    def answers(self, id_or_number: str) -> set[int]:
        """What each process says of an order."""
        return {
            server.client.get(f"/api/v1/orders/{id_or_number}", headers=bearer()).status_code for server in self.servers
        }

    def wait_until_gone(self, *ids: str) -> None:
        """Returns once no process knows these orders."""
        wait_for(lambda: all(self.answers(order_id) == {404} for order_id in ids), "the orders are gone", seconds=40)

    def list(self, **query: str) -> list[dict[str, Any]]:
        """All orders of a search, page by page, asking the processes in turn."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        turn = 0
        while cursor is not None:
            server = self.servers[turn % len(self.servers)]
            answer = server.client.get("/api/v1/orders", params={**query, "cursor": cursor}, headers=bearer())
            assert answer.status_code == 200, answer.text
            found += answer.json()["orders"]
            cursor = answer.json()["nextCursor"]
            turn += 1
        return found


def number_of(order: dict[str, Any]) -> str:
    return str(order["orderNumber"])


@pytest.mark.parametrize("database", [SQLITE, POSTGRES])
def test_a_closed_order_is_readable_for_45_days_and_gone_soon_after(database: str, new_stage: NewStage) -> None:
    cafe = Cafe(new_stage, database)
    closed, void, held = (cafe.place(externalId=f"EXT-{n}") for n in range(3))
    ids = [order["id"] for order in (closed, void, held)]
    close_orders(cafe.site, [closed["id"], held["id"]])
    close_orders(cafe.site, [void["id"]], status="void")
    reason = {"reason": "case 7"}
    assert cafe.first.client.post(f"/api/v1/orders/{held['id']}/hold", json=reason, headers=bearer()).status_code == 200
    cafe.site.travel(days=44, hours=23, minutes=59)
    for order in (closed, void, held):
        for name in (order["id"], number_of(order)):
            assert cafe.answers(name) == {200}
    shown = cafe.first.order(closed["id"])
    assert (shown["tabStatus"], shown["customer"]["name"]) == ("closed", GUEST["name"])
    assert [number_of(order) for order in cafe.list(guest="gulnare")] == ["DT-003", "DT-002", "DT-001"]
    assert [number_of(order) for order in cafe.list(status="void")] == ["DT-002"]
    late = "the late reader is recorded"
    wait_for(lambda: recorded(cafe.site, closed["id"]) >= 2, late)

    cafe.site.travel(minutes=1, seconds=1)
    wait_for(
        lambda: cafe.answers(closed["id"]) == {404} and cafe.answers(void["id"]) == {404}, "both are gone", seconds=40
    )
    assert cafe.answers("DT-001") == {404}
    assert cafe.answers(held["id"]) == {200}
    assert cafe.list(externalId="EXT-0") == cafe.list(number="DT-001") == cafe.list(status="void") == []
    again = cafe.place(externalId="EXT-0")
    assert number_of(again) == "DT-004"

    cafe.site.travel(days=5)

    def no_call_is_left() -> bool:  # a call that was recorded after its order was deleted goes with the next run
        done = cafe.site.run("orders", "purge")
        assert done.returncode == 0, done.stderr
        return recorded(cafe.site, closed["id"]) == recorded(cafe.site, void["id"]) == 0

    wait_for(no_call_is_left, "the calls are gone, too")
    assert recorded(cafe.site, held["id"]) > 0
    traced = json.loads(cafe.site.run("trace", held["id"], "--json").stdout)
    assert traced["calls"][0]["operation"] == "create_order"
    assert [event["kind"] for event in traced["events"]] == ["placed", "closed", "held"]

    released = cafe.first.client.delete(f"/api/v1/orders/{held['id']}/hold", headers=bearer())
    assert released.json() == {"hold": None}
    cafe.wait_until_gone(held["id"])
    close_orders(cafe.site, [again["id"]])
    cafe.site.travel(days=50)
    cafe.wait_until_gone(again["id"])

    def nothing_is_left() -> bool:
        assert cafe.site.run("orders", "purge").returncode == 0
        everything = stored(cafe.site)
        return not any(word in everything for word in (*PERSONAL, *ids))

    wait_for(nothing_is_left, "no guest is named anywhere")


def recorded(site: Site, order_id: str) -> int:
    """How many recorded calls there are about an order."""
    return stored_rows(site, lambda table: table.startswith(("calls_", "kept_calls"))).count(order_id)


def stored(site: Site) -> str:
    """All rows of all tables."""
    return "".join(map(str, stored_rows(site, lambda _table: True)))


def stored_rows(site: Site, wanted: Callable[[str], bool]) -> list[object]:
    """Every value of the wanted tables, of both databases."""
    urls = (
        [site.database_url]
        if site.database_url
        else [f"sqlite:///{site.data / name}.sqlite" for name in ("hub", "calls")]
    )
    values: list[object] = []
    for url in urls:
        engine = create_engine(str(url))
        with engine.connect() as connection:
            for table in inspect(connection).get_table_names():
                if wanted(table):
                    values += [value for row in connection.execute(text(f"SELECT * FROM {table}")) for value in row]
        engine.dispose()
    return values


@pytest.mark.parametrize(
    ("database", "orders"),
    [(SQLITE, 2500), (POSTGRES, 2500), pytest.param(POSTGRES, 20_000, marks=pytest.mark.long)],
)
def test_a_purge_that_is_killed_half_way_is_finished_by_the_next(
    database: str, orders: int, new_stage: NewStage
) -> None:
    site = new_stage(database).site
    site.apply(CAFE)
    fill(site, orders=orders, closed_days_ago=46)
    keep = fill(site, orders=20, closed_days_ago=44)

    def left() -> int:
        return site.count("orders") - len(keep)

    victim = purge(site, "killed")
    wait_for(lambda: 0 < left() < orders * 0.8, "the purge is under way", every=0.002)
    victim.kill()
    half = left()
    assert 0 < half < orders
    whole(site)
    others = [purge(site, f"next-{n}") for n in range(2 if database == POSTGRES else 1)]
    assert [process.exit_status(120) for process in others] == [0] * len(others)
    assert left() == 0
    deleted = sum(int(process.output().split(" orders,")[0].split()[-1]) for process in others)
    assert deleted == half
    assert sorted(order_id for (order_id,) in site.rows("SELECT id FROM orders")) == sorted(keep)
    whole(site)


def purge(site: Site, name: str) -> Process:
    return Process(["-m", "hub.cli", "orders", "purge"], site.environment, site.folder / f"purge-{name}.log")


def whole(site: Site) -> None:
    """Every order has all its rows, and no row lacks its order."""
    count = site.count("orders")
    assert site.counts() == {
        "orders": count,
        "order_events": 2 * count,
        "lanes": count,
        "deliveries": count,
        "idempotency_keys": 0,
        "order_refs": count,
    }
    for table in ("order_events", "lanes", "deliveries", "order_refs"):
        assert site.rows(f"SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM {table})") == []


def test_two_workers_delete_while_orders_come_in(new_stage: NewStage) -> None:
    site = new_stage(POSTGRES).site
    site.apply(CAFE)
    fill(site, orders=1000, closed_days_ago=46)
    server = site.begin_to_serve("--no-delivery")
    workers = [site.begin_to_work(), site.begin_to_work()]
    server.wait_until_ready()
    item = server.item_id("Coffee")
    for worker in workers:
        site.wait_until_it_delivers(worker)
    placed: list[str] = []

    def deleted_while_ordering() -> bool:
        placed.append(server.placed(order_body(item))["id"])
        return site.rows("SELECT id FROM orders WHERE NOT is_open LIMIT 1") == []

    wait_for(deleted_while_ordering, "all that was over is deleted", seconds=90)
    assert len(placed) > 5
    assert site.count("orders") == len(placed)
    assert "Traceback" not in site.logs()
