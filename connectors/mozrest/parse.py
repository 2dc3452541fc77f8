"""Reads Mozrest's calls to the hub: leniently, because it may add fields at any time, and naming what is wrong."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from hub.contract.inbound import (
    Command,
    GetTab,
    InboundRequest,
    InboundRoute,
    ListTables,
    ListTabs,
    OpenTab,
    WantedItem,
)
from hub.errors import InvalidRequest, NotFound
from hub.model.decimals import decode_json
from hub.model.money import from_decimal
from hub.model.order import Customer

# https://doc.mozrest.com/pos/pos-must-expose. The address of a single order, and PUT, are not shown there.
LIST_TABLES: Final = InboundRoute("list_tables", "GET", "/venue/{venueId}/tables")
OPEN_ORDER: Final = InboundRoute("open_order", "POST", "/venue/{venueId}/orders")
LIST_ORDERS: Final = InboundRoute("list_orders", "GET", "/venue/{venueId}/orders")
GET_ORDER: Final = InboundRoute("get_order", "GET", "/venue/{venueId}/orders/{orderId}")
UPDATE_ORDER: Final = InboundRoute("update_order", "PUT", "/venue/{venueId}/orders/{orderId}")
ROUTES: Final[Sequence[InboundRoute]] = (LIST_TABLES, OPEN_ORDER, LIST_ORDERS, GET_ORDER, UPDATE_ORDER)

_BLANK = "This value should not be blank."
_LONGEST_TEXT = 200
_LONGEST_TABLE = 100
_LONGEST_EMAIL = 254
_LONGEST_TELEPHONE = 39
_MOST_TABLES = 20
_MOST_ITEMS = 200
_MOST_OF_ONE = 999
_MOST_GUESTS = 1000
_MOST_MONEY = 10_000_000
_YEARS = range(2000, 2101)
_PLUS_LOST = re.compile(r"(T.*) (\d\d:?\d\d)$")  # `+04:00` in a query that nobody escaped
_COUNTRY_CODE_FIRST = re.compile(r"[1-9]\d{7,14}")


@dataclass(frozen=True)
class Place:
    """What a call must be understood by: the venue's id in it, its time zone and its currency."""

    venue_id: str
    timezone: str
    currency: str


def command_from_mozrest(request: InboundRequest, place: Place) -> Command:
    """What the call asks for. Raises `InvalidRequest` naming the field, or `NotFound` for another venue."""
    if request.path["venueId"] != place.venue_id:
        raise NotFound(f"there is no venue {request.path['venueId'][:100]!r} here", code="VENUE_UNKNOWN")
    if request.route == LIST_TABLES:
        return ListTables()
    if request.route == LIST_ORDERS:
        return _list_tabs(request.query)
    if request.route == GET_ORDER:
        return GetTab(order_id=request.path["orderId"])
    return _open_tab(_object(request.body), place, request.path.get("orderId", ""))


def _list_tabs(query: Mapping[str, str]) -> ListTabs:
    status = query.get("status", "").lower()
    if status not in ("", "open", "closed"):
        raise _wrong("status", "The value you selected is not a valid choice: open or closed.")
    return ListTabs(
        is_open=None if not status else status == "open",
        from_ms=_instant("from", query),
        until_ms=_instant("until", query),
        limit=_count("limit", query, at_least=1),
        offset=_count("offset", query, at_least=0) or 0,
    )


def _open_tab(body: Mapping[str, Any], place: Place, order_id: str) -> OpenTab:
    return OpenTab(
        tables=_tables(body),
        channel_order_id=_text(body, "id") or order_id,
        customer=_customer(body),
        party_size=_party_size(body),
        prepaid_cents=_prepaid_cents(body, place.currency),
        seated_at_ms=_seated_at_ms(body, place.timezone),
        items=_wanted_items(body.get("items")),
    )


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        body = decode_json(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidRequest("The body is not valid JSON.", code="BODY_NOT_JSON") from problem
    if not isinstance(body, Mapping):
        raise InvalidRequest("The body should be a JSON object.", code="BODY_INVALID")
    return body


def _tables(body: Mapping[str, Any]) -> tuple[str, ...]:
    """`tables`, or the deprecated `tableId`."""
    given = body.get("tables")
    if given is None:
        given = body.get("tableId")
    each = given if isinstance(given, list) else [given]
    tables = tuple(dict.fromkeys(_text({"tables": one}, "tables", _LONGEST_TABLE) for one in each))
    if not tables or not all(tables):
        raise _wrong("tables", _BLANK)
    if len(tables) > _MOST_TABLES:
        raise _wrong("tables", f"There should be at most {_MOST_TABLES}.")
    return tables


def _customer(body: Mapping[str, Any]) -> Customer | None:
    name, email = _text(body, "guestName"), _text(body, "guestEmail", _LONGEST_EMAIL)
    phone = _text(body, "guestTelephone", _LONGEST_TELEPHONE)
    if not (name or email or phone):
        return None
    # The sample shows 34646883377: a country code without the plus that other systems need to recognise it.
    return Customer(name=name, email=email, phone=f"+{phone}" if _COUNTRY_CODE_FIRST.fullmatch(phone) else phone)


def _party_size(body: Mapping[str, Any]) -> int | None:
    size = _number(body, "partySize")
    if size is None or size == 0:
        return None
    if size != int(size) or not 0 < size <= _MOST_GUESTS:
        raise _wrong("partySize", f"This value should be a whole number from 1 to {_MOST_GUESTS}.")
    return int(size)


def _prepaid_cents(body: Mapping[str, Any], currency: str) -> int:
    amount = _number(body, "prepayment")
    if amount is None:
        return 0
    if not 0 <= amount <= _MOST_MONEY:
        raise _wrong("prepayment", f"This value should be from 0 to {_MOST_MONEY}.")
    return from_decimal(amount, currency)


def _seated_at_ms(body: Mapping[str, Any], timezone: str) -> int | None:
    """`date`: local time of the venue, as in `2025-02-15 14:30:00`; a time with a zone is taken at its word."""
    text = _text(body, "date")
    return _milliseconds("date", text, ZoneInfo(timezone)) if text else None


def _wanted_items(items: Any) -> tuple[WantedItem, ...]:
    """Pre-ordered items. Their fields are not documented, so what cannot be read is left out and never refused."""
    if not isinstance(items, list):
        return ()
    if len(items) > _MOST_ITEMS:
        raise _wrong("items", f"There should be at most {_MOST_ITEMS}.")
    wanted = (_wanted_item(item) for item in items)
    return tuple(item for item in wanted if item is not None)


def _wanted_item(item: Any) -> WantedItem | None:
    fields = item if isinstance(item, Mapping) else {"name": item}
    try:
        named = _text(fields, "name") or _text(fields, "id")  # what it is called means more to the staff
        quantity = _number(fields, "quantity")
        note = _text(fields, "note") or _text(fields, "notes")
    except InvalidRequest:
        return None
    if not named:
        return None
    is_whole = quantity is not None and quantity == int(quantity) and 0 < quantity <= _MOST_OF_ONE
    return WantedItem(item=named, quantity=int(quantity) if is_whole and quantity else 1, note=note)


def _text(body: Mapping[str, Any], field: str, longest: int = _LONGEST_TEXT) -> str:
    """A text, or a whole number where a text was due; empty when absent."""
    value = body.get(field)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong(field, "This value should be of type string.")
    text = str(value).strip()
    if len(text) > longest:
        raise _wrong(field, f"This value is too long: at most {longest} characters.")
    if "\x00" in text:
        raise _wrong(field, "This value should not contain null bytes.")
    return text


def _number(body: Mapping[str, Any], field: str) -> Decimal | None:
    """A number, or a text that is one."""
    value = body.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", value.strip()):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(field, "This value should be of type number.")
    if not -_MOST_MONEY <= value <= _MOST_MONEY:
        raise _wrong(field, f"This value should be at most {_MOST_MONEY}.")
    return Decimal(value)


def _instant(field: str, query: Mapping[str, str]) -> int | None:
    """A moment in a query, ISO 8601; one without a zone is UTC."""
    text = query.get(field, "").strip()
    return _milliseconds(field, _PLUS_LOST.sub(r"\1+\2", text), UTC) if text else None


def _milliseconds(field: str, text: str, zone: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.year not in _YEARS:
            raise ValueError(f"the year {moment.year}")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
    except ValueError as problem:
        raise _wrong(field, "This value is not a valid date and time, like 2025-02-15 14:30:00.") from problem


def _count(field: str, query: Mapping[str, str], *, at_least: int) -> int | None:
    text = query.get(field, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < at_least:
        raise _wrong(field, f"This value should be a whole number, at least {at_least}.")
    return int(text)


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, field=field, code="VALIDATION_FAILED")
