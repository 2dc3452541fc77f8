"""Tin Till: five methods and three declarations are a whole connector."""

from collections.abc import Sequence
from typing import Any

from hub.contract.base import PosConnector
from hub.contract.connector import LinkContext, ProbeStep
from hub.contract.writes import LookUp, OrderWrite, Replay, Verdict, WriteResult, write
from hub.errors import ConnectorError, OutcomeUnknown, VendorMalformed, VendorRejected
from hub.model.order import PosOrder, VendorRef
from hub.model.status import Stage
from tin_till.translate import CONNECTOR, order_from_ticket, order_to_ticket


class TinTillConnector(PosConnector):
    """Takes orders as tickets; the ticket's `ref` holds our mark."""

    def __init__(self, context: LinkContext) -> None:
        super().__init__(context)
        self._http = context.http.explaining(_refusal)
        self._headers = {"x-api-key": str(context.config["api_key"])}

    async def probe(self) -> Sequence[ProbeStep]:
        """Lists tickets, which needs address and key to be right."""
        try:
            await self._list(since_ms=self.context.clock.now_ms())
        except ConnectorError as problem:
            return [ProbeStep(name="tickets", ok=False, detail=problem.message)]
        return [ProbeStep(name="tickets", ok=True)]

    @write(Replay.SEARCHABLE, look_up="find_order")
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        """Makes the ticket. An answer without an id may stand for a ticket that is there: it is looked for."""
        body, losses = order_to_ticket(request.order, request.mark)
        answer = await self._http.send("submit_order", "POST", "/tickets", headers=self._headers, body=body)
        try:
            order = self._order(answer.data)
        except VendorMalformed as problem:
            raise OutcomeUnknown(problem.message, connector=CONNECTOR, operation="submit_order") from problem
        return WriteResult(ref=order.ref, order=order, losses=losses)

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        """One ticket."""
        answer = await self._http.read("fetch_order", f"/tickets/{ref.id}", headers=self._headers)
        return self._order(answer.data)

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """The ticket with our mark among those since then."""
        found = [order for order in await self.list_orders(since_ms=since_ms) if order.mark == request.mark]
        if len(found) == 1:
            return LookUp(verdict=Verdict.FOUND, ref=found[0].ref, order=found[0])
        verdict = Verdict.AMBIGUOUS if found else Verdict.ABSENT
        return LookUp(verdict=verdict, candidates=tuple(order.ref for order in found))

    async def list_orders(self, *, since_ms: int) -> Sequence[PosOrder]:
        """All tickets since then, in one call."""
        return [self._order(row) for row in await self._list(since_ms=since_ms)]

    @write(Replay.REPEATABLE)
    async def cancel_order(self, request: OrderWrite) -> WriteResult:
        """Sets the ticket to gone; one that is gone already stays so."""
        if request.ref is None:
            raise VendorRejected("the till has given this order no id yet", connector=CONNECTOR)
        word = self.context.tables.to_vendor("order_status", Stage.CANCELLED.value)
        path = f"/tickets/{request.ref.id}/status"
        await self._http.send("cancel_order", "PUT", path, headers=self._headers, body={"status": word}, safe=True)
        return WriteResult(ref=request.ref)

    async def _list(self, *, since_ms: int) -> Sequence[Any]:
        answer = await self._http.read("list_orders", "/tickets", query={"since": since_ms}, headers=self._headers)
        rows = answer.data.get("tickets") if isinstance(answer.data, dict) else None
        if not isinstance(rows, list):
            raise VendorMalformed("list_orders: no list of tickets", connector=CONNECTOR)
        return rows

    def _order(self, ticket: Any) -> PosOrder:
        return order_from_ticket(ticket, self.context.tables, self.context.currency)


def _refusal(body: Any) -> str | None:
    """The till says no as `{"error": "…"}`, whatever the HTTP status."""
    return str(body["error"]) if isinstance(body, dict) and body.get("error") else None
