"""Tells a database that is away or damaged from an error of ours, and says it to callers and to the operator."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from hub.errors import ConfigurationError, Unavailable

_DAMAGED = (11, 26)  # SQLITE_CORRUPT and SQLITE_NOTADB: https://sqlite.org/rescode.html


def read_url(url: str) -> URL:
    """The address of a database. Raises `ConfigurationError`, without the address: a password may be in it."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "OPENPOS_DATABASE_URL is no address like postgresql://user:password@host:5432/name "
            "(write signs like @ and / in a password as %40 and %2F)"
        ) from None


def find_absence(problem: DBAPIError, url: URL, words: str) -> Unavailable | None:
    """What to raise, with these words for callers; None where the database works and the error is ours."""
    if url.get_backend_name() == "sqlite" and _is_damage(problem):
        return Unavailable(
            words,
            for_operator=f"the database file {url.database} is damaged or no SQLite database; "
            "how to restore a backup is told in docs/operating.md",
        )
    if not isinstance(problem, OperationalError) and not problem.connection_invalidated:
        return None
    return Unavailable(words, for_operator=f"{_what_is_away(problem, url)}: {_reason(problem, url)}")


def _is_damage(problem: DBAPIError) -> bool:
    code = getattr(problem.orig, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED


def _what_is_away(problem: DBAPIError, url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"the database file {url.database} cannot be used"
    connected = problem.statement is not None and not problem.connection_invalidated
    return "the database cannot be used" if connected else "the database cannot be reached"


def _reason(problem: DBAPIError, url: URL) -> str:
    """The driver's first line; drivers name hosts and users there, and must never name the password."""
    first = next(iter(str(problem.orig).splitlines()), "no reason given")
    return first.replace(str(url.password), "…") if url.password else first
