"""A consistent copy of an embedded database, also while it is written to."""

import sqlite3
from contextlib import closing
from pathlib import Path


def copy_sqlite(source: Path, target: Path) -> Path:
    """Copies a database with all that is still in its log; returns the target."""
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
    return target
