"""`openpos-hub backup` says in one line why there is no copy."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.cli import main


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a database of one table."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("OPENPOS_DATA", str(folder))
    with closing(sqlite3.connect(folder / "hub.sqlite")) as connection:
        connection.execute("CREATE TABLE orders (id TEXT)")
    return folder


def test_a_file_where_the_copy_should_go_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no folder", encoding="utf-8")
    assert main(["backup", str(file)]) == 1
    assert capsys.readouterr().err == f"openpos-hub: {file} is no folder\n"
    assert file.read_text(encoding="utf-8") == "no folder"


@pytest.mark.parametrize("folder", ["/proc/x", "/dev/null", "/dev/null/x"])
def test_a_folder_that_cannot_be_made_is_named(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", folder]) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: ") and folder in told
    assert told.count("\n") == 1


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "old").touch()
    assert main(["backup", str(tmp_path / "full")]) == 1
    assert capsys.readouterr().err == f"openpos-hub: {tmp_path / 'full'} is not empty\n"


def test_a_damaged_database_is_named_and_leaves_no_half_copy(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "hub.sqlite").write_bytes(b"not a database" * 1000)
    assert main(["backup", str(tmp_path / "copy")]) == 1
    copy = tmp_path / "copy" / "hub.sqlite"
    told = capsys.readouterr()
    assert told.err == f"openpos-hub: {data / 'hub.sqlite'} cannot be copied to {copy}: file is not a database\n"
    assert told.out == "" and not copy.exists()


def test_the_copy_is_complete(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "secrets.env").write_text("A=1\n", encoding="utf-8")
    assert main(["backup", str(tmp_path / "copy")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "copy" / "hub.sqlite"),
        str(tmp_path / "copy" / "secrets.env"),
    ]
    with closing(sqlite3.connect(tmp_path / "copy" / "hub.sqlite")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]
