"""What a venue's own orders say: figures of two periods, what changed, and how sure that is. Pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.model.turns import Sureness
from hub.model.venue import WEEKDAYS

_MOST_SHOWN = 5
HIGH, MEDIUM, LOW = 200, 50, 10
RULE = f"by the smaller number of cases in the two periods: {HIGH} high, {MEDIUM} medium, {LOW} low, fewer none"


class ItemFacts(Struct, frozen=True):
    """One line of an order."""

    name: str
    quantity: int
    cents: int


class OrderFacts(Struct, frozen=True, kw_only=True):
    """What insights look at of one order: no guest is in it."""

    at_ms: int
    counts: bool
    spend_cents: int
    items: tuple[ItemFacts, ...]
    end: str = ""
    """cancelled, rejected or expired; empty for others."""
    reason: str = ""
    pos_difference_cents: int | None = None
    """The POS's total less ours; None where the POS named none."""
    failures: tuple[str, ...] = ()
    """Causes of deliveries that needed more than one attempt, or a person."""
    was_sent: bool = False
    late_minutes: float | None = None
    """How long after it was due the kitchen was ready; below zero before; None where nobody said."""


class Figures(Struct, frozen=True, kw_only=True):
    """One period in figures."""

    orders: int
    sales_cents: int
    items: Mapping[str, tuple[int, int]]
    """Quantity and money by name."""
    hours: Mapping[str, int]
    """Orders by weekday and hour, e.g. `fri 19`."""
    ends: Mapping[str, int]
    reasons: Mapping[str, int]
    sent: int
    failed: int
    failures: Mapping[str, int]
    timed: int
    late: int
    median_late_minutes: int | None
    compared: int
    drifted: int
    drift_cents: int
    placed: int
    paid: int


class Insight(Struct, frozen=True, kw_only=True):
    """One statement with what it rests on. `sureness` NONE: not enough data, and `summary` says so."""

    key: str
    title: str
    summary: str
    figures: Mapping[str, Any]
    before: Mapping[str, Any]
    sample: int
    sureness: Sureness


def figures_of(orders: Iterable[OrderFacts], timezone: str) -> Figures:
    """Adds a period's orders up."""
    zone = ZoneInfo(timezone)
    quantities, money, hours = Counter[str](), Counter[str](), Counter[str]()
    ends, reasons, failures = Counter[str](), Counter[str](), Counter[str]()
    counted = sales = paid = sent = failed = timed = compared = drifted = drift = placed = 0
    late: list[float] = []
    for order in orders:
        placed += 1
        counted += order.counts
        sales += order.spend_cents
        paid += order.spend_cents > 0
        if order.counts:
            local = datetime.fromtimestamp(order.at_ms / 1000, UTC).astimezone(zone)
            hours[f"{WEEKDAYS[local.weekday()]} {local.hour:02d}"] += 1
            for item in order.items:
                quantities[item.name] += item.quantity
                money[item.name] += item.cents
        if order.end:
            ends[order.end] += 1
            reasons[order.reason or "no reason given"] += 1
        sent += order.was_sent
        failed += bool(order.failures)
        failures.update(set(order.failures))
        if order.late_minutes is not None:
            timed += 1
            late += [order.late_minutes] if order.late_minutes > 0 else []
        if order.pos_difference_cents is not None:
            compared += 1
            drifted += order.pos_difference_cents != 0
            drift += order.pos_difference_cents
    return Figures(
        orders=counted,
        sales_cents=sales,
        items={name: (quantity, money[name]) for name, quantity in quantities.items()},
        hours=hours,
        ends=ends,
        reasons=reasons,
        sent=sent,
        failed=failed,
        failures=failures,
        timed=timed,
        late=len(late),
        median_late_minutes=round(median(late)) if late else None,
        compared=compared,
        drifted=drifted,
        drift_cents=drift,
        placed=placed,
        paid=paid,
    )


def insights_of(now: Figures, before: Figures, menu: Sequence[str]) -> list[Insight]:
    """What the figures say. Amounts are minor units; `menu` are the names of all items that are offered."""
    return [
        _sales(now, before),
        _average_check(now, before),
        _top_items(now, before),
        _slow_items(now, before, menu),
        _busiest(now, before),
        _cancellations(now, before),
        _pos_failures(now, before),
        _late_kitchen(now, before),
        _drift(now, before),
    ]


def sureness_of(sample: int) -> Sureness:
    """By the number of cases, see `RULE`."""
    for level, fewest in ((Sureness.HIGH, HIGH), (Sureness.MEDIUM, MEDIUM), (Sureness.LOW, LOW)):
        if sample >= fewest:
            return level
    return Sureness.NONE


def _insight(
    key: str, title: str, summary: str, figures: Mapping[str, Any], before: Mapping[str, Any], samples: tuple[int, int]
) -> Insight:
    sample = min(samples)
    sureness = sureness_of(sample)
    if sureness is Sureness.NONE:
        summary = f"Not enough data: {samples[0]} cases now and {samples[1]} before, {LOW} of each needed."
    return Insight(
        key=key, title=title, summary=summary, figures=figures, before=before, sample=sample, sureness=sureness
    )


def _change(now: float, before: float, what: str) -> str:
    if not before:
        return f"{what}: none before, so there is nothing to compare with."
    percent = round((now - before) / before * 100)
    if not percent:
        return f"{what} stayed the same."
    return f"{what} {'rose' if percent > 0 else 'fell'} by {abs(percent)} %."


def _share(part: int, whole: int) -> int:
    return round(part / whole * 100) if whole else 0


def _sales(now: Figures, before: Figures) -> Insight:
    def figures(of: Figures) -> dict[str, Any]:
        return {"salesCents": of.sales_cents, "orders": of.orders, "paidOrders": of.paid}

    words = _change(now.sales_cents, before.sales_cents, "Sales")
    return _insight("sales", "Sales", words, figures(now), figures(before), (now.paid, before.paid))


def _average_check(now: Figures, before: Figures) -> Insight:
    def cents(of: Figures) -> int:
        return of.sales_cents // of.paid if of.paid else 0

    words = _change(cents(now), cents(before), "The average check")
    return _insight(
        "average_check",
        "Average check",
        words,
        {"averageCheckCents": cents(now), "paidOrders": now.paid},
        {"averageCheckCents": cents(before), "paidOrders": before.paid},
        (now.paid, before.paid),
    )


def _item_rows(of: Figures, names: Sequence[str]) -> list[dict[str, Any]]:
    rows = ((name, of.items.get(name, (0, 0))) for name in names)
    return [{"name": name, "quantity": quantity, "salesCents": cents} for name, (quantity, cents) in rows]


def _top_items(now: Figures, before: Figures) -> Insight:
    best = sorted(now.items, key=lambda name: (-now.items[name][0], name))[:_MOST_SHOWN]
    words = f"Sold most often: {', '.join(best)}."
    samples = (now.orders, now.orders)  # what sold best needs no period before it
    return _insight(
        "top_items", "Top items", words, {"items": _item_rows(now, best)}, {"items": _item_rows(before, best)}, samples
    )


def _slow_items(now: Figures, before: Figures, menu: Sequence[str]) -> Insight:
    offered = sorted(set(menu), key=lambda name: (now.items.get(name, (0, 0))[0], name))[:_MOST_SHOWN]
    words = f"Sold least often of all that is offered: {', '.join(offered) or 'nothing is offered'}."
    return _insight(
        "slow_items",
        "Slow items",
        words,
        {"items": _item_rows(now, offered)},
        {"items": _item_rows(before, offered)},
        (now.orders, now.orders),
    )


def _busiest(now: Figures, before: Figures) -> Insight:
    best = sorted(now.hours, key=lambda hour: (-now.hours[hour], hour))[:_MOST_SHOWN]
    names = ", ".join(f"{hour}:00" for hour in best)

    def figures(of: Figures) -> dict[str, Any]:
        return {"hours": [{"hour": hour, "orders": of.hours.get(hour, 0)} for hour in best]}

    words = f"Busiest: {names}."
    return _insight("busiest_hours", "Busiest hours", words, figures(now), figures(before), (now.orders, now.orders))


def _most(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    found = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_SHOWN]
    return [{"cause": name, "orders": number} for name, number in found]


def _cancellations(now: Figures, before: Figures) -> Insight:
    def figures(of: Figures) -> dict[str, Any]:
        ended = sum(of.ends.values())
        by_end = {f"{end}Orders": of.ends.get(end, 0) for end in ("cancelled", "rejected", "expired")}
        return {"orders": of.placed, **by_end, "sharePercent": _share(ended, of.placed), "causes": _most(of.reasons)}

    here, there = figures(now), figures(before)
    words = f"{here['sharePercent']} % of orders came to nothing, {there['sharePercent']} % before."
    return _insight("cancellations", "Cancelled orders", words, here, there, (now.placed, before.placed))


def _pos_failures(now: Figures, before: Figures) -> Insight:
    def figures(of: Figures) -> dict[str, Any]:
        share = _share(of.failed, of.sent)
        return {"sentOrders": of.sent, "failedOrders": of.failed, "sharePercent": share, "causes": _most(of.failures)}

    here, there = figures(now), figures(before)
    words = (
        f"{here['sharePercent']} % of the orders sent to the POS needed another attempt or a person, "
        f"{there['sharePercent']} % before."
    )
    return _insight("pos_failures", "Trouble with the POS", words, here, there, (now.sent, before.sent))


def _late_kitchen(now: Figures, before: Figures) -> Insight:
    def figures(of: Figures) -> dict[str, Any]:
        late = {"lateOrders": of.late, "sharePercent": _share(of.late, of.timed)}
        return {"timedOrders": of.timed, **late, "medianLateMinutes": of.median_late_minutes}

    here, there = figures(now), figures(before)
    words = f"{here['sharePercent']} % of orders were ready after they were due, {there['sharePercent']} % before."
    return _insight("late_kitchen", "Late kitchen", words, here, there, (now.timed, before.timed))


def _drift(now: Figures, before: Figures) -> Insight:
    def figures(of: Figures) -> dict[str, Any]:
        share = _share(of.drifted, of.compared)
        differs = {"differentOrders": of.drifted, "sharePercent": share, "differenceCents": of.drift_cents}
        return {"comparedOrders": of.compared, **differs}

    here, there = figures(now), figures(before)
    shares = f"{here['sharePercent']} % of orders, {there['sharePercent']} % before"
    words = f"The POS's total differed from the hub's in {shares}."
    return _insight("drift", "Differing totals", words, here, there, (now.compared, before.compared))
