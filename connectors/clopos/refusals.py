"""Reads how Clopos says no: four shapes of an error body, and what a refusal means beyond its HTTP status."""

from collections.abc import Mapping
from typing import Any, Final

from hub.contract.tables import VendorTables
from hub.errors import ConnectorError

TOKEN: Final = "token"
CREDENTIALS: Final = "credentials"
DUPLICATE: Final = "duplicate"

_LONGEST_REASON = 300


def refusal(body: Any) -> str | None:
    """The reason in a body that says no, or None when it does not.

    `success: false` says no under any HTTP status (https://developer.clopos.com/errors); the v1 overview shows
    errors without `success`. `error` is a slug, a sentence, or a list of objects with a `message`.
    """
    if not isinstance(body, dict):
        return None
    says_no = body.get("success") is False or ("error" in body and "data" not in body and not body.get("success"))
    if not says_no:
        return None
    parts = [text for text in (_text(body.get("error")), _text(body.get("message"))) if text]
    return ": ".join(dict.fromkeys(parts))[:_LONGEST_REASON] or "no reason given"


def meaning(error: ConnectorError, tables: VendorTables) -> str | None:
    """What `mappings/clopos.toml` says about the slug or sentence of a refusal, or None."""
    slug, _, sentence = error.reason.partition(": ")
    for words in (slug, sentence):
        row = tables.from_vendor("errors", words.strip())
        if row is not None:
            means: str = row["means"]
            return means
    return None


def _text(error: Any) -> str:
    if isinstance(error, list):
        return "; ".join(text for text in map(_text, error) if text)
    if isinstance(error, Mapping):
        return _text(error.get("message"))
    return "" if error is None else str(error).strip()
