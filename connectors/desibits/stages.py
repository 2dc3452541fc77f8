"""Moves an order on at Desibits: its kitchen tickets, its status, and where the link allows it its delivery."""

from typing import Final

from connectors.desibits.client import DesibitsClient
from connectors.desibits.lines import lost
from connectors.desibits.read_order import is_cancelled, is_draft, order_status
from connectors.desibits.settings import CONNECTOR, DesibitsSettings
from connectors.desibits.tickets import holds_everything, tickets_kept, tickets_of
from connectors.desibits.wire import Row
from hub.contract.connector import LinkContext
from hub.contract.families import TicketState
from hub.contract.writes import OrderWrite, WriteResult
from hub.errors import UnsupportedByVendor, VendorRejected
from hub.model.order import Loss, LossKind, VendorRef
from hub.model.status import OrderType, Stage, Status

_BILLED: Final = "billed"
_STEPS = (Stage.PREPARING, Stage.READY, Stage.SERVED)
_OF_TICKETS: Final = {
    TicketState.IN_KITCHEN: Stage.PREPARING,
    TicketState.READY: Stage.READY,
    TicketState.SERVED: Stage.SERVED,
}


class Stages:
    """Sets stages for one link; what is reached already is left alone."""

    def __init__(self, context: LinkContext, client: DesibitsClient, settings: DesibitsSettings) -> None:
        self._context = context
        self._client = client
        self._settings = settings

    async def set(self, request: OrderWrite, ref: VendorRef, stage: Stage) -> WriteResult:
        """Moves the order to a stage. Raises `UnsupportedByVendor` for one Desibits does not know or may not hear."""
        is_delivery = request.order.order_type is OrderType.DELIVERY
        if stage is Stage.OUT_FOR_DELIVERY or (stage is Stage.COMPLETED and is_delivery):
            return await self._set_delivery(ref, stage)
        if stage not in (Stage.ACCEPTED, Stage.COMPLETED, *_STEPS):
            raise UnsupportedByVendor(f"Desibits orders cannot be set to {stage}", connector=CONNECTOR)
        row = await self._client.fetch_order(ref.id)
        if is_cancelled(row, self._context.tables):
            raise VendorRejected(f"order {ref.id} was cancelled at Desibits", connector=CONNECTOR)
        losses: list[Loss] = []
        starts = is_draft(row, self._context.tables) and row.get("items") != []
        if starts:
            self._require_ticket(request, row)
        if stage in _STEPS:
            await self._move_tickets(request, row, stage, losses)
        elif stage is Stage.COMPLETED:
            await self._move_tickets(request, row, Stage.SERVED, losses)
            await self._bill(ref, row)
        if starts and stage is not Stage.COMPLETED:
            await self._client.set_order_status(ref.id, self._context.tables.to_vendor("order_status", "accepted"))
        return WriteResult(ref=ref, losses=tuple(losses))

    async def set_ticket(self, ticket_id: str, state: TicketState) -> None:
        """Moves one ticket on. Raises `UnsupportedByVendor` for a state that cannot be set."""
        stage = _OF_TICKETS.get(state)
        if stage is None:
            raise UnsupportedByVendor(f"Desibits tickets cannot be set to {state}", connector=CONNECTOR)
        await self._client.set_ticket_status(ticket_id, self._word("kitchen_status", stage))

    def _require_ticket(self, request: OrderWrite, row: Row) -> None:
        """A draft that moves on without a ticket would look cooked, and nobody would have been told to."""
        made = any(ref.kind == "ticket" for ref in request.further_refs)
        if self._context.link.kitchen == "hub" or made or holds_everything(row, self._context.tables):
            return
        raise VendorRejected(
            f"order {row.get('id')} is a draft without a kitchen ticket; send it to the kitchen first",
            connector=CONNECTOR,
        )

    async def _move_tickets(self, request: OrderWrite, row: Row, stage: Stage, losses: list[Loss]) -> None:
        """Sets every ticket that is not as far yet; where the hub prints, or none is known, only the hub knows."""
        shown = tickets_of(row, self._context.tables)
        known = tickets_kept(request.further_refs) if shown is None else shown
        tickets = [one for one in known if one.stage is not Stage.CANCELLED]
        if not tickets:
            losses.append(lost("stage", f"Desibits has no ticket of the order to set to {stage}", LossKind.LOST))
        word = self._word("kitchen_status", stage)
        for ticket in tickets:
            is_further = ticket.stage in _STEPS and _STEPS.index(ticket.stage) > _STEPS.index(stage)
            if not is_further and ticket.word.lower() != word:
                await self._client.set_ticket_status(ticket.id, word)

    async def _bill(self, ref: VendorRef, row: Row) -> None:
        """Completed is billed here: `paid` comes from a payment alone."""
        status, stage = order_status(row, self._context.tables)
        billed = str(row.get("status", "")).lower() == _BILLED
        if status is Status.OPEN and stage is not Stage.UNKNOWN and not billed:
            await self._client.set_order_status(ref.id, _BILLED)

    async def _set_delivery(self, ref: VendorRef, stage: Stage) -> WriteResult:
        if not self._settings.send_delivery:
            raise UnsupportedByVendor(
                f"the link does not send deliveries, so Desibits cannot be told {stage};"
                " Desibits does not document how, try the link's send_delivery",
                connector=CONNECTOR,
            )
        await self._client.set_delivery_status(ref.id, self._word("delivery_status", stage))
        return WriteResult(ref=ref)

    def _word(self, table: str, stage: Stage) -> str:
        return str(self._context.tables.to_vendor(table, stage.value))
