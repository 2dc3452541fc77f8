"""What every accreditation works with: it notes steps, opens and changes real orders, and waits for their delivery."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from hub.contract.accreditation import ChannelCall
from hub.contract.ports import Clock
from hub.database.engine import Database
from hub.errors import HubError, InvalidRequest
from hub.model.accreditation import Outcome, Step
from hub.model.ids import NewId
from hub.model.menu import Item
from hub.model.order import Customer, OrderRecord
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import Injection, OrderType, Stage, Status
from hub.model.venue import Link, Venue
from hub.services.asked import Asked
from hub.services.changes import Changes
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.orders import Orders
from hub.services.requests import Caller, LineRequest, OrderRequest

ACTOR = "accreditation"
NOTE = "TEST: accreditation, do not prepare"
GUEST = Customer(name="Accreditation Test", phone="+12025550100")
_CALLER = Caller(id=ACTOR, name=ACTOR, scopes=frozenset({"read", "write"}))
_MOVING = (Injection.QUEUED, Injection.SENDING, Injection.RETRYING, Injection.UNKNOWN)
_LOOK_SECONDS = 0.2
_LONGEST_SHOWN = 300


class StepFailed(Exception):
    """What came is not what should have come."""


class CannotBeDone(Exception):
    """The other side offers no such thing."""


@dataclass(frozen=True)
class HubParts:
    """The services of the hub that an accreditation uses."""

    database: Database
    directory: Directory
    connections: Connections
    orders: Orders
    changes: Changes
    clock: Clock
    new_id: NewId


@dataclass(frozen=True)
class Answer:
    """What a running hub answered to a channel's call."""

    status: int
    body: bytes

    @property
    def shown(self) -> str:
        """For the report."""
        text = self.body.decode("utf-8", "replace")
        return f"{self.status} {text[:_LONGEST_SHOWN]}{'…' if len(text) > _LONGEST_SHOWN else ''}"


Send = Callable[[ChannelCall], Awaitable[Answer]]


@dataclass
class Bench:
    """One accreditation at one link while it runs. `tell` hears of each step; `wait_seconds` is for a delivery."""

    hub: HubParts
    link: Link
    venue: Venue
    tell: Callable[[Step], None]
    item: str = ""
    wait_seconds: float = 60.0
    steps: list[Step] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    """The ids of all orders this opened, to clean up."""

    async def step(self, name: str, sent: str, work: Callable[[], Awaitable[str]]) -> bool:
        """Takes a step and notes it; `work` gives what came. Returns whether it did not fail."""
        began = time.perf_counter()
        outcome = Outcome.OK
        try:
            came = await work()
        except CannotBeDone as reason:
            outcome, came = Outcome.CANNOT, str(reason)
        except StepFailed as wrong:
            outcome, came = Outcome.FAILED, str(wrong)
        except HubError as problem:
            outcome, came = Outcome.FAILED, problem.message
        milliseconds = round((time.perf_counter() - began) * 1000)
        noted = Step(name=name, sent=sent, came=came, outcome=outcome, milliseconds=milliseconds)
        self.steps.append(noted)
        self.tell(noted)
        return outcome is not Outcome.FAILED

    async def cheap_item(self) -> Item:
        """The item named by the caller, else the cheapest that needs no choice. Raises `InvalidRequest`."""
        catalog = await self.hub.directory.catalog(self.venue.id)
        items = [item for item in catalog.menu.items if not item.retired and catalog.is_available(item)]
        if self.item:
            items = [item for item in items if self.item in (item.id, item.name)]
        else:
            items = [item for item in items if item.price_cents and not any(g.min_select for g in item.modifier_groups)]
        if not items:
            raise InvalidRequest("--item: name an item of the menu that needs no choice", field="item")
        return min(items, key=lambda item: item.price_cents)

    async def place(self, item: Item, *, table: str = "") -> OrderRecord:
        """Places a marked order of one item: at a table, or to be picked up."""
        kinds = [kind for kind in self.venue.order_types if kind is not OrderType.DELIVERY]
        if not table and not kinds:
            raise CannotBeDone("the venue takes deliveries only")
        request = OrderRequest(
            venue_id=self.venue.id,
            order_type=OrderType.DINE_IN if table else kinds[0],
            lines=(LineRequest(item_id=item.id),),
            customer=GUEST,
            tables=(table,) if table else (),
            party_size=2 if table else None,
            note=NOTE,
        )
        placed = await self.hub.orders.place(
            request, _CALLER, idempotency_key=self.hub.new_id("key"), render=lambda record: record.order.number
        )
        self.opened.append(placed.order_id)
        return await self.settled(placed.order_id)

    async def add(self, order_id: str, item: Item) -> OrderRecord:
        """Orders one more."""
        await self.hub.changes.add_lines(Asked(order_id, ACTOR), [LineRequest(item_id=item.id)])
        return await self.settled(order_id)

    async def pay_and_close(self, order_id: str) -> OrderRecord:
        """Pays what is due in cash and closes."""
        record = await self.hub.orders.load(order_id)
        if record.order.due_cents:
            payment = Payment(id=self.hub.new_id("pay"), method=PaymentMethod.CASH, cents=record.order.due_cents)
            await self.hub.changes.record_payments(Asked(order_id, ACTOR), [payment])
            record = await self.settled(order_id)
        if record.order.status is Status.OPEN:
            await self.hub.changes.set_stage(Asked(order_id, ACTOR), Stage.COMPLETED)
        return await self.settled(order_id)

    async def void(self, order_id: str) -> OrderRecord:
        """Cancels it. Raises `CannotBeDone` with the POS's reason when the POS does not take it back."""
        try:
            await self.hub.changes.cancel(Asked(order_id, ACTOR), reason=NOTE)
        except InvalidRequest as refused:
            raise CannotBeDone(refused.message) from refused
        record = await self.settled(order_id)
        if record.order.status is not Status.VOID:
            raise CannotBeDone(f"the POS did not take it back: {_why(record) or record.order.stage}")
        return record

    async def settled(self, order_id: str) -> OrderRecord:
        """The order once nothing of it is on its way. Raises `StepFailed` when that takes too long."""
        until = time.monotonic() + self.wait_seconds
        while True:
            record = await self.hub.orders.load(order_id)
            if not any(state.state in _MOVING for state in record.injection):
                return record
            if time.monotonic() > until:
                raise StepFailed(f"not delivered within {self.wait_seconds:g} s: {_why(record)}; does the hub run?")
            await asyncio.sleep(_LOOK_SECONDS)

    async def clean_up(self) -> None:
        """Voids what is still open; closes what cannot be voided."""
        for order_id in self.opened:
            record = await self.hub.orders.load(order_id)
            if record.order.status is Status.OPEN:
                await self.step("Clean up", f"void order {record.order.number}", partial(self._end, order_id))

    async def _end(self, order_id: str) -> str:
        try:
            await self.void(order_id)
            return "void"
        except CannotBeDone as reason:
            await self.pay_and_close(order_id)
            return f"closed, for {reason}"


def _why(record: OrderRecord) -> str:
    """What keeps an order from its targets."""
    return "; ".join(
        f"{state.target} {state.state} {state.detail or state.cause}".strip()
        for state in record.injection
        if state.state is not Injection.CONFIRMED
    )
