"""`openpos-hub … | head -1` ends as other programs do when nobody reads on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import main


def test_a_reader_that_is_gone_ends_the_command_quietly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path))
    assert main(["migrate"]) == 0
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "hub.cli", "stuck"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")
