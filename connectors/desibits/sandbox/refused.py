"""The exception by which the Desibits sandbox answers a call with an error."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """The call is answered with this error; `by_rule` when the restaurant's rules and not the framework refuse."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, *, by_rule: bool = False
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers
        self.by_rule = by_rule
