"""Keys and limits over two processes on one PostgreSQL database, and over a restart on SQLite."""

import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import READ_KEY, Server, Site, bearer, key

KIOSK = """
[[venues]]
slug = "kiosk"
name = "Kiosk"
order_prefix = "KI"
currency = "EUR"
timezone = "UTC"
[[venues.menu.categories]]
key = "c"
name = "Drinks"
[[venues.menu.items]]
key = "tea"
name = "Tea"
category = "c"
price = 1.50

"""
OTHER = KIOSK.replace("kiosk", "other").replace('"KI"', '"OT"')
STORES = "/api/v1/stores"
LIMITED = {
    "OPENPOS_REQUESTS_PER_MINUTE": "40",
    "OPENPOS_REQUESTS_PER_DAY": "70",
    "OPENPOS_PUBLIC_ORDERS_PER_MINUTE": "3",
}


def limited(stage: Stage) -> Site:
    stage.site.environment_more = dict(LIMITED)
    stage.site.apply(KIOSK, OTHER)
    return stage.site


def begin_a_minute(site: Site) -> None:
    """Moves the clock to just after a full minute, so that no test runs over its end."""
    site.travel(seconds=60 - (datetime.now(UTC).timestamp() + site._travelled) % 60 + 0.2)
    time.sleep(1.1)  # the processes read their clock's offset again


def statuses(servers: list[Server], count: int, **headers: str) -> Counter[int]:
    """Asks the servers in turn."""
    return Counter(servers[n % len(servers)].client.get(STORES, headers=headers).status_code for n in range(count))


def test_two_processes_together_let_through_no_more_than_the_limit(new_stage: NewStage) -> None:
    site = limited(new_stage(POSTGRES))
    both = [site.serve("--no-delivery"), site.serve("--no-delivery")]
    begin_a_minute(site)
    assert statuses(both, 100, **bearer(READ_KEY)) == {200: 40, 429: 60}
    begin_a_minute(site)
    assert statuses(both, 100, **bearer(READ_KEY)) == {200: 30, 429: 70}  # the day's seventy
    refused = both[0].client.get(STORES, headers=bearer(READ_KEY))
    assert refused.headers["X-RateLimit-Limit"] == "70"
    assert int(refused.headers["Retry-After"]) > 60
    assert statuses(both, 1) == {200: 1}


def test_a_revoked_key_ends_in_every_process_within_seconds(new_stage: NewStage) -> None:
    site = limited(new_stage(POSTGRES))
    both = [site.serve("--no-delivery"), site.serve("--no-delivery")]
    assert statuses(both, 2, **bearer(READ_KEY)) == {200: 2}
    began = time.monotonic()
    assert site.run("keys", "revoke", "reader").returncode == 0
    wait_for(lambda: statuses(both, 2, **bearer(READ_KEY)) == {401: 2}, "both refuse the key", every=0.2)
    assert time.monotonic() - began < 10


def test_the_day_s_count_survives_a_restart_of_a_single_process(new_stage: NewStage) -> None:
    site = limited(new_stage(SQLITE))
    server = site.serve()
    begin_a_minute(site)
    assert statuses([server], 30, **bearer(READ_KEY)) == {200: 30}
    assert server.stop() == 0
    again = site.serve()
    begin_a_minute(site)
    assert statuses([again], 41, **bearer(READ_KEY)) == {200: 40, 429: 1}


@pytest.fixture(scope="module")
def site(new_shared_stage: NewStage) -> Site:
    return limited(new_shared_stage())


@pytest.fixture(scope="module")
def server(site: Site) -> Server:
    site.environment_more["OPENPOS_REQUESTS_PER_DAY"] = "1000000"
    site.environment_more["OPENPOS_REQUESTS_PER_MINUTE"] = "1000000"
    return site.serve()


def made(site: Site, *words: str) -> str:
    """A key as the command line makes it."""
    done = site.run("keys", "create", *words)
    assert done.returncode == 0, done.stderr
    assert "shown only once" in done.stdout
    return done.stdout.split()[0]


def known(server: Server, shown: str) -> None:
    wait_for(lambda: server.client.get(STORES, headers=bearer(shown)).status_code != 401, "the key is known")


def test_keys_of_each_access_level_may_do_what_it_says(site: Site, server: Server) -> None:
    reader = made(site, "read-only")
    writer = made(site, "read-write", "--access", "read-write")
    only_writer = made(site, "write-only", "--scope", "write")
    item = server.client.get(f"{STORES}/kiosk/menu").json()["menu"]["categories"][0]["items"][0]["id"]
    body = {"storeSlug": "kiosk", "items": [{"itemId": item}], "orderType": "pickup"}
    for shown, reads, writes in ((reader, 200, 403), (writer, 200, 201), (only_writer, 403, 201)):
        known(server, shown)
        assert server.client.get(STORES, headers=bearer(shown)).status_code == reads
        placed = server.post(body, bearer(shown))
        assert placed.status_code == writes
        if writes == 403:
            assert placed.json() == {
                "error": "Insufficient scope: this API key lacks orders:write",
                "code": "SCOPE_MISSING",
            }
    both = site.run("keys", "create", "x", "--access", "read-only", "--scope", "write")
    assert both.returncode == 2


def test_a_key_of_one_venue_is_refused_at_another_and_at_its_orders(site: Site, server: Server) -> None:
    bound = made(site, "bound", "--access", "read-write", "--venue", "other")
    known(server, bound)
    item = server.client.get(f"{STORES}/kiosk/menu").json()["menu"]["categories"][0]["items"][0]["id"]
    placed = server.placed({"storeSlug": "kiosk", "items": [{"itemId": item}], "orderType": "pickup"})
    for path in (f"{STORES}/kiosk", f"{STORES}/kiosk/menu", f"/api/v1/orders/{placed['orderNumber']}"):
        answer = server.client.get(path, headers=bearer(bound))
        assert answer.status_code == 403
        assert "location access" in answer.json()["error"]
    assert server.client.get("/api/v1/orders/KI-999", headers=bearer(bound)).status_code == 404


def test_a_key_has_its_own_limits_and_its_last_use_is_listed(new_stage: NewStage) -> None:
    site = limited(new_stage())
    server = site.serve()
    shown = made(site, "slow", "--per-minute", "2", "--per-day", "1000")
    known(server, shown)
    begin_a_minute(site)
    answers = [server.client.get(STORES, headers=bearer(shown)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert "last used never, 2 requests a minute, 1000 a day" in site.run("keys", "list").stdout
    assert server.stop() == 0  # what was noted is written at the latest now
    listed = site.run("keys", "list").stdout
    assert "last used 20" in listed.split("slow ")[1].splitlines()[1]
    assert shown not in listed


def test_orders_without_a_key_have_a_limit_of_their_own(new_stage: NewStage) -> None:
    site = limited(new_stage())
    server = site.serve()
    item = server.client.get(f"{STORES}/kiosk/menu").json()["menu"]["categories"][0]["items"][0]["id"]
    body = {"storeSlug": "kiosk", "items": [{"itemId": item}], "orderType": "pickup"}
    begin_a_minute(site)
    answers = [server.post(body) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 2
    assert answers[4].headers["X-RateLimit-Limit"] == "3"
    assert "Retry-After" in answers[4].headers
    assert server.client.get(STORES).status_code == 200
    assert site.count("orders") == 3


def test_a_declared_key_has_the_limits_of_the_file(new_stage: NewStage) -> None:
    stage = new_stage()
    site = limited(stage)
    site.environment_more["TILL_KEY"] = "sk_" + "t" * 30
    site.apply(KIOSK, OTHER, key("till", "TILL_KEY", ["read"]).rstrip() + "\nrequests_per_minute = 2\n\n")
    server = site.serve()
    begin_a_minute(site)
    assert statuses([server], 3, **bearer("sk_" + "t" * 30)) == {200: 2, 429: 1}
    site.apply(KIOSK, OTHER, key("till", "TILL_KEY", ["read"]))
    wait_for(lambda: statuses([server], 1, **bearer("sk_" + "t" * 30)) == {200: 1}, "the limit is the hub's again")
