"""Follows a document as its reader would: every command is typed into a shell, every answer it shows is compared."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from tests.docs.answers import differences, json_in, lines_missing
from tests.docs.blocks import DOCUMENTS, Block, blocks
from tests.docs.reader import Reader

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the documents use curl")
# For those who keep a hub running. These and the others have a file of tests each, which run side by side.
OPERATORS = (
    "accreditation.md",
    "archive.md",
    "configuration.md",
    "delivery.md",
    "developing.md",
    "operating.md",
    "secrets.md",
)
FOR_OPERATORS = [path for path in DOCUMENTS if path.name in OPERATORS]
FOR_CALLERS = [path for path in DOCUMENTS if path.name not in OPERATORS]
_WITHOUT_DEMO = ("configuration.md", "developing.md")


def follow(path: Path, folder: Path) -> None:
    """Does all that a document shows, in this folder."""
    found = blocks(path)
    if not any(block.language == "sh" and block.note != "not run" for block in found):
        pytest.skip("shows no commands that can be run")
    with Reader(folder, with_demo=path.name not in _WITHOUT_DEMO) as reader:
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
