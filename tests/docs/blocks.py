"""Reads the fenced blocks of a document, with what the HTML comment before each of them says about it.

The comments the tests understand, each on a line of its own right before its block:

`<!-- not run: REASON -->`   the block cannot be run here, for the reason given
`<!-- fails -->`             the last command of the block fails on purpose
`<!-- runs until stopped -->` the block starts something that stays until the end of the document
`<!-- file: NAME -->`        the block is a file that later blocks use
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_NOTE = re.compile(r"^<!-- (?P<word>not run|fails|runs until stopped|file)(?:: (?P<text>.+))? -->$")


@dataclass(frozen=True)
class Block:
    """One fenced block. `note` is the word of the comment before it, `note_text` what stands behind its colon."""

    document: str
    line: int
    language: str
    text: str
    note: str = ""
    note_text: str = ""

    @property
    def where(self) -> str:
        """For messages and names of tests."""
        return f"{self.document}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a document, in order."""
    found: list[Block] = []
    lines = path.read_text("utf-8").splitlines()
    before = ""
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.startswith("```"):
            end = next(number for number in range(index + 1, len(lines)) if lines[number] == "```")
            note = _NOTE.match(before)
            found.append(
                Block(
                    document=path.name,
                    line=index + 1,
                    language=line[3:].strip(),
                    text="\n".join(lines[index + 1 : end]),
                    note=note["word"] if note else "",
                    note_text=(note["text"] or "") if note else "",
                )
            )
            index = end
            before = ""
        elif line.strip():
            before = line
        index += 1
    return found
