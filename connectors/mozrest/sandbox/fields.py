"""Reads the order a POS sends and collects what is wrong with each field, in the shape of Mozrest's error body."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from connectors.mozrest.sandbox.answers import Refused

ORDER_STATUSES = ("open", "closed")
CHECK_STATUSES = ("open", "closed", "void")
ORDER_FIELDS = ("id", "status", "tables", "partySize", "checks")
GUEST_FIELDS = ("guestName", "guestEmail", "guestTelephone")
CHECK_FIELDS = ("checkNumber", "status", "totalAmount", "tax", "tip", "discount", "paymentMethod", "items")
ITEM_FIELDS = ("id", "name", "price", "quantity")
MOST = 10**9

BLANK = "This value should not be blank."


def order_of(body: Any, money_digits: int) -> tuple[dict[str, Any], list[str]]:
    """The documented fields of an order, and the names of fields nobody has heard of.

    Fields that are absent or null are left out. Raises `Refused` (400) with every field that is wrong.
    """
    if not isinstance(body, dict):
        raise Refused(400, "The body should be a JSON object")
    reader = _Reader(body, money_digits)
    order = reader.order()
    if reader.errors:
        raise Refused(400, "Validation failed", reader.errors)
    return order, reader.unknown


def listed_order_of(body: Any, money_digits: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order as a POS lists it, with the guest, and what is wrong with it; it is read as far as it can be."""
    reader = _Reader(body if isinstance(body, dict) else {}, money_digits)
    order = reader.order()
    order |= {name: value for name in GUEST_FIELDS if (value := reader.text(name, needed=False)) is not None}
    return order, reader.errors


class _Reader:
    """Takes fields out of one JSON object; `errors` is the part of the error body about this object."""

    def __init__(self, raw: Mapping[str, Any], money_digits: int, place: str = "") -> None:
        self.raw = raw
        self.errors: dict[str, Any] = {}
        self.unknown: list[str] = []
        self._digits = money_digits
        self._place = place

    def order(self) -> dict[str, Any]:
        """The whole order."""
        self._note_unknown((*ORDER_FIELDS, *GUEST_FIELDS))
        return _present(
            {
                "id": self.text("id"),
                "status": self.choice("status", ORDER_STATUSES),
                "tables": self.texts("tables"),
                "partySize": self.count("partySize"),
                "checks": self.each("checks", _Reader.check),
            }
        )

    def check(self) -> dict[str, Any]:
        """One bill."""
        self._note_unknown(CHECK_FIELDS)
        return _present(
            {
                "checkNumber": self.text("checkNumber"),
                "status": self.choice("status", CHECK_STATUSES),
                "totalAmount": self.money("totalAmount", needed=True),
                "tax": self.money("tax"),
                "tip": self.money("tip"),
                "discount": self.money("discount"),
                "paymentMethod": self.text("paymentMethod", needed=False),
                "items": self.each("items", _Reader.item),
            }
        )

    def item(self) -> dict[str, Any]:
        """One line of a bill; its id is a number in the samples, and text is taken too."""
        self._note_unknown(ITEM_FIELDS)
        return _present(
            {
                "id": self.identifier("id"),
                "name": self.text("name"),
                "price": self.money("price", needed=True),
                "quantity": self.quantity("quantity"),
            }
        )

    def text(self, name: str, *, needed: bool = True) -> str | None:
        """A text; one that is needed must not be blank."""
        value = self.raw.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if value is None or isinstance(value, str):
            self._missing(name, needed)
        else:
            self._wrong(name, "This value should be of type string.")
        return None

    def choice(self, name: str, valid: Collection[str]) -> str | None:
        """One of the documented words."""
        value = self.text(name)
        if value is None or value in valid:
            return value
        self._wrong(name, "The value you selected is not a valid choice.")
        return None

    def texts(self, name: str) -> list[str] | None:
        """A list of texts, none of them blank."""
        value = self.raw.get(name)
        if isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value):
            return value
        if value is not None:
            self._wrong(name, "This value should be an array of strings that are not blank.")
        return None

    def count(self, name: str) -> int | None:
        """A whole number that is not negative."""
        value = self.raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
            return value
        if value is not None:
            self._wrong(name, "This value should be a whole number that is not negative.")
        return None

    def money(self, name: str, *, needed: bool = False) -> int | Decimal | None:
        """A JSON number with no more decimals than the currency has; text is refused."""
        value = self._number(name, needed)
        if value is None or value == round(Decimal(value), self._digits):
            return value
        self._wrong(name, f"This value should have at most {self._digits} decimals.")
        return None

    def quantity(self, name: str) -> int | Decimal | None:
        """A number above zero."""
        value = self._number(name, needed=True)
        if value is None or value > 0:
            return value
        self._wrong(name, "This value should be positive.")
        return None

    def identifier(self, name: str) -> int | str | None:
        """A whole number or a text."""
        value = self.raw.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else self.text(name)

    def each(self, name: str, read: Callable[["_Reader"], dict[str, Any]]) -> list[dict[str, Any]]:
        """Every object of a list, which may be empty but not absent; errors stand at the object's position."""
        value = self.raw.get(name)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self._wrong(name, BLANK if value is None else "This value should be an array of objects.")
            return []
        readers = [_Reader(one, self._digits, f"{self._place}{name}[{at}].") for at, one in enumerate(value)]
        rows = [read(reader) for reader in readers]
        if any(reader.errors for reader in readers):
            self.errors[name] = [reader.errors for reader in readers]
        self.unknown += [field for reader in readers for field in reader.unknown]
        return rows

    def _number(self, name: str, needed: bool) -> int | Decimal | None:
        value = self.raw.get(name)
        if value is None:
            self._missing(name, needed)
        elif isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._wrong(name, "This value should be of type number.")
        elif not -MOST <= value <= MOST:
            self._wrong(name, f"This value should be between -{MOST} and {MOST}.")
        else:
            return value
        return None

    def _note_unknown(self, known: Collection[str]) -> None:
        self.unknown += [f"{self._place}{name}" for name in self.raw if name not in known]

    def _missing(self, name: str, needed: bool) -> None:
        if needed:
            self._wrong(name, BLANK)

    def _wrong(self, name: str, message: str) -> None:
        self.errors.setdefault(name, []).append(message)


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
