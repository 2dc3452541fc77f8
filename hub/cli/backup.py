"""Copies an embedded hub's data while it may be running."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from hub.database.backup import copy_sqlite
from hub.errors import ConfigurationError
from hub.settings import SECRET_KEY_FILE, SECRETS_FILE, Settings


def copy_data(settings: Settings, folder: Path) -> Iterator[Path]:
    """Copies both databases, the secrets file and the key file into an empty folder; yields each complete file.

    Copying the files themselves would miss what SQLite has not moved out of its log yet. Raises
    `ConfigurationError` for PostgreSQL, a missing hub, a folder with something in it, and what cannot be read or
    written.
    """
    if not settings.embedded:
        raise ConfigurationError("this hub keeps its data in PostgreSQL: back that up with pg_dump")
    if not settings.database_file.exists():
        raise ConfigurationError(f"there is no hub in {settings.data}; is OPENPOS_DATA right?")
    _make_empty(folder)
    for source in (settings.database_file, Path(settings.calls_url.removeprefix("sqlite:///"))):
        if source.exists():
            yield copy_sqlite(source, folder / source.name)
    for name in (SECRETS_FILE, SECRET_KEY_FILE):
        if (settings.data / name).exists():
            yield _copy(settings.data / name, folder / name)


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigurationError(f"{folder} is not empty")
    except (FileExistsError, NotADirectoryError) as problem:
        raise ConfigurationError(f"{folder} is no folder") from problem
    except OSError as problem:
        raise ConfigurationError(f"the folder {folder} cannot be used: {problem.strerror}") from problem


def _copy(source: Path, target: Path) -> Path:
    try:
        return Path(shutil.copy2(source, target))
    except OSError as problem:
        raise ConfigurationError(f"{source} cannot be copied to {target}: {problem.strerror}") from problem
