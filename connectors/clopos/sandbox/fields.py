"""Checks single fields of a request body and refuses with the name of the field that is wrong."""

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from connectors.clopos.sandbox.answers import field_refused


class Fields:
    """One JSON object of a body, read field by field; every method raises `Refused` naming the field.

    A key that is in neither `required` nor `optional` is refused, so that a misspelt field is noticed.
    """

    def __init__(self, value: Any, path: str, *, required: Collection[str], optional: Collection[str] = ()) -> None:
        self.path = path
        if not isinstance(value, dict):
            raise field_refused(path or "body", "must be an object")
        self._values: dict[str, Any] = value
        for name in required:
            if name not in value:
                raise field_refused(self.at(name), "is required")
        for name in value:
            if name not in required and name not in optional:
                raise field_refused(self.at(name), "is not known")

    def at(self, name: str) -> str:
        """The full path of a field: `payload.products.0.count`."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """True when the field is there and not null."""
        return self._values.get(name) is not None

    def raw(self, name: str) -> Any:
        """The value as it came, or None."""
        return self._values.get(name)

    def raw_values(self) -> dict[str, Any]:
        """The whole object as it came."""
        return dict(self._values)

    def integer(self, name: str, *, least: int = 0, default: int | None = None) -> int:
        """A whole number of at least `least`; `1.0`, `true` and `"1"` are none."""
        value = self._values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise field_refused(self.at(name), "must be an integer")
        if value < least:
            raise field_refused(self.at(name), f"must be at least {least}")
        return value

    def number(self, name: str, *, default: int | None = None) -> Decimal:
        """A bare JSON number of at least zero."""
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise field_refused(self.at(name), "must be a number")
        if value < 0:
            raise field_refused(self.at(name), "must be at least 0")
        return Decimal(value)

    def text(self, name: str, *, empty: bool = False) -> str:
        """A string, with something in it unless `empty`."""
        value = self._values.get(name)
        if not isinstance(value, str):
            raise field_refused(self.at(name), "must be a string")
        if not empty and not value.strip():
            raise field_refused(self.at(name), "must not be empty")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, or None when the field is absent or null."""
        return self.text(name, empty=True) if self.has(name) else None

    def boolean(self, name: str, *, default: bool | None = None) -> bool:
        """`true` or `false`."""
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise field_refused(self.at(name), "must be true or false")
        return value

    def choice(self, name: str, allowed: Collection[int], *, default: int | None = None) -> int:
        """A whole number out of a few."""
        value = self.integer(name, default=default)
        if value not in allowed:
            raise field_refused(self.at(name), f"must be one of {', '.join(map(str, sorted(allowed)))}")
        return value

    def matching(self, name: str, pattern: str, description: str) -> str:
        """A string that fits a pattern from end to end."""
        value = self.text(name)
        if not re.fullmatch(pattern, value):
            raise field_refused(self.at(name), f"must be {description}")
        return value

    def elements(self, name: str, *, filled: bool = False, default: bool = False) -> list[tuple[str, Any]]:
        """The elements of a list with the path of each; `default` lets the field be absent."""
        value = self._values.get(name, [] if default else None)
        if not isinstance(value, list):
            raise field_refused(self.at(name), "must be a list")
        if filled and not value:
            raise field_refused(self.at(name), "must not be empty")
        return [(f"{self.at(name)}.{position}", element) for position, element in enumerate(value)]
