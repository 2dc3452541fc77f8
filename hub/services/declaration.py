"""What a declaration file says about venues, links, menus and keys, once every part of it was checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub.contract.redact import Redactor
from hub.contract.registry import Registry
from hub.errors import ConfigurationError
from hub.model.guest_rules import GuestRules
from hub.model.ids import derived_id
from hub.model.menu import Menu
from hub.model.table import Table, declared_table_id, table_key
from hub.model.venue import WEEKDAYS, Link, LinkTuning, OpeningHours, Policies, Venue
from hub.services.connections import resolve_config
from hub.services.declaration_entries import (
    ChannelEntry,
    FileEntry,
    GuestsEntry,
    HoursEntry,
    KeyEntry,
    LinkEntry,
    MenuEntry,
    PoliciesEntry,
    VenueEntry,
    model_of,
    read_entry,
)
from hub.services.declaration_lines import Place
from hub.services.declaration_menu import MenuBuilder, as_stored, check_percent, check_unique, checked_tax
from hub.services.keys import SCOPES, OwnLimits

_REFERENCE = "env:"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ORDER_PREFIX = re.compile(r"[A-Z0-9]{1,8}")
_KEY = re.compile(r"sk_[!-~]{24,200}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
# ISO 4217, the currencies in use in 2026 (without funds, metals and testing codes).
_CURRENCIES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""


@dataclass(frozen=True)
class DeclaredVenue:
    """A venue with its links and menu, where the file has them; `place` is where it stands in the file."""

    place: Place
    venue: Venue
    link: Link | None
    channels: tuple[Link, ...]
    tables: tuple[Table, ...]
    menu: Menu | None

    @property
    def links(self) -> tuple[Link, ...]:
        """The link to the POS, if there is one, and those to channels."""
        return (*(() if self.link is None else (self.link,)), *self.channels)


@dataclass(frozen=True)
class DeclaredKey:
    """An API key; `secret` is the whole key when the operator gives it."""

    place: Place
    name: str
    scopes: tuple[str, ...]
    venue_slug: str | None
    secret: str | None = field(repr=False)
    limits: OwnLimits


@dataclass(frozen=True)
class Declaration:
    """A checked declaration file."""

    venues: tuple[DeclaredVenue, ...]
    keys: tuple[DeclaredKey, ...]


def read_declaration(path: Path, *, registry: Registry, secrets: Mapping[str, str]) -> Declaration:
    """Reads and checks a file; `secrets` are what `env:NAME` refers to.

    Raises `ConfigurationError`: one line per problem, each with the file, the line and the field, and no secret.
    """
    entry, source = read_entry(path, FileEntry)
    checker = _Checker(path.parent, registry, secrets)
    declaration = checker.declaration(entry, Place(source))
    if checker.problems:
        raise ConfigurationError("\n".join(checker.problems))
    return declaration


class _Checker:
    """Checks what the shape alone does not say; what is wrong is added to `problems`."""

    def __init__(self, folder: Path, registry: Registry, secrets: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._folder = folder
        self._registry = registry
        self._secrets = secrets

    def declaration(self, entry: FileEntry, place: Place) -> Declaration:
        check_unique((venue.slug for venue in entry.venues), place.at("venues"), "slug", self.problems)
        check_unique((venue.order_prefix for venue in entry.venues), place.at("venues"), "order_prefix", self.problems)
        check_unique((key.name for key in entry.keys), place.at("keys"), "name", self.problems)
        return Declaration(
            venues=tuple(self._venue(venue, place.at("venues", index)) for index, venue in enumerate(entry.venues)),
            keys=tuple(self._key(key, place.at("keys", index)) for index, key in enumerate(entry.keys)),
        )

    def _venue(self, entry: VenueEntry, place: Place) -> DeclaredVenue:
        if not _SLUG.fullmatch(entry.slug):
            self._add(place.at("slug"), f"{entry.slug!r} may only have small letters, digits and dashes (64 at most)")
        if not _ORDER_PREFIX.fullmatch(entry.order_prefix):
            self._add(place.at("order_prefix"), f"{entry.order_prefix!r} is not one to eight capital letters or digits")
        if entry.currency not in _CURRENCIES.split():
            self._add(place.at("currency"), f"{entry.currency!r} is not a currency code of ISO 4217, like EUR")
        if not _is_time_zone(entry.timezone):
            self._add(place.at("timezone"), f"{entry.timezone!r} is not a time zone, like Europe/Berlin")
        venue = Venue(
            id=derived_id("loc", entry.slug),
            slug=entry.slug,
            name=entry.name,
            currency=entry.currency,
            timezone=entry.timezone,
            order_prefix=entry.order_prefix,
            address=entry.address,
            phone=entry.phone,
            cuisines=entry.cuisines,
            order_types=entry.order_types,
            hours=tuple(self._hours(hours, place.at("hours", index)) for index, hours in enumerate(entry.hours)),
            policies=self._policies(entry.policies, place.at("policies")),
            seating=entry.seating,
            guests=self._guests(entry.guests, place.at("guests")),
        )
        link = None if entry.link is None else self._link(entry.link, venue, place.at("link"))
        names = [channel.name or channel.connector for channel in entry.channels]
        check_unique(names, place.at("channels"), "name", self.problems)
        self._check_seating(entry, names, place.at("seating"))
        channels = tuple(
            self._channel(channel, venue, place.at("channels", index)) for index, channel in enumerate(entry.channels)
        )
        tables = self._tables(entry, venue.id, place.at("tables"))
        menu = self._menu(entry, place)
        return DeclaredVenue(place=place, venue=venue, link=link, channels=channels, tables=tables, menu=menu)

    def _check_seating(self, entry: VenueEntry, channels: Sequence[str], place: Place) -> None:
        owners = ["hub", *(["pos"] if entry.link is not None else []), *channels]
        if entry.seating and entry.seating not in owners:
            self._add(place, f"{entry.seating!r} is none of {', '.join(owners)}")
        if entry.seating == "pos" and entry.link is not None and entry.link.pos_orders == "ignore":
            self._add(place, 'the POS cannot say where guests sit while pos_orders is "ignore"')
        for taken in set(channels) & {"hub", "pos"}:
            self._add(place, f"a channel named {taken!r} could not be told from the {taken}: name it otherwise")

    def _tables(self, entry: VenueEntry, venue_id: str, place: Place) -> tuple[Table, ...]:
        check_unique((table_key(table.name) for table in entry.tables), place, "name", self.problems)
        for index, table in enumerate(entry.tables):
            if not table.name.strip() or not table.name.isprintable():
                self._add(place.at(index, "name"), "a table's name has visible characters")
        return tuple(
            Table(id=declared_table_id(venue_id, table.name), name=table.name, seats=table.seats, area=table.area)
            for table in entry.tables
        )

    def _hours(self, entry: HoursEntry, place: Place) -> OpeningHours:
        if entry.day not in WEEKDAYS:
            self._add(place.at("day"), f"{entry.day!r} is none of {', '.join(WEEKDAYS)}")
        for name, time in (("opens", entry.opens), ("closes", entry.closes)):
            if not _TIME.fullmatch(time):
                self._add(place.at(name), f'{time!r} is not a time from "00:00" to "23:59" (midnight is "00:00")')
        return model_of(entry, OpeningHours)

    def _policies(self, entry: PoliciesEntry, place: Place) -> Policies:
        check_percent(entry.service_charge_percent, place.at("service_charge_percent"), self.problems)
        checked_tax(entry.tax, place.at("tax"), self.problems)
        return model_of(entry, Policies)

    def _guests(self, entry: GuestsEntry, place: Place) -> GuestRules:
        if entry.lapsed_days <= entry.regular_days:
            self._add(place.at("lapsed_days"), "must be more than regular_days")
        return model_of(entry, GuestRules)

    def _menu(self, entry: VenueEntry, place: Place) -> Menu | None:
        menu, place_of_menu = entry.menu, place.at("menu")
        if entry.menu_file is not None:
            if menu is not None:
                self._add(place.at("menu_file"), "a venue has either a menu or a menu_file, not both")
            try:
                menu, source = read_entry(self._folder / entry.menu_file, MenuEntry)
            except ConfigurationError as problem:
                self.problems.append(problem.message)
                return None
            place_of_menu = Place(source)
        return (
            None if menu is None else MenuBuilder(entry.slug, entry.currency, self.problems).menu(menu, place_of_menu)
        )

    def _link(self, entry: LinkEntry, venue: Venue, place: Place) -> Link:
        encoder = msgspec.json.Encoder(decimal_format="number")
        link = Link(
            id=derived_id("link", venue.slug),
            venue_id=venue.id,
            connector=entry.connector,
            name=entry.name,
            config=as_stored(entry.config, encoder, place.at("config"), self.problems),
            tuning=model_of(entry.tuning, LinkTuning),
            kitchen=entry.kitchen,
            pos_orders=entry.pos_orders,
        )
        self._check_connector(link, place)
        return link

    def _channel(self, entry: ChannelEntry, venue: Venue, place: Place) -> Link:
        encoder = msgspec.json.Encoder(decimal_format="number")
        link = Link(
            id=derived_id("link", venue.slug, entry.name or entry.connector),
            venue_id=venue.id,
            connector=entry.connector,
            role="channel",
            name=entry.name,
            config=as_stored(entry.config, encoder, place.at("config"), self.problems),
            tuning=model_of(entry.tuning, LinkTuning),
            walk_ins=entry.walk_ins,
        )
        self._check_connector(link, place)
        return link

    def _check_connector(self, link: Link, place: Place) -> None:
        try:
            registration = self._registry.get(link.connector)
        except ConfigurationError as problem:
            self._add(place.at("connector"), problem.message)
            return
        if registration.manifest.role != link.role:
            words = "a channel: declare it under channels" if link.role == "pos" else "a POS: declare it as the link"
            self._add(place.at("connector"), f"{registration.manifest.name} is {words}")
            return
        literal = [
            name
            for name in sorted(registration.secret_config_fields() & link.config.keys())
            if not str(link.config[name]).startswith(_REFERENCE)
        ]
        for name in literal:
            self._add(
                place.at("config", name),
                f'a secret must not stand in this file; write "{_REFERENCE}NAME" and set NAME in the environment',
            )
        if literal:
            return
        try:
            resolve_config(link, registration, self._secrets)
        except ConfigurationError as problem:
            self._add(*self._reason(problem, link, place.at("config")))

    def _reason(self, problem: ConfigurationError, link: Link, place: Place) -> tuple[Place, str]:
        """The field of a link's settings that is wrong, and why, without the values of secrets."""
        path = [int(part) if part.isdecimal() else part for part in (problem.field or "").split(".") if part]
        reason = problem.message.removeprefix(f"link {link.name or link.id}: ")
        reason = reason.removeprefix(f"{problem.field}: ").removeprefix("the document: ")
        # A complaint about the settings as a whole may quote all of them.
        values = [value for value in link.config.values() if isinstance(value, str) and value.startswith(_REFERENCE)]
        known = [self._secrets.get(value.removeprefix(_REFERENCE), "") for value in values]
        return place.at(*path), Redactor(values=known).text(reason)

    def _key(self, entry: KeyEntry, place: Place) -> DeclaredKey:
        for index, scope in enumerate(entry.scopes):
            if scope not in SCOPES:
                self._add(place.at("scopes", index), f"{scope!r} is none of {', '.join(SCOPES)}")
        return DeclaredKey(
            place=place,
            name=entry.name,
            scopes=entry.scopes,
            venue_slug=entry.venue,
            secret=None if entry.secret is None else self._secret(entry.secret, place.at("secret")),
            limits=OwnLimits(entry.requests_per_minute, entry.requests_per_day),
        )

    def _secret(self, reference: str, place: Place) -> str:
        name = reference.removeprefix(_REFERENCE)
        secret = self._secrets.get(name, "")
        if not reference.startswith(_REFERENCE):
            self._add(place, f'a key must not stand in this file; write "{_REFERENCE}NAME" and set NAME')
        elif not secret:
            self._add(place, f"the environment has no {name}, nor has `openpos-hub secrets`")
        elif not _KEY.fullmatch(secret):
            self._add(place, f"{name} is not a key: sk_ and at least 24 letters, digits or signs, without spaces")
        return secret

    def _add(self, place: Place, message: str) -> None:
        self.problems.append(f"{place}: {message}")


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones, like "Asia"
        return False
    return True
