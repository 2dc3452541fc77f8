"""What the documents for callers of the hub show is what happens, and a block that is not run says why."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks
from tests.docs.following import FOR_CALLERS, follow, needs_curl

NOT_RUN = [block for path in DOCUMENTS for block in blocks(path) if block.note == "not run"]


@needs_curl
@pytest.mark.parametrize("path", FOR_CALLERS, ids=lambda path: path.name)
def test_what_a_document_shows_is_what_happens(path: Path, tmp_path: Path) -> None:
    follow(path, tmp_path)


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
