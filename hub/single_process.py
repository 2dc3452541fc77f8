"""Keeps a second hub process off the same embedded database."""

import os
from pathlib import Path
from typing import IO

from hub.errors import ConfigurationError


def hold(data: Path) -> IO[str]:
    """Takes the data folder for this process; keep the returned file open. Raises `ConfigurationError` if it is taken
    or cannot be written to.

    The operating system lets go when the process ends, however it ends.
    """
    try:
        file = (data / "hub.lock").open("a+", encoding="utf-8")
    except OSError as problem:
        raise ConfigurationError(f"{data / 'hub.lock'} cannot be written: {problem.strerror}") from problem
    try:
        _lock(file)
    except OSError as problem:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise ConfigurationError(
            f"the data folder {data} is served by process {holder} already: one embedded (SQLite) database serves "
            "one hub process. Stop that process, give this one another OPENPOS_DATA, or use PostgreSQL "
            "(OPENPOS_DATABASE_URL) for several processes."
        ) from problem
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def _lock(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl  # noqa: PLC0415 - exists on POSIX only

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
