"""Prefixed, time-ordered identifiers (`order_…`, `loc_…`, `item_…`) and the short mark left on vendors' records."""

import base64
import hashlib
import re
import threading
import uuid
from collections.abc import Callable

NewId = Callable[[str], str]
"""Makes an identifier for a prefix, e.g. `new_id("order")`."""

_HEX32 = re.compile(r"[0-9a-f]{32}")
_AFTER_PREFIX = re.compile(r"_[0-9a-f]{32}")


def time_ordered_id(prefix: str, *, now_ms: int, random_bytes: bytes) -> str:
    """An identifier in the UUIDv7 layout (RFC 9562, 5.7) under `prefix`, so that keys arrive in index order.

    `now_ms` is milliseconds since 1970; `random_bytes` are ten random bytes.
    """
    rand_a = int.from_bytes(random_bytes[:2], "big") & 0x0FFF
    rand_b = int.from_bytes(random_bytes[2:10], "big") & 0x3FFF_FFFF_FFFF_FFFF
    value = (now_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    return f"{prefix}_{value:032x}"


class RandomBytes:
    """Hands out random bytes from a larger draw: one system call for many identifiers."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self._drawn = b""
        self._used = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> bytes:
        """The next `count` random bytes; each is given out once."""
        with self._lock:
            if self._used + count > len(self._drawn):
                self._drawn, self._used = self._draw(4096), 0
            taken = self._drawn[self._used : self._used + count]
            self._used += count
        return taken


def derived_id(prefix: str, *parts: str) -> str:
    """An identifier that is the same for the same parts: items keep theirs however often a menu is synced."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"


def companion_id(prefix: str, identifier: str) -> str:
    """The identifier of the one thing that comes into being with another (an order's first lane): the same UUID."""
    return f"{prefix}_{identifier.rpartition('_')[2]}"


def parse_id(prefix: str, text: str) -> str | None:
    """`text` as an identifier of this prefix; a bare UUID (with or without dashes) is accepted too."""
    if text.startswith(prefix) and _AFTER_PREFIX.fullmatch(text, len(prefix)):
        return text
    bare = text.removeprefix(f"{prefix}_").replace("-", "").lower()
    return f"{prefix}_{bare}" if _HEX32.fullmatch(bare) else None


def as_uuid(identifier: str) -> uuid.UUID:
    """The UUID inside a prefixed identifier, for vendors that take one as idempotency key."""
    return uuid.UUID(identifier.rpartition("_")[2])


def order_mark(order_id: str) -> str:
    """The short code (`#H7F3K9Q2`) by which the hub recognises its own order in a vendor's free-text field.

    Forty bits of a hash: within one venue's day the chance of two orders sharing a mark is below one in a billion.
    """
    digest = hashlib.sha256(order_id.encode()).digest()
    return "#" + base64.b32encode(digest[:5]).decode()
