"""Brings a marked test order into a POS, reads it back, changes it where the POS allows, and takes it away again."""

from hub.contract.base import Capability, PosConnector
from hub.model.order import OrderRecord, PosOrder
from hub.model.status import Injection, Stage, Status
from hub.services.accredit.bench import ACTOR, Bench, CannotBeDone, StepFailed
from hub.services.asked import Asked
from hub.services.order_differences import against_pos


class PosAccreditation:
    """The steps at one link to a POS; the running hub delivers."""

    def __init__(self, bench: Bench, connector: PosConnector) -> None:
        self._bench = bench
        self._pos = connector
        self._order_id = ""

    async def run(self) -> None:
        """Takes all steps and cleans up whatever happens."""
        bench, step = self._bench, self._bench.step
        try:
            if not await step("Connection", "what `doctor` tries", self._probe):
                return
            item = await bench.cheap_item()
            if not await step("Order submitted", f"one {item.name}, marked as a test", self._submit):
                return
            await step("Order read back", "the order by the POS's id", self._read)
            await step("Stage changed", "accepted", self._accept)
            await step("Order cancelled", "the order is cancelled at the hub", self._cancel)
        finally:
            await bench.clean_up()

    async def _probe(self) -> str:
        probed = await self._pos.probe()
        words = "; ".join(f"{one.name}: {'ok' if one.ok else 'FAILED'} {one.detail}".strip() for one in probed)
        if not all(one.ok for one in probed):
            raise StepFailed(words)
        return words

    async def _submit(self) -> str:
        record = await self._bench.place(await self._bench.cheap_item())
        self._order_id = record.order.id
        return f"order {record.order.number}, at the POS {self._ref(record)}"

    def _ref(self, record: OrderRecord) -> str:
        own = next((state for state in record.injection if state.link_id == self._bench.link.id), None)
        if own is None or own.ref is None or own.state is not Injection.CONFIRMED:
            raise StepFailed(f"not taken: {'nothing was sent' if own is None else own.detail or own.cause}")
        return own.ref.id

    async def _fetch(self) -> tuple[OrderRecord, PosOrder]:
        record = await self._bench.settled(self._order_id)
        own = next(state for state in record.injection if state.link_id == self._bench.link.id)
        if own.ref is None:
            raise StepFailed("the POS named no id")
        return record, await self._pos.fetch_order(own.ref)

    async def _read(self) -> str:
        record, told = await self._fetch()
        items = (await self._bench.hub.directory.catalog(self._bench.venue.id)).items
        differing = against_pos(record.order, told, items)
        if differing:
            raise StepFailed("; ".join(f"{name}: {here} here, {there} there" for name, here, there in differing))
        return f"{told.raw_status}, total {told.total_cents}; all that the POS tells is as it was sent"

    async def _accept(self) -> str:
        if Capability.SET_STAGE not in self._pos.capabilities:
            raise CannotBeDone("this POS lets nobody else move an order on")
        record = await self._bench.hub.orders.load(self._order_id)
        if record.order.stage is not Stage.RECEIVED:
            return f"the order is {record.order.stage} already"
        await self._bench.hub.changes.set_stage(Asked(self._order_id, ACTOR), Stage.ACCEPTED)
        record = await self._bench.settled(self._order_id)
        self._ref(record)
        return f"the order is {record.order.stage}"

    async def _cancel(self) -> str:
        if Capability.CANCEL_ORDER not in self._pos.capabilities:
            raise CannotBeDone("this POS lets nobody else cancel")
        await self._bench.void(self._order_id)
        _, told = await self._fetch()
        if told.status is not Status.VOID:
            raise StepFailed(f"the POS still says {told.raw_status}")
        return f"the POS says {told.raw_status}"
