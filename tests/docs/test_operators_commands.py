"""What the documents for operators of a hub show is what happens."""

from pathlib import Path

import pytest

from tests.docs.following import FOR_OPERATORS, OPERATORS, follow, needs_curl


@needs_curl
@pytest.mark.parametrize("path", FOR_OPERATORS, ids=lambda path: path.name)
def test_what_a_document_shows_is_what_happens(path: Path, tmp_path: Path) -> None:
    follow(path, tmp_path)


def test_the_documents_of_operators_are_there() -> None:
    assert [path.name for path in FOR_OPERATORS] == sorted(OPERATORS)
