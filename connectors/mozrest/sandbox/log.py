"""The logs of the Mozrest sandbox: every call received and every call sent, in the order they began."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from hub.contract.sandbox.ledger import Ledger, from_json

UNREADABLE = (ValueError, RecursionError)


class Log:
    """One log; its entries are numbered from 1 and committed when they begin and when they end."""

    def __init__(self, ledger: Ledger, kind: str) -> None:
        self._ledger = ledger
        self._kind = kind

    def begin(self, entry: Mapping[str, Any]) -> int:
        """Writes the beginning of a call down and gives its number."""
        with self._ledger.unit():
            number: int = (self._ledger.find_document("count", self._kind) or 0) + 1
            self._ledger.put_document("count", self._kind, number)
            self._ledger.put_document(self._kind, str(number), {"number": number, **entry})
        return number

    def end(self, number: int, more: Mapping[str, Any]) -> None:
        """Adds how the call ended; nothing when the log was emptied meanwhile."""
        entry = self._ledger.find_document(self._kind, str(number))
        if entry is not None:
            self._ledger.put_document(self._kind, str(number), {**entry, **more})

    def load(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Every entry with a number above `after`, in order."""
        entries = (entry for entry in self._ledger.load_documents(self._kind) if entry["number"] > after)
        return sorted(entries, key=lambda entry: int(entry["number"]))

    def forget(self) -> None:
        """Empties the log; numbers go on."""
        self._ledger.forget_documents(self._kind)


def readable(raw: bytes) -> Any:
    """A body as JSON, else as text; None when there is none."""
    if not raw:
        return None
    try:
        return from_json(raw)
    except UNREADABLE:
        return raw.decode("utf-8", "replace")


def answer_body(answer: web.StreamResponse | None) -> Any:
    """What an answer said; None for one that was sent in pieces or not at all."""
    body = answer.body if isinstance(answer, web.Response) else None
    return readable(body) if isinstance(body, bytes) else None
