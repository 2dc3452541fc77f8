"""Keeps what is wrong with one order from ending the work on all the others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import HubError

_log = logging.getLogger(__name__)


@contextmanager
def one_of_many(problem_with: str) -> Iterator[None]:
    """The part of a job that is about one order, whatever a POS says of it; a bug there is logged in one line.

    A `HubError` goes on: it is about the POS or the database, and so about the others too.
    """
    try:
        yield
    except HubError:
        raise
    except Exception as problem:  # the edge of this order's part of the job
        _log.error("%s: %s", problem_with, f"{type(problem).__name__}: {problem}"[:200])
