"""Processes and data folders: what is there after a restart, and what refuses to run beside what."""

from collections.abc import Iterator

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import Server, Site, bearer, order_body, venue
from tests.journeys.vendor import Vendor


class Shop:
    """A hub that serves, on an embedded database."""

    def __init__(self, stage: Stage) -> None:
        self.folder = stage.folder
        self.site: Site = stage.site
        self.vendor: Vendor = stage.vendor()
        self.site.apply(venue(self.vendor.url))
        self.server: Server = self.site.serve()


@pytest.fixture(scope="module")
def shop(new_shared_stage: NewStage) -> Iterator[Shop]:
    stage = new_shared_stage()
    yield Shop(stage)
    stage.close()


@pytest.mark.parametrize("database", [SQLITE, POSTGRES])
def test_everything_is_there_after_a_restart(database: str, new_stage: NewStage) -> None:
    stage = new_stage(database)
    vendor = stage.vendor()
    stage.site.apply(venue(vendor.url))
    server = stage.site.serve()
    item = server.item_id()
    body = order_body(item, "before")
    first = server.post(body, bearer(idempotency_key="before"))
    order_id = first.json()["order"]["id"]
    server.wait_until(order_id, "confirmed")
    vendor.stop()
    waiting = server.placed(order_body(item, "waiting"))
    shown, menu = server.order(order_id), server.menu()
    assert server.stop() == 0
    assert stage.site.rows("SELECT count(*) FROM lanes WHERE lease_owner IS NOT NULL") == [(0,)]
    assert "Traceback" not in server.output()

    vendor.start()
    server = stage.site.serve()
    assert server.menu() == menu
    assert server.order(order_id) == shown
    assert server.post(body, bearer(idempotency_key="before")).content == first.content
    server.wait_until(waiting["id"], "confirmed")
    assert server.placed(order_body(item, "after"))["orderNumber"] == "DT-003"
    assert vendor.copies_of([order_id, waiting["id"]]) == {order_id: 1, waiting["id"]: 1}


def test_a_second_hub_on_the_same_data_says_why_it_does_not_start(shop: Shop) -> None:
    order = shop.server.placed(order_body(shop.server.item_id()))
    second = shop.site.begin_to_serve()
    assert second.exit_status() == 1
    words = second.output()
    assert f"the data folder {shop.site.data} is served by process {shop.server.pid} already" in words
    assert "OPENPOS_DATA" in words and "PostgreSQL" in words
    assert "Traceback" not in words
    assert shop.server.order(order["id"])["orderNumber"] == order["orderNumber"]

    shop.server.kill()
    shop.server = shop.site.serve()
    assert shop.server.order(order["id"])["orderNumber"] == order["orderNumber"]


def test_a_taken_port_is_named(shop: Shop) -> None:
    other = Site(shop.folder / "other")
    second = other.begin_to_serve(port=shop.server.port)
    try:
        assert second.exit_status() == 1
        assert f"could not start on http://127.0.0.1:{shop.server.port} (is the port taken?)" in second.output()
        assert "Traceback" not in second.output()
    finally:
        other.close()
    assert shop.server.client.get("/health").json() == {"status": "ok"}


def test_another_data_folder_and_port_are_another_hub(shop: Shop, new_stage: NewStage) -> None:
    other = new_stage().site
    other.apply(venue(shop.vendor.url, "second-restaurant", "SR"))
    second = other.serve()
    number = shop.server.placed(order_body(shop.server.item_id()))["orderNumber"]
    assert shop.server.client.get(f"/api/v1/orders/{number}").status_code == 200
    assert second.client.get(f"/api/v1/orders/{number}").status_code == 404
    assert [store["slug"] for store in second.client.get("/api/v1/stores").json()["stores"]] == ["second-restaurant"]


def test_a_worker_does_not_run_on_an_embedded_database(new_stage: NewStage) -> None:
    site = new_stage().site
    done = site.run("worker")
    assert done.returncode == 1
    assert "a worker needs PostgreSQL (OPENPOS_DATABASE_URL)" in done.stderr
    assert "Traceback" not in done.stderr
    without = site.run("serve", "--no-delivery")
    assert without.returncode == 1
    assert "--no-delivery needs PostgreSQL" in without.stderr


def test_short_commands_run_beside_a_serving_hub(shop: Shop) -> None:
    site, server = shop.site, shop.server
    made = site.run("keys", "create", "partner", "--scope", "orders:read")
    assert made.returncode == 0, made.stderr
    key = made.stdout.split()[0]
    path = f"/api/v1/orders/{server.placed(order_body(server.item_id()))['id']}"
    headers = {"Authorization": f"Bearer {key}"}
    wait_for(lambda: server.client.get(path, headers=headers).status_code == 200, "the new key works")
    assert site.run("doctor").returncode == 0
    assert "partner" in site.run("keys", "list").stdout
    assert site.run("keys", "revoke", "partner").returncode == 0
    wait_for(lambda: server.client.get(path, headers=headers).status_code == 401, "the revoked key stops working")
    paused = site.run("link", "pause", "demo-restaurant")
    assert paused.returncode == 0, paused.stderr
    assert site.rows("SELECT paused_cause FROM links") == [("LINK_PAUSED",)]
    waiting = server.placed(order_body(server.item_id(), "while paused"))
    assert site.run("link", "resume", "demo-restaurant").returncode == 0
    server.wait_until(waiting["id"], "confirmed")


def test_the_same_declaration_twice_changes_nothing(shop: Shop) -> None:
    before, item = shop.site.rows("SELECT document FROM venues"), shop.server.item_id()
    order = shop.server.placed(order_body(item))
    shop.site.apply(venue(shop.vendor.url))
    assert shop.site.rows("SELECT document FROM venues") == before
    assert shop.server.item_id() == item
    assert shop.server.order(order["id"])["orderNumber"] == order["orderNumber"]
