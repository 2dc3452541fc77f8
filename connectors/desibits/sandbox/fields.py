"""Checks the fields of a request body and tells all that is wrong at once, by field, with 422."""

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from connectors.desibits.sandbox.refused import Refused
from connectors.desibits.sandbox.totals import CENT

MOST = Decimal("99999999.99")


class Fields:
    """One JSON object of a body. Unknown fields are ignored, an empty text counts as null.

    Each check gives the value, or None when it is absent or wrong; what is wrong is collected until `finish`.
    """

    def __init__(self, values: Any, *, prefix: str = "", errors: dict[str, list[str]] | None = None) -> None:
        self._values: dict[str, Any] = values if isinstance(values, dict) else {}
        self._prefix = prefix
        self._errors: dict[str, list[str]] = {} if errors is None else errors

    def has(self, name: str) -> bool:
        """True when the field is there, be it null."""
        return name in self._values

    def raw(self) -> dict[str, Any]:
        """The object as it came."""
        return self._values

    def wrong(self, name: str, message: str) -> None:
        """Notes an error; `{}` in the message stands for the field."""
        # A field of a list is shown by its path, any other with spaces.
        shown = f"{self._prefix}{name}" if self._prefix else name.replace("_", " ")
        self._errors.setdefault(f"{self._prefix}{name}", []).append(message.format(shown))

    def integer(self, name: str, *, required: bool = False, least: int = 0, most: int = 10**9) -> int | None:
        """A whole number within bounds."""
        value = self._value(name, required)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.wrong(name, "The {} field must be an integer.")
        elif value < least:
            self.wrong(name, f"The {{}} field must be at least {least}.")
        elif value > most:
            self.wrong(name, f"The {{}} field must not be greater than {most}.")
        else:
            return value
        return None

    def amount(
        self, name: str, *, required: bool = False, least: Decimal = Decimal(0), most: Decimal = MOST
    ) -> Decimal | None:
        """A bare number with at most two decimals; given with two."""
        value = self._value(name, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.wrong(name, "The {} field must be a number.")
        elif value < least:
            self.wrong(name, f"The {{}} field must be at least {least}.")
        elif value > most:
            self.wrong(name, f"The {{}} field must not be greater than {most}.")
        elif (exact := Decimal(value).quantize(CENT)) != value:
            self.wrong(name, "The {} field must have 0-2 decimal places.")
        else:
            return exact
        return None

    def text(self, name: str, *, required: bool = False, longest: int = 255) -> str | None:
        """A text that is not too long."""
        value = self._value(name, required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, "The {} field must be a string.")
        elif len(value) > longest:
            self.wrong(name, f"The {{}} field must not be greater than {longest} characters.")
        else:
            return value
        return None

    def email(self, name: str) -> str | None:
        """An e-mail address."""
        value = self.text(name)
        if value is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            self.wrong(name, "The {} field must be a valid email address.")
        return value

    def one_of(self, name: str, allowed: Collection[Any], *, required: bool = False) -> Any | None:
        """One of the ids or words that there are."""
        value = self._value(name, required)
        if value is None or (type(value) in (int, str) and value in allowed):
            return value
        self.wrong(name, "The selected {} is invalid.")
        return None

    def elements(self, name: str, *, required: bool = False, least: int = 0) -> list["Fields"]:
        """The objects of a list."""
        value = self._value(name, required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(name, "The {} field must be an array.")
            return []
        if len(value) < least:
            self.wrong(name, f"The {{}} field must have at least {least} items.")
        return [
            Fields(element, prefix=f"{self._prefix}{name}.{position}.", errors=self._errors)
            for position, element in enumerate(value)
        ]

    def finish(self) -> None:
        """Raises `Refused` (422) when anything was wrong."""
        if not self._errors:
            return
        messages = [message for found in self._errors.values() for message in found]
        others = len(messages) - 1
        more = f" (and {others} more error{'s' if others > 1 else ''})" if others else ""
        raise Refused(422, {"message": messages[0] + more, "errors": self._errors})

    def _value(self, name: str, required: bool) -> Any:
        value = self._values.get(name)
        if isinstance(value, str) and not value.strip():
            value = None
        if value is None and required:
            self.wrong(name, "The {} field is required.")
        return value
