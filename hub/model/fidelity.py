"""What became of every part of an order at one target: kept, flattened, rounded or lost."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.model.check import Check, Line, Modifier
from hub.model.money import Money, display
from hub.model.order import Loss, LossKind, Order
from hub.model.status import Status


class Fate(StrEnum):
    """What became of one part. PENDING while the target does not have the order."""

    KEPT = "kept"
    FLATTENED = "flattened"
    ROUNDED = "rounded"
    LOST = "lost"
    PENDING = "pending"


class Part(Struct, frozen=True, kw_only=True):
    """One part of an order. `path` is where it stands, in the words of `hub.model.order.Loss`."""

    path: str
    name: str
    value: str


class Assessed(Struct, frozen=True, kw_only=True):
    """One part with its fate; `why` holds a sentence for each thing that happened to it."""

    part: Part
    fate: Fate
    why: tuple[str, ...] = ()


_WORST = (LossKind.FLATTENED, LossKind.ROUNDED, LossKind.LOST)
_SEGMENT = re.compile(r"(?P<name>[^.\[\]]+)(?:\[(?P<index>\d+)\])?")
_Path = tuple[tuple[str, int | None], ...]


def assess(parts: Sequence[Part], losses: Sequence[Loss], *, arrived: bool) -> tuple[list[Assessed], list[Loss]]:
    """The fate of each part, and the losses that speak of none of them."""
    hits: dict[str, list[Loss]] = {}
    others = []
    for loss in losses:
        found = _hit(parts, _parse(loss.path))
        for part in found:
            hits.setdefault(part.path, []).append(loss)
        if not found:
            others.append(loss)
    return [_assessed(part, hits.get(part.path, ()), arrived=arrived) for part in parts], others


def _assessed(part: Part, losses: Sequence[Loss], *, arrived: bool) -> Assessed:
    if not losses:
        return Assessed(part=part, fate=Fate.KEPT if arrived else Fate.PENDING)
    worst = max(losses, key=lambda loss: _WORST.index(loss.kind)).kind
    return Assessed(part=part, fate=Fate(worst.value), why=tuple(dict.fromkeys(loss.loss for loss in losses)))


def _hit(parts: Sequence[Part], path: _Path) -> list[Part]:
    """The parts a loss speaks of: those at its path, else all below it, else the nearest above it."""
    parsed = [(part, _parse(part.path)) for part in parts]
    exact = [part for part, own in parsed if len(own) == len(path) and _starts(own, path)]
    if exact:
        return exact
    below = [part for part, own in parsed if len(own) > len(path) and _starts(own, path)]
    if below:
        return below
    above = [(len(own), part) for part, own in parsed if len(own) < len(path) and _starts(path, own)]
    longest = max((length for length, _ in above), default=0)
    return [part for length, part in above if length == longest]


def _starts(longer: _Path, shorter: _Path) -> bool:
    """Whether one path begins with the other; an index that is left out stands for all."""
    pairs = zip(longer, shorter, strict=False)
    return all(a[0] == b[0] and (a[1] is None or b[1] is None or a[1] == b[1]) for a, b in pairs)


def _parse(path: str) -> _Path:
    return tuple(
        (match["name"], None if match["index"] is None else int(match["index"])) for match in _SEGMENT.finditer(path)
    )


def parts_of(order: Order) -> list[Part]:
    """Every part that the order has, in the order a person reads it."""
    parts = [_part("order_type", "order type", order.order_type)]
    if len(order.checks) > 1:
        parts.append(_part("checks", "checks", f"{len(order.checks)} bills"))
    for index, check in enumerate(order.checks):
        if check.status is not Status.VOID:
            parts += _parts_of_check(check, f"checks[{index}]", order.currency)
    parts += _parts_of_guest(order)
    totals = order.totals
    for path, name, cents in (
        ("totals.tax_cents", "tax", totals.tax_cents),
        ("totals.tip_cents", "tip", totals.tip_cents),
    ):
        if cents:
            parts.append(_part(path, name, _money(cents, order.currency)))
    parts.append(_part("totals.total_cents", "total", _money(totals.total_cents, order.currency)))
    return parts


def _parts_of_check(check: Check, path: str, currency: str) -> Iterable[Part]:
    for index, line in enumerate(check.lines):
        yield from _parts_of_line(line, f"{path}.lines[{index}]", currency)
    for index, discount in enumerate(check.discounts):
        yield _part(f"{path}.discounts[{index}]", "discount", _money(discount.cents, currency))
    for index, charge in enumerate(check.charges):
        if charge.type == "share":
            continue  # between the order's own checks, not between anybody else
        yield _part(f"{path}.charges[{index}]", f"{charge.type} charge", _money(charge.cents, currency))
    for index, payment in enumerate(check.payments):
        own = f"{path}.payments[{index}]"
        yield _part(own, f"payment by {payment.method}", _money(payment.cents, currency))
        if payment.tip_cents:
            yield _part(f"{own}.tip_cents", "tip with it", _money(payment.tip_cents, currency))


def _parts_of_line(line: Line, path: str, currency: str) -> Iterable[Part]:
    yield _part(path, "item", line.name)
    yield _part(f"{path}.quantity", f"quantity of {line.name}", str(line.quantity))
    yield _part(f"{path}.unit_cents", f"price of {line.name}", _money(line.unit_cents, currency))
    yield from _parts_of_modifiers(line.modifiers, path, line.name, 1)
    if line.note:
        yield _part(f"{path}.note", f"note on {line.name}", line.note)


def _parts_of_modifiers(modifiers: tuple[Modifier, ...], path: str, owner: str, level: int) -> Iterable[Part]:
    for index, modifier in enumerate(modifiers):
        own = f"{path}.modifiers[{index}]"
        words = modifier.name if modifier.quantity == 1 else f"{modifier.quantity} x {modifier.name}"
        yield _part(own, f"modifier of {owner}, level {level}", words)
        yield from _parts_of_modifiers(modifier.modifiers, own, modifier.name, level + 1)


def _parts_of_guest(order: Order) -> Iterable[Part]:
    customer, delivery = order.customer, order.delivery
    told = (
        ("customer.name", "guest's name", customer.name if customer else ""),
        ("customer.phone", "guest's phone", customer.phone if customer else ""),
        ("customer.email", "guest's email", customer.email if customer else ""),
        ("delivery.address", "address", delivery.address if delivery else ""),
        ("delivery.instructions", "instructions", delivery.instructions if delivery else ""),
        ("tables", "table", ", ".join(order.tables)),
        ("party_size", "party size", str(order.party_size or "")),
        ("timing.promised_at_ms", "scheduled time", _moment(order)),
        ("note", "order note", order.note),
    )
    return (_part(path, name, value) for path, name, value in told if value)


def _moment(order: Order) -> str:
    at_ms = order.timing.promised_at_ms
    zone = ZoneInfo(order.timing.timezone)
    return "" if at_ms is None else datetime.fromtimestamp(at_ms // 1000, zone).isoformat(timespec="minutes")


def _part(path: str, name: str, value: str) -> Part:
    return Part(path=path, name=name, value=value)


def _money(cents: int, currency: str) -> str:
    return display(Money(cents, currency))
