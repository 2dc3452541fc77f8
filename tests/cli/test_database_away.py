"""A database that cannot be read or reached ends a command in one line that names it, without a password."""

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli import main


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nothing listens, and nothing can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def told_of_damage(file: Path) -> str:
    """The only line."""
    return (
        f"openpos-hub: the database file {file} is damaged or no SQLite database; "
        "how to restore a backup is told in docs/operating.md\n"
    )


@pytest.mark.parametrize("command", [["stuck"], ["serve", "--port", "0"]])
def test_a_file_that_is_no_database_is_named(
    command: list[str], data: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (data / "hub.sqlite").write_bytes(b"no database" * 5_000)
    assert main(command) == 1
    assert capsys.readouterr().err == told_of_damage(data / "hub.sqlite")
    assert caplog.records == []


@pytest.mark.parametrize("command", [["stuck"], ["serve", "--port", "0"]])
def test_a_database_that_lost_its_end_is_named(
    command: list[str], data: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file = data / "hub.sqlite"
    assert main(["migrate"]) == 0
    os.truncate(file, 20_000)
    capsys.readouterr()
    assert main(command) == 1
    assert capsys.readouterr().err == told_of_damage(file)
    assert caplog.records == []


def test_a_database_with_damaged_pages_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "hub.sqlite"
    assert main(["migrate"]) == 0
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    capsys.readouterr()
    assert main(["stuck"]) == 1
    assert capsys.readouterr().err == told_of_damage(file)


def test_doctor_names_it_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "hub.sqlite").write_bytes(b"no database" * 5_000)
    assert main(["doctor"]) == 1
    assert f"the database file {data / 'hub.sqlite'} is damaged" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["stuck"], ["serve", "--port", "0"], ["worker"]])
def test_postgresql_that_is_away_is_said_without_the_password(
    command: list[str],
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OPENPOS_DATABASE_URL", f"postgresql://hub:geheim@127.0.0.1:{closed_port}/hub")
    assert main(command) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: the database cannot be reached: ")
    assert str(closed_port) in told and told.count("\n") == 1
    assert "geheim" not in told + caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING and record.exc_info]


def test_an_address_that_cannot_be_read_is_said_without_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENPOS_DATABASE_URL", "postgresql://hub:geheim@db:port/hub")
    assert main(["stuck"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: OPENPOS_DATABASE_URL is no address like ")
    assert "heim" not in told and told.count("\n") == 1


def test_an_address_of_another_machine_is_not_called_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "192.0.2.1", "--port", "9000"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: the hub could not start on http://192.0.2.1:9000: ")
    assert "taken" not in told
