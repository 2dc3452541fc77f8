"""How long a vendor asks us to wait, as its answer's headers say it."""

import email.utils
from collections.abc import Mapping

LONGEST_RETRY_AFTER_SECONDS = 900.0  # a vendor that asks for more than 15 minutes is asked again after 15


def retry_after_seconds(headers: Mapping[str, str], *, now_ms: int) -> float | None:
    """What `Retry-After` asks for: seconds or an HTTP date; None when missing, negative or unreadable.

    Capped at `LONGEST_RETRY_AFTER_SECONDS`.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now_ms / 1000
        except ValueError:
            return None
    return _sane_wait(seconds)


def rate_limit_reset_seconds(headers: Mapping[str, str], *, now_ms: int) -> float | None:
    """When a used-up rate limit starts anew: `RateLimit-Reset` or `X-RateLimit-Reset`, in seconds from now.

    Vendors send either seconds or a point in time; a number above a thousand million is the latter.
    """
    text = headers.get("ratelimit-reset") or headers.get("x-ratelimit-reset") or ""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return _sane_wait(seconds - now_ms / 1000 if seconds > 1e9 else seconds)


def _sane_wait(seconds: float) -> float | None:
    return min(seconds, LONGEST_RETRY_AFTER_SECONDS) if 0 <= seconds < float("inf") else None
