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
    `ConfigurationError` for PostgreSQL, a missing hub, or a folder with something in it.
    """
    if not settings.embedded:
        raise ConfigurationError("this hub keeps its data in PostgreSQL: back that up with pg_dump")
    if not settings.database_file.exists():
        raise ConfigurationError(f"there is no hub in {settings.data}; is OPENPOS_DATA right?")
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is not empty")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source in (settings.database_file, Path(settings.calls_url.removeprefix("sqlite:///"))):
        if source.exists():
            yield copy_sqlite(source, folder / source.name)
    for name in (SECRETS_FILE, SECRET_KEY_FILE):
        if (settings.data / name).exists():
            yield Path(shutil.copy2(settings.data / name, folder / name))
