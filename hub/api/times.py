"""Times at the edge: ISO 8601 with an offset, or refused."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.errors import InvalidRequest


def parse_timestamp(text: str | None, field: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 time with offset; None stays None. Raises `InvalidRequest`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise InvalidRequest(f"{field}: {text!r} has no offset; write 2026-02-09T19:30:00+04:00 or …Z", field=field)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as problem:
        raise InvalidRequest(f"{field}: {text[:40]!r} is not an ISO 8601 time", field=field) from problem


def parse_moment(text: str, field: str, timezone: str) -> int:
    """The same, or a bare date: the beginning of that day in an IANA zone, a store's. Raises `InvalidRequest`."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        at_ms = parse_timestamp(text or None, field)
        if at_ms is None:
            raise InvalidRequest(f"{field}: say a time, e.g. 2026-02-09T19:30:00+04:00, or a day", field=field)
        return at_ms
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp() * 1000)
    except (ValueError, OverflowError) as problem:
        raise InvalidRequest(f"{field}: there is no day {text}", field=field) from problem
