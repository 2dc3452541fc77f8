"""A data folder that cannot be used ends a command in one line that names the setting or the file."""

from pathlib import Path

import pytest

from hub.cli import main


@pytest.mark.parametrize("command", [["stuck"], ["serve"], ["demo"]])
def test_a_data_folder_that_is_a_file_is_named(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("OPENPOS_DATA", str(file))
    assert main(command) == 1
    assert capsys.readouterr().err == f"openpos-hub: OPENPOS_DATA: {file} is no folder\n"


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["migrate"]])
def test_a_data_folder_that_cannot_be_made_is_named(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENPOS_DATA", "/proc/openpos")
    assert main(command) == 1
    told = capsys.readouterr().err
    assert told.startswith("openpos-hub: OPENPOS_DATA: the folder /proc/openpos cannot be made: ")
    assert told.count("\n") == 1


def test_a_secrets_file_that_is_no_text_is_named_without_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "secrets.env"
    file.write_bytes(b"A=1\nTILL_PASSWORD=geheim\xff\n")
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path))
    assert main(["stuck"]) == 1
    assert capsys.readouterr().err == f"openpos-hub: {file} is not UTF-8 text: line 2\n"


def test_a_secrets_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secrets.env").mkdir()
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path))
    assert main(["stuck"]) == 1
    assert capsys.readouterr().err == f"openpos-hub: {tmp_path / 'secrets.env'} cannot be read: Is a directory\n"


def test_a_lock_file_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub.lock").mkdir()
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path))
    assert main(["serve", "--port", "0"]) == 1
    assert capsys.readouterr().err == f"openpos-hub: {tmp_path / 'hub.lock'} cannot be written: Is a directory\n"
