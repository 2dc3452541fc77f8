"""Our mark in Desibits' free texts: at the end of an order's notes and of its first item's note."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.desibits.fields import rows, text

_MARK = re.compile(r"#[A-Z0-9]{8}(?![A-Z0-9])")
_NOTES = ("notes", "note", "order_note")
_ITEM_NOTES = ("note", "notes")


def order_notes(row: Mapping[str, Any]) -> str:
    """The order's notes; empty when there are none or Desibits does not show them."""
    return text(row, *_NOTES)


def shows_notes(row: Mapping[str, Any]) -> bool:
    """Whether the row shows the order's notes at all, were it empty ones."""
    return any(name in row for name in _NOTES)


def item_note(row: Mapping[str, Any]) -> str:
    """A line's note."""
    return text(row, *_ITEM_NOTES)


def carries(row: Mapping[str, Any], mark: str) -> bool | None:
    """Whether an order carries this mark; None when the row shows too little to tell."""
    items = rows(row, "items", "order_items")
    if mark in order_notes(row) or any(mark in item_note(item) for item in items or ()):
        return True
    if items:
        return False if any(name in item for item in items for name in _ITEM_NOTES) else None
    return False if items is not None and shows_notes(row) else None


def find_mark(row: Mapping[str, Any]) -> str:
    """The mark an order carries, else empty."""
    texts = [order_notes(row), *(item_note(item) for item in rows(row, "items", "order_items") or ())]
    return next((found[-1] for found in map(_MARK.findall, texts) if found), "")


def round_mark(mark: str, idempotency_key: str) -> str:
    """The mark of one further round, e.g. `#H7F3K9Q2-ba9d9d`: the same for every repetition, other for every round."""
    return f"{mark}-{idempotency_key[-6:]}"


def option_mark(mark: str) -> str:
    """The mark of an option that is an item of its own: it belongs to the item before it."""
    return f"{mark}+"


def is_option(row: Mapping[str, Any]) -> bool:
    """Whether an item is an option of the one before it."""
    return re.search(r"#[A-Z0-9]{8}\+$", item_note(row)) is not None


def without_mark(note: str) -> str:
    """A text without our mark at its end."""
    return re.sub(r"(^|\s*\|\s*|\s+)#[A-Z0-9]{8}(-[0-9a-f]{6}|\+)?$", "", note)
