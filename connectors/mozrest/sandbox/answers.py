"""How the Mozrest sandbox words an answer: an order's id and status, or the documented error body."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from hub.contract.sandbox import json_answer


class Refused(Exception):
    """The call is answered with this error."""

    def __init__(self, code: int, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, message, details)
        self.code = code
        self.message = message
        self.details = details

    def answer(self) -> web.Response:
        """The error as an HTTP answer: `{"error": {"code": 400, "message": ..., "details": {...}}}`."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        return json_answer({"error": error}, self.code)


def order_answer(order_id: str, status: str) -> web.Response:
    """The answer to open, update, close and void: Mozrest's own order id, and 200, which alone counts as success."""
    return json_answer({"id": order_id, "status": status})
