"""The accreditation passes over real sockets beside each POS, a wrong token fails it, and both sides reconcile."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.bistro import Mozrest
from tests.journeys.conftest import NewStage, Stage
from tests.journeys.running import ROOT, Process, new_client, plain_environment, wait_for
from tests.journeys.site import Server, bearer
from tests.ports import free_port

_CHANNEL = """
[[venues.channels]]
connector = "mozrest"
[venues.channels.config]
venue_id = "demo-bistro"
base_url = "{url}/v1/pos"
api_key = "env:MOZREST_KEY"
hub_token = "env:MOZREST_KEY"
"""
_DEMOS = {"clopos": "demo-restaurant", "desibits": "demo-desibits", "desktop_kitchen": "demo-taqueria"}
_WAITING = "PENDING"  # the first POS alone lets a clerk decide
WAITING = bearer(prefer="wait=20")
_STEPS = [
    "Wrong token refused",
    "Table retrieval",
    "Order opened",
    "Same order again",
    "Occupied table",
    "Open orders listed",
    "Order read",
    "Order without lines voided",
    "Walk-in told",
    "Update told",
    "Close told",
    "Closed orders listed",
    "Second order told",
    "Void told",
    "Synchronised",
    "Synchronised",
]


class Place:
    """A venue between one POS and Mozrest, each played by its sandbox, with the hub in a process of its own."""

    def __init__(self, stage: Stage, pos: str) -> None:
        self.site, self.slug, self.connector = stage.site, _DEMOS[pos], pos
        self.mozrest = Mozrest(stage.folder / "mozrest", self.site.clock)
        self.mozrest.start()
        port = free_port()
        command = ["-m", "hub.cli", "sandbox", pos, "--port", str(port)]
        self._pos = Process(command, plain_environment(), stage.folder / "pos.log")
        self.pos = new_client(f"http://127.0.0.1:{port}")
        self._pos.wait_until_it_answers(self.pos, "/_sandbox/faults")
        self.site.environment_more = {
            "MOZREST_KEY": "sandbox-secret",
            f"SANDBOX_{pos.upper()}_SECRET": "sandbox-secret",
        }
        self.site.apply(self._declared(pos, f"http://127.0.0.1:{port}"))
        self.server: Server = self.site.serve()

    def _declared(self, pos: str, url: str) -> str:
        """The connector's own demo venue, its first one, with a channel and two tables."""
        demo = (ROOT / "connectors" / pos / "demo.toml").read_text("utf-8").replace("{sandbox_url}", url)
        first = "[[venues]]" + demo.split("[[venues]]")[1]
        tables = "".join(f'\n[[venues.tables]]\nname = "{name}"\n' for name in ("T1", "T2"))
        return first + tables + _CHANNEL.format(url=self.mozrest.url)

    def accredit(self, link: str, *more: str, **environment: str) -> tuple[int, dict[str, Any]]:
        """The exit status and the one report."""
        done = self.site.run("accredit", link, "--hub", self.server.url, "--json", "--wait", "10", *more, **environment)
        assert done.stdout, done.stderr
        [report] = json.loads(done.stdout)
        return done.returncode, report

    def clerk_delivers(self) -> None:
        """The clerk ends what waits at the POS, as somebody must where the hub cannot."""
        for order in self.pos.get("/_sandbox/orders").json():
            if order["status"] == _WAITING:
                self.pos.post(f"/_sandbox/orders/{order['number']}/status", json={"status": "deliver"})

    def walk_in(self, table: str) -> dict[str, Any]:
        """An order at a table, which the POS and the channel have."""
        menu = self.server.menu(self.slug).values()
        item = next(one for one in menu if not one.get("modifierGroups"))
        body = {"storeSlug": self.slug, "items": [{"itemId": item["id"]}], "orderType": "dine_in", "tables": [table]}
        order = self.server.placed(body | {"customer": {"name": "Ada"}}, WAITING)

        def is_told() -> bool:
            return {one["state"] for one in self.server.order(order["id"])["injection"]} == {"confirmed"}

        wait_for(is_told, "POS and channel have the order")
        return self.server.order(order["id"])

    def differences(self) -> set[tuple[str, str, str]]:
        """What the reconciliation names of the venue's orders of these days: connector, order, field."""
        path, period = (
            f"/api/v1/stores/{self.slug}/reconciliation",
            dict(zip(("from", "to"), _these_days(), strict=True)),
        )
        answer = self.server.client.get(path, params=period, headers=bearer()).raise_for_status().json()
        return {(one["target"], one["order"], one["field"]) for one in answer["differences"]}

    def close(self) -> None:
        """Ends the sandboxes."""
        self.pos.close()
        self.mozrest.close()
        self._pos.kill()


@pytest.fixture(scope="module", params=list(_DEMOS))
def place(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Place]:
    stage = new_shared_stage()
    place = Place(stage, request.param)
    yield place
    place.close()
    stage.close()


def _these_days() -> tuple[str, str]:
    today = datetime.now(UTC).date()
    return str(today - timedelta(days=1)), str(today + timedelta(days=2))


def outcomes(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["name"], step["outcome"]) for step in report["steps"]]


def test_a_channel_and_its_pos_pass_and_afterwards_both_reconcile(place: Place, tmp_path: Path) -> None:
    paper = tmp_path / "report.md"
    status, report = place.accredit(f"mozrest/{place.slug}", "--report", str(paper))
    assert outcomes(report) == [(name, "ok") for name in _STEPS], json.dumps(report, indent=1)
    assert status == 0
    assert "**Passed.**" in paper.read_text("utf-8")
    assert "sandbox-secret" not in paper.read_text("utf-8")
    status, report = place.accredit(place.slug)
    assert "failed" not in [outcome for _, outcome in outcomes(report)], json.dumps(report, indent=1)
    assert status == 0
    opened = place.server.client.get("/api/v1/orders", params={"status": "open"}, headers=bearer()).json()["orders"]
    assert opened == []
    place.clerk_delivers()
    begin, end = _these_days()
    done = place.site.run("reconcile", place.slug, "--from", begin, "--to", end)
    expected = f"{place.slug}: 4 orders compared with {place.connector}, mozrest\n"
    assert (done.returncode, done.stdout) == (0, expected), done.stdout


def test_what_is_changed_behind_the_hubs_back_is_named_by_order_and_field(place: Place) -> None:
    connector = place.connector
    order = place.walk_in("T1")
    assert place.differences() == set()
    place.mozrest.fail({"fault": "status", "status": 400})
    lines = {"items": [{"itemId": order["items"][0]["itemId"], "quantity": 1}]}
    place.server.client.post(f"/api/v1/orders/{order['id']}/items", json=lines, headers=WAITING).raise_for_status()
    number = order["orderNumber"]
    assert place.differences() == {("mozrest", number, "total"), ("mozrest", number, "lines")}
    place.mozrest.work_again()
    last = max(one["number"] for one in place.pos.get("/_sandbox/orders").json())
    place.pos.post(f"/_sandbox/orders/{last}/status", json={"status": "on ice"}).raise_for_status()
    assert (connector, number, "status") in place.differences()
    place.pos.put("/_sandbox/faults", json=[{"fault": "down"}]).raise_for_status()
    assert {one for one in place.differences() if one[0] == connector} == {(connector, "*", "not_asked")}
    place.pos.delete("/_sandbox/faults").raise_for_status()
    place.pos.delete("/_sandbox/orders").raise_for_status()
    assert (connector, number, "missing_there") in place.differences()


def test_a_wrong_token_fails_it(place: Place) -> None:
    status, report = place.accredit(f"mozrest/{place.slug}", MOZREST_KEY="another-token")
    assert status == 1
    assert outcomes(report) == [("Wrong token refused", "ok"), ("Table retrieval", "failed")]
