"""A consistent copy of an embedded database, also while it is written to."""

import sqlite3
from contextlib import closing
from pathlib import Path

from hub.errors import ConfigurationError


def copy_sqlite(source: Path, target: Path) -> Path:
    """Copies a database with all that is still in its log; returns the target.

    Raises `ConfigurationError` where one of them cannot be read or written; no half copy stays behind.
    """
    try:
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
    except sqlite3.Error as problem:
        target.unlink(missing_ok=True)
        raise ConfigurationError(f"{source} cannot be copied to {target}: {problem}") from problem
    return target
