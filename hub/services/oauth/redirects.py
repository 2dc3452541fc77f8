"""Where a program may have people sent back to, and whether an address is one of its own."""

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit, urlunsplit

from hub.services.oauth.refusal import OAuthRefused

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MOST = 10
_LONGEST = 2000
_NEVER = ("javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "ftp", "ws", "wss", "view-source")


def checked_redirects(uris: Sequence[str]) -> tuple[str, ...]:
    """The addresses a program names for itself. Raises `OAuthRefused`: each must be https, an address of the person's
    own machine, or a scheme of the program's own (RFC 8252, 7); without a fragment."""
    if not 1 <= len(uris) <= _MOST:
        raise OAuthRefused("invalid_redirect_uri", f"redirect_uris: name one to {_MOST} addresses")
    for uri in uris:
        problem = _problem(uri)
        if problem:
            raise OAuthRefused("invalid_redirect_uri", f"redirect_uris: {uri[:200]!r} {problem}")
    return tuple(uris)


def is_own_redirect(uri: str, own: Sequence[str]) -> bool:
    """Whether an address is one of a program's own: the same, character by character; only the port of an address of
    the person's own machine may differ (OAuth 2.1, 4.1.1), for programs listen wherever there is room."""
    if uri in own:
        return True
    if _problem(uri) or _parts(uri).hostname not in LOOPBACK:
        return False
    return any(_without_port(uri) == _without_port(known) for known in own if _is_loopback(known))


def origin_of(uri: str) -> str:
    """Scheme, host and port of an address, for people and for browsers' rules; of a program's own scheme that alone."""
    parts = _parts(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def _problem(uri: str) -> str:
    if (
        len(uri) > _LONGEST
        or not uri.isascii()
        or not uri.isprintable()
        or any(sign in uri for sign in " \\<>\"'`{}|^")
    ):
        return "is too long or has characters that no address has"
    try:
        parts = _parts(uri)
        host = parts.hostname
    except ValueError:
        return "is no address"
    own_scheme = "." in parts.scheme and parts.path.startswith("/")  # com.example.app:/back, which has no host
    if not parts.scheme or parts.scheme in _NEVER or not (host or own_scheme):
        return "is no address that can be returned to"
    if "#" in uri or "@" in parts.netloc or any(sign in parts.netloc for sign in ";,*"):
        return "must have neither a fragment nor a user"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "must be https"
    return ""


def _parts(uri: str) -> SplitResult:
    parts = urlsplit(uri)
    _ = parts.port  # raises ValueError for one that is none
    return parts


def _is_loopback(uri: str) -> bool:
    parts = _parts(uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def _without_port(uri: str) -> str:
    parts = _parts(uri)
    return urlunsplit(parts._replace(netloc=parts.hostname or ""))
