"""However often an order is sent, there is one: by Idempotency-Key, by the caller's own number, in all processes."""

from collections.abc import Iterator

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.crowd import post_together
from tests.journeys.site import Server, bearer, order_body, venue
from tests.journeys.vendor import Vendor

DEMO, OTHER = "demo-restaurant", "other-restaurant"


class Chain:
    """Two venues of one chain behind one sandbox, and as many `serve` processes as the database allows."""

    def __init__(self, stage: Stage) -> None:
        self.site = stage.site
        self.vendor: Vendor = stage.vendor()
        tuning = {"max_in_flight": 16}
        self.site.apply(venue(self.vendor.url, tuning=tuning), venue(self.vendor.url, OTHER, "OT", tuning=tuning))
        started = [self.site.begin_to_serve() for _ in range(3 if stage.on_postgres else 1)]
        for server in started:
            server.wait_until_ready()
        self.servers: list[Server] = started
        self.server = started[0]
        self.item = self.server.item_id()

    def arrived(self, note: str) -> int:
        """How many orders with this note are at the vendor."""
        return sum(note in str(order["body"]) for order in self.vendor.orders())


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def chain(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Chain]:
    stage = new_shared_stage(request.param)
    yield Chain(stage)
    stage.close()


def test_two_hundred_posts_at_once_with_one_key_make_one_order(chain: Chain) -> None:
    body = order_body(chain.item, "two hundred")
    headers = bearer(idempotency_key="two-hundred")
    before = chain.site.counts()
    urls = [chain.servers[index % len(chain.servers)].url for index in range(200)]
    answers = post_together([(url, body, headers) for url in urls], at_once=200)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    order = answers[0].json()["order"]
    chain.server.wait_until(order["id"], "confirmed")
    after = chain.site.counts()
    assert {table: after[table] - before[table] for table in after} == dict.fromkeys(after, 1)
    assert chain.vendor.copies_of([order["id"]]) == {order["id"]: 1}
    assert chain.arrived("two hundred") == 1


def test_many_keys_posted_to_all_processes_at_once_make_one_order_each(chain: Chain) -> None:
    keys = [f"many-{index}" for index in range(40)]
    calls = [
        (server.url, order_body(chain.item, key), bearer(idempotency_key=key))
        for key in keys
        for server in chain.servers * (6 // len(chain.servers))
    ]
    answers = post_together(calls, at_once=60)
    refused = [f"{answer.status_code} {answer.text}" for answer in answers if answer.status_code != 201]
    assert not refused, f"{len(refused)} of {len(answers)}, the first: {refused[0]}"
    orders = {(answer.json()["order"]["notes"], answer.json()["order"]["id"]) for answer in answers}
    assert sorted(note for note, _ in orders) == sorted(keys)
    for _, order_id in orders:
        chain.server.wait_until(order_id, "confirmed")
    assert set(chain.vendor.copies_of([order_id for _, order_id in orders]).values()) == {1}


def test_a_key_that_comes_again_with_another_body_is_refused(chain: Chain) -> None:
    headers = bearer(idempotency_key="changed-body")
    chain.server.placed(order_body(chain.item, "first body"), headers)
    before = chain.site.counts()
    answer = chain.server.post(order_body(chain.item, "second body"), headers)
    assert answer.status_code == 422
    assert answer.json()["field"] == "Idempotency-Key"
    assert answer.json()["code"] == "KEY_REUSED"
    assert chain.site.count("orders") == before["orders"]


def test_the_order_of_names_in_the_body_does_not_matter(chain: Chain) -> None:
    headers = bearer(idempotency_key="names")
    body = order_body(chain.item, "names")
    first = chain.server.post(body, headers)
    second = chain.server.post(dict(reversed(body.items())), headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content


def test_two_callers_may_use_the_same_key(chain: Chain) -> None:
    body = order_body(chain.item, "two callers")
    with_key = chain.server.placed(body, bearer(idempotency_key="same"))
    anonymous = chain.server.placed(body, {"Idempotency-Key": "same"})
    assert with_key["id"] != anonymous["id"]


def test_a_refused_order_does_not_use_up_its_key(chain: Chain) -> None:
    headers = bearer(idempotency_key="second-try")
    assert chain.server.post(order_body("item_unknown", "second try"), headers).status_code == 400
    assert chain.server.post(order_body(chain.item, "second try"), headers).status_code == 201


def test_the_callers_own_number_makes_one_order_without_any_key(chain: Chain) -> None:
    body = order_body(chain.item, "own number", externalId="A-1")
    urls = [chain.servers[index % len(chain.servers)].url for index in range(30)]
    answers = post_together([(url, body, bearer()) for url in urls])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["order"]["id"] for answer in answers}) == 1
    order_id = answers[0].json()["order"]["id"]
    chain.server.wait_until(order_id, "confirmed")
    assert chain.vendor.copies_of([order_id]) == {order_id: 1}


def test_the_callers_own_number_counts_beside_a_new_key(chain: Chain) -> None:
    body = order_body(chain.item, "number and key", externalId="A-2")
    first = chain.server.placed(body, bearer(idempotency_key="first"))
    again = chain.server.post(body, bearer(idempotency_key="second"))
    assert again.status_code == 201
    assert again.json()["order"]["id"] == first["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_callers_own_number_with_another_body_is_refused(chain: Chain) -> None:
    chain.server.placed(order_body(chain.item, "this", externalId="A-3"))
    answer = chain.server.post(order_body(chain.item, "that", externalId="A-3"), bearer())
    assert answer.status_code == 422
    assert answer.json()["field"] == "externalId"


def test_the_same_number_at_two_venues_makes_two_orders(chain: Chain) -> None:
    other_item = chain.server.item_id(slug=OTHER)
    at_demo = chain.server.placed(order_body(chain.item, "demo", externalId="A-4"))
    at_other = chain.server.placed(order_body(other_item, "other", externalId="A-4", storeSlug=OTHER))
    assert at_demo["id"] != at_other["id"]
    assert (at_demo["orderNumber"][:3], at_other["orderNumber"][:3]) == ("DT-", "OT-")


def test_the_same_key_at_two_venues_is_the_same_key(chain: Chain) -> None:
    headers = bearer(idempotency_key="two-venues")
    chain.server.placed(order_body(chain.item, "venues"), headers)
    other_item = chain.server.item_id(slug=OTHER)
    answer = chain.server.post(order_body(other_item, "venues", storeSlug=OTHER), headers)
    assert answer.status_code == 422


def test_a_key_is_answered_alike_for_a_week_and_the_own_number_for_ever(chain: Chain) -> None:
    site, server, vendor = chain.site, chain.server, chain.vendor
    with_key = order_body(chain.item, "with a key")
    with_number = order_body(chain.item, "with a number", externalId="B-1")
    first = server.post(with_key, bearer(idempotency_key="week"))
    numbered = server.placed(with_number, bearer(idempotency_key="numbered"))
    server.wait_until(first.json()["order"]["id"], "confirmed")
    server.wait_until(numbered["id"], "confirmed")

    site.travel(days=6, hours=23)
    replayed = server.post(with_key, bearer(idempotency_key="week"))
    assert replayed.content == first.content
    assert replayed.headers["Idempotent-Replayed"] == "true"

    site.travel(hours=2)
    new = server.post(with_key, bearer(idempotency_key="week"))
    assert new.status_code == 201
    assert new.json()["order"]["id"] != first.json()["order"]["id"]
    again = server.post(with_number, bearer(idempotency_key="numbered"))
    assert again.status_code == 201
    assert again.json()["order"]["id"] == numbered["id"]
    order_ids = [first.json()["order"]["id"], new.json()["order"]["id"], numbered["id"]]
    server.wait_until(order_ids[1], "confirmed")
    assert vendor.copies_of(order_ids) == dict.fromkeys(order_ids, 1)
    assert (chain.arrived("with a key"), chain.arrived("with a number")) == (2, 1)
