"""Reads how Desibits says no. Its page documents no error, so every shape such a server may use is understood."""

from collections.abc import Mapping
from typing import Any

_LONGEST_REASON = 300


def refusal(body: Any) -> str | None:
    """The reason in a body that says no, or None when it does not.

    `success: false` says no under any status, also 200. Every documented answer says `success: true`, so an object
    without it and without `data` that holds an `error`, field `errors` or nothing but a message says no too.
    """
    if not isinstance(body, Mapping) or not _says_no(body):
        return None
    parts = [_text(body.get(name)) for name in ("message", "error", "errors")]
    return ": ".join(dict.fromkeys(part for part in parts if part))[:_LONGEST_REASON] or "no reason given"


def _says_no(body: Mapping[str, Any]) -> bool:
    if "success" in body:
        return body["success"] is False
    return "data" not in body and any(name in body for name in ("error", "errors", "message"))


def _text(value: Any) -> str:
    """The words of an error: a sentence, a list of them, or an object of lists by field."""
    if isinstance(value, Mapping):
        if "message" in value:
            return _text(value["message"])
        return "; ".join(f"{field}: {words}" for field, words in ((f, _text(v)) for f, v in value.items()) if words)
    if isinstance(value, list):
        return ", ".join(words for words in map(_text, value) if words)
    return "" if value is None else str(value).strip()
