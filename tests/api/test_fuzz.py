"""Whatever a program makes of the OpenAPI document is answered as the document says."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.api.operation import Operation
from hub.api.operations import OPERATIONS
from tests.api.fuzzing import Fuzz
from tests.api.served import served_house

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
EVERY = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest.fixture(scope="module")
def fuzz(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    """A hub that delivers to a till, on a port."""
    folder = tmp_path_factory.mktemp("fuzz")
    shutil.copy(migrated, folder / "hub.sqlite")
    with served_house(folder, deliver=True) as served:
        yield Fuzz(served)


@EVERY
def test_an_operation_answers_what_it_is_sent_as_the_document_says(fuzz: Fuzz, operation: Operation) -> None:
    answered = fuzz.run(operation, known=6, unknown=3, repeatable=True)
    assert sum(answered.values()) >= 9


@pytest.mark.long
@EVERY
def test_an_operation_keeps_to_the_document_in_the_long_run(fuzz: Fuzz, operation: Operation) -> None:
    fuzz.run(operation, known=300, unknown=150, repeatable=False)
