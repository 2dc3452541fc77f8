"""The typed form of the file that `openpos-hub apply` reads; a field that is not here is refused."""

import re
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from hub.errors import ConfigurationError
from hub.model.guest_rules import GuestRules
from hub.model.menu import Tax
from hub.model.status import OrderType
from hub.model.venue import LinkTuning, OpeningHours, Policies, RateLimit
from hub.services.declaration_lines import FieldPath, Place, Source
from hub.services.keys import DEFAULT_SCOPES, HIGHEST_LIMIT

_T = TypeVar("_T")

Text = Annotated[str, Meta(min_length=1)]
_NotNegative = Annotated[int, Meta(ge=0, le=1_000_000_000)]
_Positive = Annotated[int, Meta(ge=1, le=1_000_000)]
_Days = Annotated[int, Meta(ge=1, le=365)]
_Limit = Annotated[int, Meta(ge=1, le=HIGHEST_LIMIT)]
_Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class TaxEntry(Tax, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tax = { name = "VAT", rate = "18", inclusive = true }`."""


class OptionEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.menu.modifier_groups.options]]`. Prices are in major units."""

    key: Text
    name: Text
    price: Decimal = Decimal(0)
    max_quantity: _NotNegative = 1
    available: bool = True
    vendor: dict[str, Any] = {}


class GroupEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.menu.modifier_groups]]`."""

    key: Text
    name: Text
    min_select: _NotNegative = 0
    max_select: _NotNegative = 0
    options: tuple[OptionEntry, ...] = ()


class ItemEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.menu.items]]`."""

    key: Text
    name: Text
    category: Text
    price: Decimal
    description: str = ""
    image_url: str = ""
    modifier_groups: tuple[str, ...] = ()
    tax: TaxEntry | None = None
    dietary: tuple[Text, ...] = ()
    allergens: tuple[Text, ...] = ()
    available: bool = True
    discountable: bool = True
    vendor: dict[str, Any] = {}


class CategoryEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.menu.categories]]`."""

    key: Text
    name: Text


class MenuEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[venues.menu]`, or the whole of a menu file."""

    categories: tuple[CategoryEntry, ...] = ()
    modifier_groups: tuple[GroupEntry, ...] = ()
    items: tuple[ItemEntry, ...] = ()


class HoursEntry(OpeningHours, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.hours]]`."""


class PoliciesEntry(Policies, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[venues.policies]`."""

    anonymous_max_cents: _NotNegative | None = None
    tax: TaxEntry | None = None
    preparation_minutes: _NotNegative = 20
    delivery_deadline_minutes: _Positive = 10


class GuestsEntry(GuestRules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[venues.guests]`."""

    new_days: _Days = 30
    regular_orders: _Positive = 3
    regular_days: _Days = 21
    lapsed_days: _Days = 35
    big_spender_checks: _Positive = 5
    big_spender_cents: _Positive | None = None
    reservation_minutes: Annotated[int, Meta(ge=15, le=24 * 60)] = 120


class LimitEntry(RateLimit, frozen=True, forbid_unknown_fields=True):
    """One of `rate_limits` under `[venues.link.tuning]`."""

    requests: _Positive
    seconds: _Positive


class TuningEntry(LinkTuning, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[venues.link.tuning]`."""

    rate_limits: tuple[LimitEntry, ...] | None = None
    max_in_flight: _Positive | None = None
    connect_timeout_seconds: _Seconds | None = None
    total_timeout_seconds: _Seconds | None = None
    poll_seconds: _Positive | None = None
    settle_seconds: Annotated[float, Meta(ge=0, le=86_400)] | None = None


class LinkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[venues.link]`; `config` is checked against the connector's schema."""

    connector: Text
    name: str = ""
    config: dict[str, Any] = {}
    kitchen: Literal["pos", "hub"] = "pos"
    pos_orders: Literal["pick_up", "ignore"] = "pick_up"
    tuning: TuningEntry = TuningEntry()


class ChannelEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.channels]]`; `config` is checked against the connector's schema."""

    connector: Text
    name: str = ""
    config: dict[str, Any] = {}
    walk_ins: Literal["tell", "keep"] = "tell"
    tuning: TuningEntry = TuningEntry()


class TableEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues.tables]]`."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    seats: Annotated[int, Meta(ge=1, le=1000)] | None = None
    area: Annotated[str, Meta(max_length=100)] = ""


class VenueEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[venues]]`."""

    slug: str
    name: Text
    order_prefix: str
    currency: str
    timezone: str
    address: str = ""
    phone: str = ""
    cuisines: tuple[Text, ...] = ()
    order_types: Annotated[tuple[OrderType, ...], Meta(min_length=1)] = tuple(OrderType)
    hours: tuple[HoursEntry, ...] = ()
    policies: PoliciesEntry = PoliciesEntry()
    guests: GuestsEntry = GuestsEntry()
    link: LinkEntry | None = None
    channels: tuple[ChannelEntry, ...] = ()
    seating: str = ""
    tables: tuple[TableEntry, ...] = ()
    menu: MenuEntry | None = None
    menu_file: Text | None = None


class KeyEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[keys]]`."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[tuple[str, ...], Meta(min_length=1)] = DEFAULT_SCOPES
    venue: str | None = None
    secret: str | None = None
    requests_per_minute: _Limit | None = None
    requests_per_day: _Limit | None = None


class FileEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    venues: tuple[VenueEntry, ...] = ()
    keys: tuple[KeyEntry, ...] = ()


def read_entry(path: Path, kind: type[_T]) -> tuple[_T, Source]:
    """Reads a TOML file as `kind`. Raises `ConfigurationError` naming the file, the line and the field."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"{path}: the file cannot be read: {reason}") from problem
    source = Source(str(path), text)
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigurationError(_syntax(path, text, str(problem))) from problem
    try:
        return msgspec.convert(document, kind), source
    except msgspec.ValidationError as problem:
        raise ConfigurationError(_shape(source, str(problem))) from problem


def model_of(entry: Struct, kind: type[_T]) -> _T:
    """An entry as the model's class of the same fields."""
    return msgspec.convert(msgspec.to_builtins(entry), kind)


def _syntax(path: Path, text: str, message: str) -> str:
    reason, _, where = message.rpartition(" (at ")
    line = re.match(r"line (\d+)", where)
    number = int(line[1]) if line else len(text.splitlines()) or 1
    return f"{path}:{number}: not valid TOML: {reason[:1].lower()}{reason[1:]}"


_KINDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
    "datetime": "a date",
    "date": "a date",
    "time": "a time",
}
_CHOICES: dict[str, Sequence[str]] = {
    "order_types": tuple(OrderType),
    "service_charge_order_types": tuple(OrderType),
    "scope": ("link", "vendor"),
    "kitchen": ("pos", "hub"),
    "pos_orders": ("pick_up", "ignore"),
    "walk_ins": ("tell", "keep"),
}


def _shape(source: Source, message: str) -> str:
    """What msgspec says about a document, in words for whoever wrote the file."""
    reason, _, where = message.partition(" - at `$")
    path = _path(where.removesuffix("`"))
    quoted = re.search(r"`(.*?)`", reason)
    if reason.startswith("Object contains unknown field") and quoted:
        what = "there is no such field" if path else "there is no such section (there are venues and keys)"
        return f"{Place(source, (*path, quoted[1]))}: {what}"
    if reason.startswith("Object missing required field") and quoted:
        return f"{Place(source, (*path, quoted[1]))}: is missing"
    if reason.startswith("Invalid enum value"):
        named = next((part for part in reversed(path) if isinstance(part, str)), "")
        choices = ", ".join(_CHOICES.get(named, ()))
        return f"{Place(source, path)}: {reason.removeprefix('Invalid enum value ')} is none of {choices}"
    words = re.sub(r"`(.*?)`", lambda kinds: _words(kinds[1]), reason.replace("Invalid decimal string", "not a number"))
    return f"{Place(source, path)}: {words[:1].lower()}{words[1:]}"


def _words(kinds: str) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null")


def _path(text: str) -> FieldPath:
    """`.venues[1].currency` as a path."""
    return tuple(name or int(index) for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", text))
