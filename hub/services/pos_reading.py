"""Reads many orders of one POS with few calls: its list first, then one by one, until it falls silent."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.contract.base import Capability, PosConnector
from hub.contract.retry import read_patiently
from hub.errors import ConnectorError, VendorAuthFailed, VendorRateLimited, VendorRejected, VendorUnavailable
from hub.model.order import PosOrder, VendorRef

SINGLE_READS = 60  # a minute's worth at the slowest vendor; orders on their way share its limit
CLOCK_SKEW_MS = 120_000
"""So much earlier a list begins than what is looked for: clocks differ."""
_SILENT_AFTER = 3
_SILENCE = (VendorUnavailable, VendorRateLimited, VendorAuthFailed)

_T = TypeVar("_T")


class NotAsked(Exception):
    """An order could not be read, for the reason given; that says nothing about the order."""


class PosReading:
    """One pass over a POS. Not for a second one: it remembers what it heard."""

    def __init__(self, connector: PosConnector, *, patient: bool) -> None:
        self._connector = connector
        self._patient = patient
        self._reads_left = SINGLE_READS
        self._failed = 0
        self.listed: dict[str, PosOrder] = {}
        """The POS's list, by its ids."""
        self.list_problem = ""
        """Why there is no list, or none that is whole."""

    async def list_since(self, since_ms: int) -> bool:
        """Reads the list, where the POS has one. False when it is of no use to ask for anything else."""
        if Capability.LIST_ORDERS not in self._connector.capabilities:
            return True
        try:
            listed = await self._paced(lambda: self._connector.list_orders(since_ms=since_ms - CLOCK_SKEW_MS))
        except ConnectorError as problem:
            self.list_problem = problem.message
            return not isinstance(problem, _SILENCE)
        self.listed = {order.ref.id: order for order in listed}
        return True

    async def fetch(self, ref: VendorRef) -> PosOrder:
        """One order, from the list where that shows all of it.

        Raises `VendorRejected` when the POS does not show it, and `NotAsked`.
        """
        told = self.listed.get(ref.id)
        if told is not None and not told.summary_only:
            return told
        if self._failed >= _SILENT_AFTER:
            raise NotAsked("the POS does not answer any more")
        if self._reads_left == 0 and not self._patient:
            raise NotAsked(f"more than {SINGLE_READS} orders need a call each; take a shorter time")
        self._reads_left -= 1
        try:
            found = await self._paced(lambda: self._connector.fetch_order(ref))
        except VendorRejected:
            raise
        except ConnectorError as problem:
            self._failed += isinstance(problem, _SILENCE)
            raise NotAsked(problem.message) from problem
        self._failed = 0
        return found

    async def _paced(self, read: Callable[[], Awaitable[_T]]) -> _T:
        return await read_patiently(read) if self._patient else await read()
