"""The fidelity report: for one order and each of its targets, what arrived as it was and what did not."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from hub.contract.base import Capability
from hub.database.engine import Database
from hub.database.order_reads import load_events
from hub.model.fidelity import Assessed, Fate, assess, parts_of
from hub.model.money import Money, display
from hub.model.order import InjectionState, Loss, LossKind, Order, OrderRecord
from hub.model.status import Injection
from hub.services.connections import Connections
from hub.services.directory import Directory

_ARRIVED = (Injection.CONFIRMED, Injection.CONFIRMED_WITH_OPEN_ITEMS)
_NEEDS: Mapping[str, Capability] = {
    "lines_added": Capability.ADD_LINES,
    "discounted": Capability.APPLY_DISCOUNT,
    "refunded": Capability.REFUND_PAYMENT,
}
_PATHS: Mapping[str, str] = {"lines_added": "lines", "discounted": "checks.discounts", "refunded": "refunds"}


class TargetFidelity(Struct, frozen=True, kw_only=True):
    """What became of an order at one target. `others` are losses that speak of no part, e.g. of a kitchen ticket."""

    target: str
    link_id: str
    state: Injection
    parts: tuple[Assessed, ...]
    others: tuple[Loss, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many parts had which fate."""
        return {fate.value: sum(entry.fate is fate for entry in self.parts) for fate in Fate}


class FidelityReports:
    """Makes reports from what connectors said when they sent, and what the hub knows they cannot take."""

    def __init__(self, *, database: Database, directory: Directory, connections: Connections) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections

    async def load(self, record: OrderRecord) -> list[TargetFidelity]:
        """One report per target; none for an order that only the hub has."""
        order = record.order
        events = await self._database.read(lambda connection: load_events(connection, order.id))
        kinds = {event.kind for event in events}
        return [self._report(record, state, kinds) for state in record.injection]

    def _report(self, record: OrderRecord, state: InjectionState, kinds: Collection[str]) -> TargetFidelity:
        order, losses = record.order, list(state.losses)
        link = self._directory.link(state.link_id)
        arrived = state.state in _ARRIVED
        if link.role == "pos" and arrived:
            losses += _never_sent(order, state.target, self._connections.abilities(link.id), kinds)
            losses += _money_losses(order, state)
            losses += record.kept_here
        parts, others = assess(parts_of(order), losses, arrived=arrived)
        return TargetFidelity(
            target=state.target, link_id=state.link_id, state=state.state, parts=tuple(parts), others=tuple(others)
        )


def _never_sent(order: Order, target: str, abilities: frozenset[Capability], kinds: Collection[str]) -> Iterator[Loss]:
    """What happened to the order after it was sent, and cannot be told to this POS."""
    if Capability.RECORD_PAYMENT not in abilities and any(check.payments for check in order.checks):
        yield _lost(target, "checks.payments", "this POS takes no payments from others; the hub alone has it")
    for kind, ability in _NEEDS.items():
        if kind in kinds and ability not in abilities:
            words = kind.replace("_", " ")
            yield _lost(target, _PATHS[kind], f"{words} after the order was sent, which this POS does not take")


def _money_losses(order: Order, state: InjectionState) -> Iterator[Loss]:
    """The difference between the POS's total and ours, unless something is still on its way there."""
    told_cents = order.money_audit.pos_cents if order.money_audit.pos_cents is not None else state.pos_cents
    difference = 0 if told_cents is None else told_cents - order.totals.total_cents
    if not difference or state.open_items:
        return
    lines: Sequence[object] = [line for check in order.checks for line in check.lines]
    is_rounding = abs(difference) <= max(len(lines), 1)
    ours, theirs = (display(Money(cents, order.currency)) for cents in (order.totals.total_cents, told_cents or 0))
    yield Loss(
        target=state.target,
        path="totals.total_cents",
        loss=f"the POS's total is {theirs}, the hub's {ours}",
        kind=LossKind.ROUNDED if is_rounding else LossKind.LOST,
    )


def _lost(target: str, path: str, words: str) -> Loss:
    return Loss(target=target, path=path, loss=words, kind=LossKind.LOST)
