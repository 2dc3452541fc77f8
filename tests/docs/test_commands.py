"""Every command the documentation shows is typed into a shell, and every answer it shows is compared."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.docs.answers import differences, json_in, lines_missing
from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks
from tests.docs.reader import Reader

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the documents use curl")
WITHOUT_DEMO = ("configuration.md", "developing.md")
NOT_RUN = [block for path in DOCUMENTS for block in blocks(path) if block.note == "not run"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_shows_is_what_happens(path: Path, tmp_path: Path) -> None:
    found = blocks(path)
    if not any(block.language == "sh" and block.note != "not run" for block in found):
        pytest.skip("shows no commands that can be run")
    with Reader(tmp_path, with_demo=path.name not in WITHOUT_DEMO) as reader:
        for block in found:
            if block.note == "file":
                reader.write(block)
        output = ""
        for block in found:
            output = _follow(reader, block, output)
        assert set(reader.stop()) <= {0, -signal.SIGTERM}


def _follow(reader: Reader, block: Block, output: str) -> str:
    """Does what a block says; gives what the last command printed."""
    if block.note in ("file", "not run"):
        output = ""
    elif block.note == "runs until stopped":
        reader.start(block)
        output = ""
    elif block.language == "sh":
        status, output = reader.run(block)
        assert (status != 0) is (block.note == "fails"), f"{block.where} ended with {status}:\n{block.text}\n\n{output}"
    elif block.language == "json" and output:
        wrong = differences(json.loads(block.text), json_in(output))
        assert wrong == [], f"{block.where}\n" + "\n".join(wrong)
    elif block.language == "text" and output:
        missing = lines_missing(block.text, output)
        assert missing == [], f"{block.where}: not printed: {missing}\n\nprinted:\n{output}"
    return output


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: block.where)
def test_a_block_that_is_not_run_says_why_and_its_targets_and_commands_exist(block: Block) -> None:
    assert len(block.note_text) > 15
    for line in block.text.splitlines():
        words = line.split()
        if words[:1] == ["make"]:
            done = subprocess.run(
                ["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr


def test_make_run_is_the_demo_that_these_tests_run() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "run", "PORT=8123"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1].endswith("bin/openpos-hub demo --port 8123")
