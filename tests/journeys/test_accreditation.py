"""The accreditation passes over real sockets beside each POS, a wrong token fails it, and both sides reconcile."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.bistro import Mozrest
from tests.journeys.conftest import NewStage, Stage
from tests.journeys.running import ROOT, Process, free_port, new_client, plain_environment
from tests.journeys.site import Server, bearer

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
        self.site, self.slug = stage.site, _DEMOS[pos]
        self._mozrest = Mozrest(stage.folder / "mozrest", self.site.clock)
        self._mozrest.start()
        port = free_port()
        command = ["-m", "hub.cli", "sandbox", pos, "--port", str(port)]
        self._pos = Process(command, plain_environment(), stage.folder / "pos.log")
        with new_client(f"http://127.0.0.1:{port}") as client:
            self._pos.wait_until_it_answers(client, "/_sandbox/faults")
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
        return first + tables + _CHANNEL.format(url=self._mozrest.url)

    def accredit(self, link: str, *more: str, **environment: str) -> tuple[int, dict[str, Any]]:
        """The exit status and the one report."""
        done = self.site.run("accredit", link, "--hub", self.server.url, "--json", "--wait", "10", *more, **environment)
        assert done.stdout, done.stderr
        [report] = json.loads(done.stdout)
        return done.returncode, report

    def close(self) -> None:
        """Ends the sandboxes."""
        self._mozrest.close()
        self._pos.kill()


@pytest.fixture(scope="module", params=list(_DEMOS))
def place(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[Place]:
    stage = new_shared_stage()
    place = Place(stage, request.param)
    yield place
    place.close()
    stage.close()


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


def test_a_wrong_token_fails_it(place: Place) -> None:
    status, report = place.accredit(f"mozrest/{place.slug}", MOZREST_KEY="another-token")
    assert status == 1
    assert outcomes(report) == [("Wrong token refused", "ok"), ("Table retrieval", "failed")]
