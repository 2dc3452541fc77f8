"""Processes and data folders: what is there after a restart, and what refuses to run beside what."""

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.running import wait_for
from tests.journeys.site import Site, bearer, order_body, venue


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

    vendor.start()
    server = stage.site.serve()
    assert server.menu() == menu
    assert server.order(order_id) == shown
    assert server.post(body, bearer(idempotency_key="before")).content == first.content
    server.wait_until(waiting["id"], "confirmed")
    assert server.placed(order_body(item, "after"))["orderNumber"] == "DT-003"
    assert vendor.copies_of([order_id, waiting["id"]]) == {order_id: 1, waiting["id"]: 1}


def test_a_second_hub_on_the_same_data_says_why_it_does_not_start(new_stage: NewStage) -> None:
    stage = new_stage()
    vendor = stage.vendor()
    stage.site.apply(venue(vendor.url))
    first = stage.site.serve()
    second = stage.site.begin_to_serve()
    assert second.exit_status() == 1
    words = second.output()
    assert f"the data folder {stage.site.data} is served by process {first.pid} already" in words
    assert "OPENPOS_DATA" in words and "PostgreSQL" in words
    assert "Traceback" not in words
    assert first.placed(order_body(first.item_id()))["orderNumber"] == "DT-001"

    first.kill()
    third = stage.site.serve()
    assert third.order("DT-001")["orderNumber"] == "DT-001"


def test_a_taken_port_is_named(new_stage: NewStage) -> None:
    stage = new_stage()
    first = stage.site.serve()
    other = Site(stage.folder / "other")
    second = other.begin_to_serve(port=first.port)
    try:
        assert second.exit_status() == 1
        assert f"could not start on http://127.0.0.1:{first.port} (is the port taken?)" in second.output()
        assert "Traceback" not in second.output()
    finally:
        other.close()
    assert first.client.get("/health").json() == {"status": "ok"}


def test_another_data_folder_is_another_hub(new_stage: NewStage) -> None:
    one, two = new_stage(), new_stage()
    vendor = one.vendor()
    one.site.apply(venue(vendor.url))
    two.site.apply(venue(vendor.url, "second-restaurant", "SR"))
    first, second = one.site.serve(), two.site.serve()
    first.placed(order_body(first.item_id()))
    assert first.client.get("/api/v1/orders/DT-001").status_code == 200
    assert second.client.get("/api/v1/orders/DT-001").status_code == 404
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


def test_short_commands_run_beside_a_serving_hub(new_stage: NewStage) -> None:
    stage = new_stage()
    vendor = stage.vendor()
    stage.site.apply(venue(vendor.url))
    server = stage.site.serve()
    made = stage.site.run("keys", "create", "partner", "--scope", "orders:read")
    assert made.returncode == 0, made.stderr
    key = made.stdout.split()[0]
    order = server.placed(order_body(server.item_id()))
    headers = {"Authorization": f"Bearer {key}"}
    path = f"/api/v1/orders/{order['id']}"
    wait_for(lambda: server.client.get(path, headers=headers).status_code == 200, "the new key works")
    assert stage.site.run("doctor").returncode == 0
    assert "partner" in stage.site.run("keys", "list").stdout
    assert stage.site.run("keys", "revoke", "partner").returncode == 0
    wait_for(lambda: server.client.get(path, headers=headers).status_code == 401, "the revoked key stops working")
    paused = stage.site.run("link", "pause", "demo-restaurant")
    assert paused.returncode == 0, paused.stderr
    wait_for(lambda: stage.site.rows("SELECT paused_cause FROM links") == [("LINK_PAUSED",)], "the link is paused")
    waiting = server.placed(order_body(server.item_id(), "while paused"))
    assert stage.site.run("link", "resume", "demo-restaurant").returncode == 0
    server.wait_until(waiting["id"], "confirmed")


def test_the_same_declaration_twice_changes_nothing(new_stage: NewStage) -> None:
    stage = new_stage()
    vendor = stage.vendor()
    stage.site.apply(venue(vendor.url))
    server = stage.site.serve()
    before, item = stage.site.rows("SELECT document FROM venues"), server.item_id()
    order = server.placed(order_body(item))
    stage.site.apply(venue(vendor.url))
    assert stage.site.rows("SELECT document FROM venues") == before
    assert server.item_id() == item
    assert server.order(order["id"])["orderNumber"] == "DT-001"
