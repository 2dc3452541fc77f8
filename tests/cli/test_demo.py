"""`openpos-hub demo` says in one line why it does not start."""

from pathlib import Path

import pytest

from hub.cli import main


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path))


def test_the_sandboxes_need_ports_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--port", "65535"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: --port: the demo needs 65535 and the ")
    assert told.count("\n") == 1


def test_an_address_of_another_machine_is_not_called_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--host", "192.0.2.1", "--port", "9000"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: cannot listen on 192.0.2.1:9000: ")
    assert "taken" not in told
