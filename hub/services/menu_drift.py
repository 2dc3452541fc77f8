"""Compares a store's menu with its POS's menu: pure functions, for the drift report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from hub.model.menu import Item, Menu, ModifierGroup, ModifierOption
from hub.model.money import Money, display
from hub.services.directory import Catalog


class Severity(StrEnum):
    """ERROR: orders will fail. WARNING: they will not be what somebody expects."""

    ERROR = "error"
    WARNING = "warning"


class DriftRow(Struct, frozen=True, kw_only=True):
    """One difference: what it is about, what differs, what will happen and what to do."""

    severity: Severity
    kind: str
    subject: str
    found: str
    effect: str
    action: str
    item_id: str = ""


_SYNC = "read the POS's menu anew with `openpos-hub link sync`, or correct the menu file and `openpos-hub apply` it"
_AT_POS = "correct it at the POS, or correct the hub's menu"


def compare_menus(catalog: Catalog, theirs: Menu, currency: str) -> Iterator[DriftRow]:
    """Every difference between the hub's menu and the POS's, item by item, those of the hub's menu first."""
    by_id = {item.id: item for item in theirs.items}
    by_vendor_id = {_vendor_id(item): item for item in theirs.items if _vendor_id(item)}
    met: set[str] = set()
    for item in catalog.menu.items:
        if item.retired:
            continue
        at_pos = by_id.get(item.id) or by_vendor_id.get(_vendor_id(item))
        if at_pos is None:
            yield _missing(item)
            continue
        met.add(at_pos.id)
        yield from _Pair(item, at_pos, catalog.is_available(item), currency).rows()
    for item in theirs.items:
        if item.id not in met and not item.retired:
            yield DriftRow(
                severity=Severity.WARNING,
                kind="ITEM_NOT_HERE",
                subject=item.name,
                found="the POS sells it and the hub does not know it",
                effect="nobody can order it here; on a bill from the POS it has no price of the hub's",
                action=_SYNC,
                item_id=item.id,
            )


def compare_ids(catalog: Catalog, known: Sequence[str] | None) -> Iterator[DriftRow]:
    """Items that a POS without a menu cannot take: without its id, or with one that it does not know."""
    ids = None if known is None else set(known)
    for item in catalog.menu.items:
        if item.retired:
            continue
        own = {_vendor_id(item)} if "id" in item.vendor else {str(value) for value in item.vendor.values()}
        if not own:
            yield _missing(item, "the hub does not know the POS's id of it")
        elif ids is not None and not ids & own:
            yield _missing(item)


def _vendor_id(item: Item) -> str:
    return str(item.vendor.get("id", ""))


def _missing(item: Item, found: str = "the POS does not know it") -> DriftRow:
    return DriftRow(
        severity=Severity.ERROR,
        kind="ITEM_NOT_AT_POS",
        subject=item.name,
        found=found,
        effect="an order with it will be refused on its way into the POS",
        action=_SYNC,
        item_id=item.id,
    )


class _Pair:
    """One item here and at the POS."""

    def __init__(self, ours: Item, theirs: Item, available: bool, currency: str) -> None:
        self._ours = ours
        self._theirs = theirs
        self._available = available
        self._currency = currency

    def rows(self) -> Iterator[DriftRow]:
        """What differs."""
        ours, theirs = self._ours, self._theirs
        if ours.name != theirs.name:
            yield self._name(ours.name, ours.name, theirs.name)
        if ours.price_cents != theirs.price_cents:
            yield self._price(ours.name, ours.price_cents, theirs.price_cents)
        if self._available and not theirs.available:
            yield self._row(
                Severity.WARNING,
                "SOLD_OUT_AT_POS",
                ours.name,
                "sold out at the POS, on sale here",
                "guests can order it here; the POS may refuse the order or the kitchen has none",
                "mark it as sold out here too, or read the menu anew",
            )
        if not self._available and theirs.available:
            yield self._row(
                Severity.WARNING,
                "SOLD_OUT_HERE",
                ours.name,
                "sold out here, on sale at the POS",
                "guests cannot order it here, the staff still can",
                "mark it as available here, or as sold out at the POS",
            )
        yield from self._groups()

    def _groups(self) -> Iterator[DriftRow]:
        theirs = {group.id: group for group in self._theirs.modifier_groups}
        by_name = {group.name.casefold(): group for group in self._theirs.modifier_groups}
        met: set[str] = set()
        for group in self._ours.modifier_groups:
            at_pos = theirs.get(group.id) or by_name.get(group.name.casefold())
            if at_pos is None:
                yield self._gone(f"{self._ours.name}: {group.name}", "the POS has no such modifier group")
                continue
            met.add(at_pos.id)
            yield from self._limits(group, at_pos)
            yield from self._options(group, at_pos)
        for group in self._theirs.modifier_groups:
            if group.id not in met and group.min_select > 0:
                yield self._row(
                    Severity.ERROR,
                    "MODIFIER_REQUIRED_AT_POS",
                    f"{self._ours.name}: {group.name}",
                    f"the POS wants {group.min_select} of it and the hub does not know it",
                    "every order of this item may be refused by the POS",
                    _SYNC,
                )

    def _limits(self, ours: ModifierGroup, theirs: ModifierGroup) -> Iterator[DriftRow]:
        subject = f"{self._ours.name}: {ours.name}"
        if ours.min_select != theirs.min_select:
            stricter = theirs.min_select > ours.min_select
            yield self._row(
                Severity.ERROR if stricter else Severity.WARNING,
                "MODIFIER_MINIMUM_DIFFERS",
                subject,
                f"at least {ours.min_select} here, at least {theirs.min_select} at the POS",
                "orders that are right here will be refused by the POS"
                if stricter
                else "guests must choose more than the POS wants",
                _AT_POS,
            )
        if ours.max_select != theirs.max_select:
            stricter = theirs.max_select != 0 and (ours.max_select == 0 or theirs.max_select < ours.max_select)
            yield self._row(
                Severity.ERROR if stricter else Severity.WARNING,
                "MODIFIER_MAXIMUM_DIFFERS",
                subject,
                f"at most {ours.max_select or 'any'} here, at most {theirs.max_select or 'any'} at the POS",
                "orders that are right here will be refused by the POS"
                if stricter
                else "guests cannot choose as many as the POS allows",
                _AT_POS,
            )

    def _options(self, ours: ModifierGroup, theirs: ModifierGroup) -> Iterator[DriftRow]:
        find = _finder(theirs.options)
        for option in ours.options:
            subject = f"{self._ours.name}: {ours.name}: {option.name}"
            at_pos = find(option)
            if at_pos is None:
                yield self._gone(subject, "the POS has no such option")
                continue
            if option.price_cents != at_pos.price_cents:
                yield self._price(subject, option.price_cents, at_pos.price_cents)
            if option.name != at_pos.name:
                yield self._name(subject, option.name, at_pos.name)

    def _gone(self, subject: str, found: str) -> DriftRow:
        effect = "an order with it will be refused on its way into the POS"
        return self._row(Severity.ERROR, "MODIFIER_NOT_AT_POS", subject, found, effect, _SYNC)

    def _price(self, subject: str, ours_cents: int, theirs_cents: int) -> DriftRow:
        ours, theirs = (display(Money(cents, self._currency)) for cents in (ours_cents, theirs_cents))
        return self._row(
            Severity.WARNING,
            "PRICE_DIFFERS",
            subject,
            f"{ours} here, {theirs} at the POS",
            "the guest is told one price and the POS may charge the other",
            _AT_POS,
        )

    def _name(self, subject: str, ours: str, theirs: str) -> DriftRow:
        return self._row(
            Severity.WARNING,
            "NAME_DIFFERS",
            subject,
            f"{ours!r} here, {theirs!r} at the POS",
            "the guest reads one name and the kitchen the other",
            _AT_POS,
        )

    def _row(self, severity: Severity, kind: str, subject: str, found: str, effect: str, action: str) -> DriftRow:
        return DriftRow(
            severity=severity,
            kind=kind,
            subject=subject,
            found=found,
            effect=effect,
            action=action,
            item_id=self._ours.id,
        )


def _finder(options: Sequence[ModifierOption]) -> Callable[[ModifierOption], ModifierOption | None]:
    """Finds an option of the POS's by the hub's id, by the POS's own, or by its name."""
    by_id: Mapping[str, ModifierOption] = {option.id: option for option in options}
    by_vendor_id = {str(option.vendor["id"]): option for option in options if "id" in option.vendor}
    by_name = {option.name.casefold(): option for option in options}

    def find(ours: ModifierOption) -> ModifierOption | None:
        known = by_id.get(ours.id)
        if known is None and "id" in ours.vendor:
            return by_vendor_id.get(str(ours.vendor["id"]))
        return known or by_name.get(ours.name.casefold())

    return find
