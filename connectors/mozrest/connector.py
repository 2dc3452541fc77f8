"""The Mozrest connector: takes seatings in and tells Mozrest what becomes of every order."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from connectors.mozrest.client import MozrestClient
from connectors.mozrest.parse import ROUTES, Place, command_from_mozrest
from connectors.mozrest.play import MozrestPlayer
from connectors.mozrest.render import (
    CONNECTOR,
    Writing,
    error_reply,
    listed_order,
    opened_order,
    order_to_mozrest,
    reply,
    table_to_mozrest,
)
from connectors.mozrest.settings import read_settings
from connectors.mozrest.wire import MozrestOrder
from hub.contract.channel import ChannelConnector
from hub.contract.connector import LinkContext, ProbeStep
from hub.contract.inbound import (
    Command,
    CommandResult,
    GetTab,
    InboundReply,
    InboundRequest,
    TablesResult,
    TabsResult,
)
from hub.contract.writes import LookUp, OrderWrite, Replay, Verdict, WriteResult, write
from hub.errors import ConnectorError, HubError, OutcomeUnknown, Unauthorized, VendorRejected, VendorUnavailable
from hub.model.change import OrderSnapshot
from hub.model.order import Order, VendorRef

_ANSWER_ON_ITS_WAY_MS: Final = 5 * 60_000


class MozrestConnector(ChannelConnector):
    """Mozrest at one venue."""

    routes = tuple(ROUTES)

    def __init__(self, context: LinkContext) -> None:
        super().__init__(context)
        self._settings = read_settings(context.config)
        self._client = MozrestClient(context, self._settings)
        self._writing = Writing(context.tables, context.currency)
        self._place = Place(self._settings.calls_us_as, context.timezone, context.currency)

    async def probe(self) -> Sequence[ProbeStep]:
        """Sends an update that Mozrest can only refuse, to see whether it is there and accepts the key."""
        try:
            await self._client.knock()
        except VendorRejected as refused:
            detail = f"Mozrest refused an empty update, as it should ({refused.code}); the venue id is not checked"
            return [ProbeStep(name="API key", ok=True, detail=detail)]
        except ConnectorError as problem:
            return [ProbeStep(name="API key", ok=False, detail=problem.message)]
        return [ProbeStep(name="API key", ok=True)]

    def authenticate(self, request: InboundRequest) -> None:
        """Compares the bearer token with the link's."""
        scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
        given, expected = token.strip().encode("utf-8", "replace"), self._settings.hub_token.encode()
        if not hmac.compare_digest(given, expected) or scheme.lower() != "bearer":
            raise Unauthorized("The API key is missing or incorrect", code="TOKEN_INVALID")

    def parse(self, request: InboundRequest) -> Command:
        """What Mozrest asks for."""
        return command_from_mozrest(request, self._place)

    def render(self, command: Command, result: CommandResult) -> InboundReply:
        """The answer as Mozrest's documentation shows it."""
        if isinstance(result, TablesResult):
            return reply([table_to_mozrest(table) for table in result.tables])
        if isinstance(result, TabsResult):
            return reply([listed_order(tab, self._writing) for tab in result.tabs])
        if isinstance(command, GetTab):
            return reply(listed_order(result.tab, self._writing))
        return reply(opened_order(result.tab))

    @classmethod
    def render_error(cls, error: HubError) -> InboundReply:
        """Mozrest's error body."""
        return error_reply(error)

    # The id in the payload is the only key the API has, and whether it is honoured is not documented. So a walk-in
    # whose answer was lost is looked for first, and sent again only when the first call must be over.
    @write(Replay.KEYED, look_up="find_order", one_at_a_time=True)
    async def push_opened(self, request: OrderWrite) -> WriteResult:
        """A table that was seated without a reservation."""
        mozrest_id = await self._client.open_order(self._body(request))
        if not mozrest_id:
            raise OutcomeUnknown(
                "open_order: Mozrest took the order and named no id", connector=CONNECTOR, operation="open_order"
            )
        return WriteResult(ref=VendorRef(kind="order", id=mozrest_id))

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        """Whether Mozrest has a walk-in: tells it what it was told before, under our id, which it knows or does not.

        Raises `UnsupportedByVendor` where updates go by Mozrest's id, which nobody knows then.
        """
        if self._settings.order_id == "mozrest":
            raise self.unsupported("find_order")
        try:
            mozrest_id = await self._client.update_order(request.order.id, self._body(request))
        except VendorRejected as refused:
            if refused.code == "404":
                return LookUp(verdict=Verdict.ABSENT)
            raise
        return LookUp(verdict=Verdict.FOUND, ref=VendorRef(kind="order", id=mozrest_id) if mozrest_id else None)

    def player(self) -> MozrestPlayer:
        """Plays Mozrest's calls to the hub."""
        return MozrestPlayer(self._settings)

    @write(Replay.REPEATABLE)
    async def push_changed(self, request: OrderWrite) -> WriteResult:
        """The whole order as it was at that moment; repeating it does no harm."""
        return await self._tell(request, self._client.update_order)

    @write(Replay.REPEATABLE)
    async def push_closed(self, request: OrderWrite) -> WriteResult:
        """The guest has paid."""
        return await self._tell(request, self._client.close_order)

    @write(Replay.REPEATABLE)
    async def push_void(self, request: OrderWrite) -> WriteResult:
        """The order is void: with its own call, or as an update, where the link says so."""
        by_update = self._settings.void_by == "update"
        return await self._tell(request, self._client.update_order if by_update else self._client.void_order)

    def _body(self, request: OrderWrite) -> MozrestOrder:
        return order_to_mozrest(_as_it_was(request), self._writing)

    async def _tell(self, request: OrderWrite, call: Callable[[str, MozrestOrder], Awaitable[str]]) -> WriteResult:
        try:
            mozrest_id = await call(self._order_id(request), self._body(request))
        except VendorRejected as refused:
            raise self._explained(refused, request.order) from refused
        return WriteResult(ref=VendorRef(kind="order", id=mozrest_id) if mozrest_id else request.ref)

    def _order_id(self, request: OrderWrite) -> str:
        """The id in the address of an update, as the link says. Raises `VendorRejected` when it is not known."""
        order = request.order
        if self._settings.order_id == "pos":
            return order.id
        if request.ref is not None:
            return request.ref.id
        if order.origin.system == CONNECTOR and order.origin.order_id:
            return order.origin.order_id
        raise VendorRejected(
            f"Mozrest's id of order {order.number} is not known here", connector=CONNECTOR, operation="order_id"
        )

    def _explained(self, refused: VendorRejected, order: Order) -> ConnectorError:
        """What a refusal means: an order Mozrest does not know yet is told again, one it ended is not."""
        words = refused.message
        if refused.code == "404":
            if self.context.clock.now_ms() - order.created_at_ms < _ANSWER_ON_ITS_WAY_MS:
                # It knows the hub's id of an order once our answer to the seating has arrived there.
                return VendorUnavailable(
                    f"{words}: Mozrest does not know the order yet; it is told again",
                    connector=CONNECTOR,
                    operation=refused.operation,
                )
            words = f"{words}: Mozrest does not know order {order.number}; is `order_id` right for this link?"
        elif refused.code == "409":
            words = f"{words}: for Mozrest order {order.number} has ended, or its table belongs to another one"
        return VendorRejected(
            words,
            connector=CONNECTOR,
            operation=refused.operation,
            code=refused.code,
            reason=refused.reason,
        )


def _as_it_was(request: OrderWrite) -> Order:
    """The order as it was when there was something to tell."""
    return request.change.order if isinstance(request.change, OrderSnapshot) else request.order
