"""Moves SQLite's write-ahead log into the database file in a thread of its own, so that no order waits for it."""

import logging
import sqlite3
import threading
import time
from pathlib import Path

_START_BYTES = 8 * 1024 * 1024
_PAUSE_SECONDS = 0.05
_log = logging.getLogger(__name__)


class Checkpointer:
    """Watches the log of one database file. A writer that does its own checkpoints stalls for their two flushes."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log_file = Path(f"{database}-wal")
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="database-checkpointer", daemon=True)
        self._thread.start()

    def after_commit(self) -> None:
        """Called by the writer after each commit; costs one look at the log's size."""
        try:
            if self._log_file.stat().st_size >= _START_BYTES:
                self._wanted.set()
        except FileNotFoundError:
            return

    def close(self) -> None:
        """Ends the thread."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:
                return
            try:
                self._copy()
            except sqlite3.Error as problem:
                _log.warning("the database's log could not be moved into its file: %s", problem)
            time.sleep(_PAUSE_SECONDS)

    def _copy(self) -> None:
        """Copies what it can while others go on writing."""
        connection = sqlite3.connect(self._database, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
