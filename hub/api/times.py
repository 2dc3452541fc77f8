"""Times at the edge: ISO 8601 with an offset, or refused."""

from datetime import datetime

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
