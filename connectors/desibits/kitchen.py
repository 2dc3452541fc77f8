"""Brings an order, or a further round of it, to the kitchen: exactly one ticket for everything, whoever prints it."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.desibits.client import DesibitsClient
from connectors.desibits.fields import as_id, decimal, rows, text
from connectors.desibits.lines import line_to_desibits, lost
from connectors.desibits.mark import item_note, round_mark
from connectors.desibits.orders import Orders
from connectors.desibits.read_order import is_cancelled, is_draft, order_id
from connectors.desibits.settings import CONNECTOR, DesibitsSettings
from connectors.desibits.tickets import holds_everything, menu_item_id, ticket_id, tickets_of
from connectors.desibits.translate import marked
from connectors.desibits.wire import OrderItem, Row
from hub.contract.connector import LinkContext
from hub.contract.writes import LookUp, OrderWrite, Verdict, WriteResult
from hub.errors import ConnectorError, UnsupportedByVendor, VendorMalformed, VendorRejected
from hub.model.change import LinesChange
from hub.model.order import Loss, LossKind, VendorRef

_DUPLICATE: Final = "duplicate (hub)"
_DRAFT: Final = "draft"
_FEW_SINGLE_READS: Final = 5  # a sweep runs with every order


class KitchenDoor:
    """Sends the orders of one link to the kitchen."""

    def __init__(
        self, context: LinkContext, client: DesibitsClient, settings: DesibitsSettings, orders: Orders
    ) -> None:
        self._context = context
        self._client = client
        self._settings = settings
        self._orders = orders
        self._hub_prints = context.link.kitchen == "hub"

    async def send(self, request: OrderWrite, ref: VendorRef, row: Row) -> WriteResult:
        """Makes the ticket of a draft, after other drafts with our mark were cancelled.

        Where the hub prints, the order only moves on. What the kitchen has already is not sent again.
        """
        losses: list[Loss] = []
        tables = self._context.tables
        self._refuse_cancelled(row)
        if not is_draft(row, tables):
            return WriteResult(ref=ref, order=await self._orders.read_if_possible(row))
        losses += await self._sweep(request, ref)
        return await self._to_kitchen(ref, row, losses)

    async def find(self, ref: VendorRef) -> LookUp:
        """Whether the order is in the kitchen: beyond a draft, and not cancelled.

        A draft whose lines are all on a ticket is not found: sending again then makes no ticket, only moves it on.
        Raises `UnsupportedByVendor` where the hub has tickets printed, for nobody knows whether this one was.
        """
        row = await self._client.fetch_order(ref.id)
        if is_draft(row, self._context.tables) or is_cancelled(row, self._context.tables):
            return LookUp(verdict=Verdict.ABSENT)
        self._refuse_to_guess_about_paper()
        return LookUp(verdict=Verdict.FOUND, ref=ref, order=await self._orders.read_if_possible(row))

    async def add_round(self, request: OrderWrite, ref: VendorRef, change: LinesChange) -> WriteResult:
        """Adds lines to the order and makes their ticket.

        Items that stand there already go back as they are, whoever added them. A round whose mark is there was added
        before.
        """
        row = await self._client.fetch_order(ref.id)
        self._refuse_cancelled(row)
        losses: list[Loss] = []
        mark = round_mark(request.mark, request.idempotency_key)
        if not _has_round(row, mark):
            items = [*_standing(row), *self._round(request, change, mark, losses)]
            await self._client.update_order(ref.id, {"items": items})
            row = await self._client.fetch_order(ref.id)
            _require_exactly(items, row, ref)
        return await self._to_kitchen(ref, row, losses)

    async def find_round(self, request: OrderWrite, ref: VendorRef) -> LookUp:
        """Whether the round is on the order and in the kitchen, as far as Desibits shows what is on its tickets."""
        row = await self._client.fetch_order(ref.id)
        if not _has_round(row, round_mark(request.mark, request.idempotency_key)):
            return LookUp(verdict=Verdict.ABSENT)
        in_kitchen = not is_draft(row, self._context.tables)
        if not self._hub_prints:
            everything = holds_everything(row, self._context.tables)
            if everything is None and in_kitchen:
                return LookUp(verdict=Verdict.AMBIGUOUS)
            in_kitchen = in_kitchen and bool(everything)
        if not in_kitchen:
            return LookUp(verdict=Verdict.ABSENT)
        self._refuse_to_guess_about_paper()
        return LookUp(verdict=Verdict.FOUND, ref=ref, order=await self._orders.read_if_possible(row))

    async def _to_kitchen(self, ref: VendorRef, row: Row, losses: list[Loss]) -> WriteResult:
        """A ticket for what has none, the order's status behind it, and paper where the restaurant wants it."""
        made: tuple[VendorRef, ...] = ()
        ticket_made = False
        if not self._hub_prints and holds_everything(row, self._context.tables) is not True:
            before = {ticket.id for ticket in tickets_of(row, self._context.tables) or ()}
            answer = await self._client.create_ticket(ref.id)
            row = await self._read_again(ref, row, losses)
            made = self._made(row, answer, before)
            await self._print(made, losses)
            ticket_made = True
        if is_draft(row, self._context.tables):
            row = await self._move_on(ref, row, losses, ticket_made=ticket_made)
        return WriteResult(
            ref=ref, further_refs=made, order=await self._orders.read_if_possible(row), losses=tuple(losses)
        )

    async def _move_on(self, ref: VendorRef, row: Row, losses: list[Loss], *, ticket_made: bool) -> Row:
        """Takes the order out of the drafts. A failure after the ticket was made must not make another one."""
        try:
            await self._client.set_order_status(ref.id, self._context.tables.to_vendor("order_status", "accepted"))
        except ConnectorError as problem:
            if not ticket_made:
                raise
            losses.append(lost("stage", f"the order is still a draft at Desibits: {problem.message}", LossKind.LOST))
            return row
        return await self._read_again(ref, row, losses)

    async def _read_again(self, ref: VendorRef, row: Row, losses: list[Loss]) -> Row:
        """The order after a write that surely happened; if it cannot be read now, as it was before."""
        try:
            return await self._client.fetch_order(ref.id)
        except ConnectorError as problem:
            losses.append(
                lost("totals.total_cents", f"the order could not be read back: {problem.message}", LossKind.LOST)
            )
            return row

    def _made(self, row: Row, answer: Row, before: set[str]) -> tuple[VendorRef, ...]:
        """The id of the ticket just made: from the answer, else new on the order, else its number's digits."""
        shown = tickets_of(row, self._context.tables) or ()
        new = [ticket.id for ticket in shown if ticket.id and ticket.id not in before]
        found = text(answer, "id", "kot_id")
        made = [found] if found else new or [one for one in (ticket_id(answer),) if one]
        return tuple(VendorRef(kind="ticket", id=one) for one in made)

    async def _print(self, made: tuple[VendorRef, ...], losses: list[Loss]) -> None:
        """Prints new tickets where the link says so. The ticket is in the kitchen already: a failure is only told."""
        if not self._settings.print_kot:
            return
        if not made:
            losses.append(lost("tickets", "Desibits named no ticket, so it was not printed", LossKind.LOST))
        for ref in made:
            try:
                await self._client.print_ticket(ref.id, again=False)
            except ConnectorError as problem:
                losses.append(lost("tickets", f"ticket {ref.id} was not printed: {problem.message}", LossKind.LOST))

    async def _sweep(self, request: OrderWrite, ref: VendorRef) -> list[Loss]:
        """Cancels other drafts with our mark: what an unanswered try left behind. They never reached the kitchen.

        A list that cannot be read does not keep the order from the kitchen.
        """
        try:
            found = await self._orders.marked(
                request.mark, since_ms=request.order.created_at_ms, status=_DRAFT, single_reads=_FEW_SINGLE_READS
            )
            others = [row for row in found.rows if order_id(row) != ref.id and is_draft(row, self._context.tables)]
            for row in others:
                await self._client.cancel_order(order_id(row), _DUPLICATE)
        except ConnectorError as problem:
            words = f"Desibits may hold a second draft with {request.mark}: {problem.message}"
            return [lost("stage", words, LossKind.LOST)]
        return []

    def _round(self, request: OrderWrite, change: LinesChange, mark: str, losses: list[Loss]) -> list[OrderItem]:
        items = [
            item
            for index, line in enumerate(change.lines)
            for item in line_to_desibits(line, f"lines[{index}]", request, losses)
        ]
        return [marked(item, mark) if index == 0 else item for index, item in enumerate(items)]

    def _refuse_to_guess_about_paper(self) -> None:
        if self._settings.print_kot and not self._hub_prints:
            raise UnsupportedByVendor(
                "the order is in the kitchen, but Desibits does not tell whether its ticket was printed",
                connector=CONNECTOR,
            )

    def _refuse_cancelled(self, row: Row) -> None:
        if is_cancelled(row, self._context.tables):
            raise VendorRejected(f"order {order_id(row)} was cancelled at Desibits", connector=CONNECTOR)


def _has_round(row: Mapping[str, Any], mark: str) -> bool:
    return any(mark in item_note(item) for item in rows(row, "items", "order_items") or ())


def _require_exactly(items: list[OrderItem], row: Mapping[str, Any], ref: VendorRef) -> None:
    """Raises `VendorRejected` unless the order shows as many items as it should: no ticket may be made of others.

    A server that adds the items of an update to those there are would have everything cooked twice.
    """
    shown = rows(row, "items", "order_items")
    if shown is None or len(shown) != len(items):
        count = "no" if shown is None else len(shown)
        raise VendorRejected(
            f"order {ref.id} shows {count} items after the round where {len(items)} were set, so no ticket was made;"
            " correct it at Desibits",
            connector=CONNECTOR,
        )


def _standing(row: Mapping[str, Any]) -> list[OrderItem]:
    """The order's items as they go back unchanged. Raises `VendorMalformed` when one could be damaged by that."""
    standing: list[OrderItem] = []
    items = rows(row, "items", "order_items")
    if items is None:
        raise VendorMalformed("add_lines: the order does not show its items", connector=CONNECTOR)
    for item in items:
        vendor_id, quantity, price = menu_item_id(item), decimal(item, "quantity", "qty"), decimal(item, "price")
        if not vendor_id or quantity is None or price is None:
            raise VendorMalformed("add_lines: the order has an item without id, quantity or price", connector=CONNECTOR)
        whole = int(quantity) if quantity == quantity.to_integral_value() else quantity
        same: OrderItem = {"menu_item_id": as_id(vendor_id), "quantity": whole, "price": price}
        if text(item, "id"):
            same["id"] = as_id(text(item, "id"))
        if item_note(item):
            same["note"] = item_note(item)
        standing.append(same)
    return standing
