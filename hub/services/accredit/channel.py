"""Plays a channel against a running hub: seats guests, reads, and sees that what the hub told equals what it holds."""

import asyncio
import time
from functools import partial

from sqlalchemy import Connection

from hub.contract.accreditation import ChannelPlayer, ChannelTold
from hub.contract.inbound import Command, GetTab, ListTables, ListTabs, OpenTab
from hub.database.pushes import last_told, stop_following
from hub.model.menu import Item
from hub.model.order import Order, OrderRecord
from hub.model.status import Status
from hub.services.accredit.bench import GUEST, Answer, Bench, CannotBeDone, Send, StepFailed
from hub.services.order_differences import against_told

_FORGED = "not-the-token"
_OCCUPIED = 409
_NOT_LET_IN = (401, 403)
_LOOK_SECONDS = 0.2


class ChannelAccreditation:
    """The steps at one channel link; `send` makes a call to the link's address at the running hub."""

    def __init__(self, bench: Bench, player: ChannelPlayer, send: Send) -> None:
        self._bench = bench
        self._player = player
        self._send = send
        self._channel_order_id = bench.hub.new_id("accredit")
        self._table = ""
        self._order_id = ""

    async def run(self) -> None:
        """Takes all steps and cleans up whatever happens."""
        try:
            if await self._seatings():
                await self._life()
        finally:
            await self._bench.clean_up()

    async def _seatings(self) -> bool:
        """What the channel asks for. False when the hub cannot be reached or seats nobody."""
        step = self._bench.step
        tables: list[str] = []

        async def retrieve() -> str:
            answer, told = await self._ask(ListTables())
            tables.extend(told.tables)
            return f"{answer.status}, {len(tables)} tables" if tables else _fail("the venue has no tables")

        await step("Wrong token refused", "the list of tables with a wrong token", self._forged)
        if not await step("Table retrieval", "the list of tables", retrieve):
            return False
        if not await step("Order opened", "a party of two at a free table", lambda: self._open(tables)):
            return False
        opened = self._seating(self._channel_order_id)
        await step("Same order again", f"the same order at {self._table}", lambda: self._same(opened))
        await step("Occupied table", f"another order at {self._table}", self._occupied)
        open_tabs, get = ListTabs(is_open=True), GetTab(order_id=self._order_id)
        await step("Open orders listed", "the list of open orders", lambda: self._names(open_tabs))
        await step("Order read", "the order by its id", lambda: self._names(get))
        await step("Order without lines voided", "the order is cancelled at the hub", self._void_seating)
        return True

    async def _life(self) -> None:
        """A table seated at the hub, from opening to the end; the channel is told of each change."""
        bench, step = self._bench, self._bench.step
        item = await bench.cheap_item()
        orders: list[str] = []

        async def opened() -> str:
            record = await bench.place(item, table=self._table)
            orders.append(record.order.id)
            return await self._told(record)

        async def closed(order_id: str) -> str:
            record = await bench.pay_and_close(order_id)
            if record.order.status is not Status.CLOSED:
                raise StepFailed(f"the order is {record.order.status}")
            return await self._told(record)

        what = f"{item.name} at {self._table}"
        if await step("Walk-in told", f"an order of {what}, placed at the hub", opened):
            [first] = orders
            await step("Update told", f"one more {item.name}", lambda: self._update(first, item))
            await step("Close told", "paid in cash and closed", lambda: closed(first))
            closed_tabs = ListTabs(is_open=False)
            await step("Closed orders listed", "the list of closed orders", lambda: self._names(closed_tabs, first))
        if await step("Second order told", f"an order of {what}, placed at the hub", opened):
            await step("Void told", "the order is cancelled at the hub", lambda: self._void(orders[-1]))
        for order_id in orders:
            await self._synchronised(order_id)

    async def _ask(self, command: Command) -> tuple[Answer, ChannelTold]:
        answer = await self._send(self._player.call(command))
        if answer.status != 200:
            raise StepFailed(answer.shown)
        return answer, self._player.read(command, answer.body)

    async def _forged(self) -> str:
        answer = await self._send(self._player.call(ListTables(), token=_FORGED))
        return answer.shown if answer.status in _NOT_LET_IN else _fail(answer.shown)

    def _seating(self, channel_order_id: str) -> OpenTab:
        return OpenTab(tables=(self._table,), channel_order_id=channel_order_id, customer=GUEST, party_size=2)

    async def _open(self, tables: list[str]) -> str:
        for table in tables:
            self._table = table
            command = self._seating(self._channel_order_id)
            answer = await self._send(self._player.call(command))
            if answer.status == _OCCUPIED:
                continue
            if answer.status != 200:
                raise StepFailed(answer.shown)
            [self._order_id] = self._player.read(command, answer.body).order_ids
            self._bench.opened.append(self._order_id)
            await self._bench.settled(self._order_id)
            return answer.shown
        raise StepFailed("every table is occupied")

    async def _same(self, opened: OpenTab) -> str:
        answer, told = await self._ask(opened)
        return answer.shown if told.order_ids == (self._order_id,) else _fail(f"another order: {answer.shown}")

    async def _occupied(self) -> str:
        answer = await self._send(self._player.call(self._seating(f"{self._channel_order_id}-2")))
        return answer.shown if answer.status == _OCCUPIED else _fail(answer.shown)

    async def _names(self, command: Command, order_id: str = "") -> str:
        answer, told = await self._ask(command)
        wanted = order_id or self._order_id
        if wanted not in told.order_ids:
            raise StepFailed(f"order {wanted} is not in the answer: {answer.shown}")
        return f"{answer.status}, with the order" if len(told.order_ids) > 1 else answer.shown

    async def _void_seating(self) -> str:
        # The channel itself never opened it, so it would refuse every word about it.
        forget = partial(stop_following, link_id=self._bench.link.id, order_id=self._order_id)
        await self._bench.hub.database.write(forget)
        record = await self._bench.void(self._order_id)
        return f"order {record.order.number} is {record.order.status}"

    async def _update(self, order_id: str, item: Item) -> str:
        return await self._told(await self._bench.add(order_id, item))

    async def _void(self, order_id: str) -> str:
        return await self._told(await self._bench.void(order_id))

    async def _told(self, record: OrderRecord) -> str:
        """What the channel was told. Raises `StepFailed` when it refused, `CannotBeDone` when it hears nothing."""
        own = next((state for state in record.injection if state.link_id == self._bench.link.id), None)
        if own is None:
            raise CannotBeDone("this channel is not told of orders that were opened without it")
        if own.state != "confirmed":
            raise StepFailed(f"the channel did not take it: {own.detail or own.cause}")
        order = record.order
        return f"taken; order {order.number} is {order.status}, {order.totals.total_cents} cents"

    async def _synchronised(self, order_id: str) -> None:
        number = (await self._bench.hub.orders.load(order_id)).order.number

        async def compare() -> str:
            until = time.monotonic() + self._bench.wait_seconds
            while True:
                ours = (await self._bench.settled(order_id)).order
                theirs = await self._bench.hub.database.read(partial(self._last_told, order_id=order_id))
                if theirs is None:
                    raise CannotBeDone("the channel was told nothing of it")
                differing = against_told(ours, theirs)
                if not differing:
                    return "the last thing the channel took equals what the hub holds"
                if time.monotonic() > until:
                    raise StepFailed(
                        "; ".join(f"{name}: {here} here, {there} there" for name, here, there in differing)
                    )
                await asyncio.sleep(_LOOK_SECONDS)

        await self._bench.step("Synchronised", f"order {number}, here and as told", compare)

    def _last_told(self, connection: Connection, order_id: str) -> Order | None:
        told = last_told(connection, self._bench.link.id, [order_id]).get(order_id)
        return None if told is None else told.order


def _fail(words: str) -> str:
    raise StepFailed(words)
