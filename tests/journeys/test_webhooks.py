"""Partners are told what happens, whoever fails meanwhile: the receiver, or the hub in the middle of sending."""

import json
from collections.abc import Sequence
from typing import Any

import httpx

from tests.journeys.conftest import POSTGRES, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import Server, bearer, order_body, venue
from tests.ports import free_port
from tests.receiver import Receiver, receiving

OUTAGE_SECONDS, LEASE_SECONDS = 70, 61


class Agency:
    """A hub of two processes for two restaurants, and a partner who listens to the first."""

    def __init__(self, stage: Stage, port: int) -> None:
        self.site = stage.site
        self.site.environment_more = {
            "OPENPOS_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "OPENPOS_SECRET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        }
        vendor = stage.vendor()
        self.site.apply(venue(vendor.url), venue(vendor.url, "second-restaurant", "SR"))
        self.server: Server = self.site.serve()
        self.worker = self.site.begin_to_work()
        self.item = self.server.item_id()
        body = {"url": f"http://127.0.0.1:{port}/hook", "storeSlug": "demo-restaurant"}
        made = self.ask("POST", "", body)
        self.id, self.secret = made["webhook"]["id"], made["secret"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """An operation of `/api/v1/webhooks` that must succeed."""
        answer: httpx.Response = self.server.client.request(
            method, f"/api/v1/webhooks{path}", json=body, headers=bearer()
        )
        assert answer.is_success, answer.text
        return answer.json()

    def place(self, **more: Any) -> str:
        """An order; gives its id."""
        return str(self.server.placed(order_body(self.item, **more))["id"])

    def told(self, receiver: Receiver, order_id: str, *secrets: str) -> Sequence[str]:
        """What the partner heard of an order, each message verified with each secret."""
        for secret in secrets or (self.secret,):
            messages = receiver.verified(secret)
        return [one["type"] for one in messages if one["data"]["order"]["id"] == order_id]

    def trace(self, order_id: str) -> str:
        """What `openpos-hub trace` shows of an order's calls to the partner; empty before they are written."""
        shown = self.site.run("trace", order_id, "--json").stdout
        return shown if "webhook.order.created" in shown else ""

    def kill(self) -> None:
        """`kill -9` of all processes, in the middle of what they do; then one starts anew."""
        self.server.kill()
        self.worker.kill()
        self.server = self.site.serve()


def test_a_partner_is_told_everything_at_least_once_though_both_sides_fail(new_stage: NewStage) -> None:
    port = free_port()
    agency = Agency(new_stage(POSTGRES), port)
    with receiving(port) as partner, receiving() as neighbour:
        agency.ask("POST", "", {"url": neighbour.url, "storeSlug": "second-restaurant"})
        first = agency.place()
        agency.server.wait_until(first, "confirmed")
        status = agency.server.client.post(
            f"/api/v1/orders/{first}/status", json={"status": "completed"}, headers=bearer()
        )
        assert status.status_code == 200, status.text
        wait_for(lambda: "order.completed" in agency.told(partner, first), "the order is completed, and this is told")
        assert agency.told(partner, first)[0] == "order.created"
        more = [agency.place(note=f"order {number}") for number in range(12)]
        wait_for(lambda: all(agency.told(partner, order_id) for order_id in more), "all are told")
        assert len(partner.ids) == len(set(partner.ids))  # two processes send, and nothing goes out twice
    assert neighbour.messages == []

    down = agency.place(note="the partner is down")
    log = f"/{agency.id}/deliveries"
    wait_for(
        lambda: [one for one in agency.ask("GET", log)["deliveries"] if one["orderId"] == down and one["detail"]],
        "a try fails",
    )
    wait_for(lambda: agency.ask("GET", f"/{agency.id}")["webhook"]["failingSince"], "it shows since when it fails")
    agency.site.travel(seconds=OUTAGE_SECONDS)
    with receiving(port) as partner:
        wait_for(lambda: agency.told(partner, down), "it is told when the partner is back")
        assert agency.told(partner, down)[0] == "order.created"

        partner.answers.clear()
        cut = agency.place(note="the hub dies while it sends")
        wait_for(lambda: agency.told(partner, cut), "the message is there, and not answered")
        agency.kill()
        partner.answers.set()
        agency.site.travel(seconds=LEASE_SECONDS)
        wait_for(lambda: agency.told(partner, cut).count("order.created") == 2, "it is sent again")
        again = [
            number for headers, body in partner.messages if cut in body.decode() for number in [headers["webhook-id"]]
        ]
        assert again[0] == again[1]

    new_secret = agency.ask("POST", f"/{agency.id}/rotate", {})["secret"]
    with receiving(port) as partner:
        last = agency.place(note="after the rotation")
        wait_for(lambda: agency.told(partner, last, agency.secret, new_secret), "both secrets verify")
        everything = {"from": "2020-01-01T00:00:00Z"}
        count = agency.ask("POST", f"/{agency.id}/replay", everything | {"dryRun": True})["events"]
        before = len(set(partner.ids))
        assert count > 15 + before
        wait_for(
            lambda: all(one["state"] == "delivered" for one in agency.ask("GET", log)["deliveries"]), "nothing waits"
        )
        agency.ask("POST", f"/{agency.id}/replay", everything)
        wait_for(lambda: len(set(partner.ids)) == count, "all is told once more, under its id")

    trace = wait_for(lambda: agency.trace(last), "the trace shows the tries")
    kept = agency.site.logs() + trace + json.dumps(agency.site.rows("SELECT secret, old_secret FROM webhook_endpoints"))
    for secret in (agency.secret, new_secret):
        assert secret.removeprefix("whsec_")[:12] not in kept
