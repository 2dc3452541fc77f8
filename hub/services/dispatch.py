"""Works the outbox: takes due deliveries link by link, sends them, and records what became of each."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from hub.contract.context import working_for
from hub.contract.ports import Clock
from hub.contract.registry import Registry
from hub.contract.writes import Operation, Replay
from hub.database import directory as stored_directory
from hub.database import lane_times, link_state, outbox
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.link_state import Breaker
from hub.database.outbox import Claimed, Completion
from hub.errors import ConfigurationError, HubError, Unavailable
from hub.model import causes
from hub.model.status import Stage
from hub.services import breaker as breakers
from hub.services.attempt import Attempt, Attempted, Circumstances
from hub.services.connections import Connections
from hub.services.directory import Directory

_LEASE_SPARE_MS = 15_000  # a lease outlives the longest call by this much
_POLL_SECONDS = 1.0  # how late another process's order is noticed at worst
_log = logging.getLogger(__name__)


class Dispatcher:
    """One per process. `wake` tells it that a link has something to do; it looks by itself once a second."""

    def __init__(
        self,
        *,
        owner: str,
        database: Database,
        directory: Directory,
        registry: Registry,
        connections: Connections,
        clock: Clock,
        jitter: Callable[[], float],
        new_id: Callable[[str], str],
        on_settled: Callable[[str], None],
    ) -> None:
        self._owner = owner
        self._database = database
        self._directory = directory
        self._registry = registry
        self._connections = connections
        self._clock = clock
        self._jitter = jitter
        self._new_id = new_id
        self._on_settled = on_settled
        self._woken: set[str] = set()
        self._event = asyncio.Event()
        self._busy: dict[str, int] = {}
        self._feeding: set[str] = set()
        self._catching_up: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop_task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begins to work in the background of the running event loop."""
        self._loop_task = asyncio.create_task(self._run(), name="dispatcher")

    def wake(self, link_id: str) -> None:
        """Says that this link may have something due."""
        self._woken.add(link_id)
        self._event.set()

    async def stop(self, grace_seconds: float = 35.0) -> None:
        """Claims nothing more, lets running attempts finish, and gives every lease back."""
        self._stopping = True
        self._event.set()
        if self._loop_task is not None:
            await self._loop_task
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in self._tasks:
            task.cancel()
        now_ms = self._clock.now_ms()
        await self._database.write(lambda connection: lane_times.release_leases(connection, now_ms, self._owner))

    async def _run(self) -> None:
        next_poll = 0.0
        while not self._stopping:
            try:
                now = asyncio.get_running_loop().time()
                if now >= next_poll:
                    next_poll = now + _POLL_SECONDS * (0.75 + self._jitter() / 2)
                    self._woken.update(await self._links_with_work())
            except Unavailable as problem:
                _log.error("delivery waits: %s", problem.message)
            except Exception:  # the edge of a job: whatever it is, deliveries must go on
                _log.exception("looking for due deliveries failed")
            woken, self._woken = self._woken, set()
            for link_id in woken - self._feeding:
                self._spawn(self._feed(link_id))
            self._event.clear()
            self._woken |= woken & self._feeding  # woken while being fed: looked at again when that is done
            if not self._woken - self._feeding and not self._stopping:
                timeout = max(next_poll - asyncio.get_running_loop().time(), 0)
                try:
                    await asyncio.wait_for(self._event.wait(), timeout)
                except TimeoutError:
                    continue

    async def _links_with_work(self) -> list[str]:
        await self._directory.refresh()
        now_ms = self._clock.now_ms()
        return await self._database.read(lambda connection: outbox.links_with_work(connection, now_ms))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _feed(self, link_id: str) -> None:
        """Claims as many deliveries of a link as may be on their way, and starts them."""
        self._feeding.add(link_id)
        try:
            free = self._slots(link_id) - self._busy.get(link_id, 0)
            if free <= 0 or self._stopping or self._directory.link(link_id).paused_cause:
                return
            claimed, state = await self._claim(link_id, free)
        except HubError as problem:
            _log.error("link %s: nothing taken up: %s", link_id, problem.message)
            return
        finally:
            self._feeding.discard(link_id)
        if not claimed and not self._busy.get(link_id):
            self._catching_up.discard(link_id)
        claimed_at = self._clock.elapsed_seconds()
        for delivery in claimed:
            self._busy[link_id] = self._busy.get(link_id, 0) + 1
            self._spawn(self._work(delivery, state.get(delivery.operation), claimed_at))
        if link_id in self._woken:
            self._event.set()

    def _slots(self, link_id: str) -> int:
        return 1 if link_id in self._catching_up else self._connections.max_in_flight(link_id)

    async def _claim(self, link_id: str, free: int) -> tuple[list[Claimed], dict[str, Breaker]]:
        now_ms = self._clock.now_ms()
        lease_ms = int(self._connections.total_timeout_seconds(link_id) * 1000) + _LEASE_SPARE_MS
        marked_on_claim = self._marked_on_claim(link_id)
        catching_up = link_id in self._catching_up

        def unit(connection: Connection) -> tuple[list[Claimed], dict[str, Breaker]]:
            state = link_state.load_breakers(connection, link_id)
            for breaker in state.values():
                if breakers.is_open(breaker, now_ms):
                    lane_times.hold_back(connection, link_id, breaker.operation, breaker.open_until_ms)
            trying = any(breakers.is_trying(breaker, now_ms) for breaker in state.values())
            claimed = outbox.claim(
                connection,
                link_id=link_id,
                owner=self._owner,
                now_ms=now_ms,
                lease_ms=lease_ms,
                limit=1 if trying else free,
                marked_on_claim=marked_on_claim,
                oldest_order_first=catching_up,
            )
            return claimed, state

        return await self._database.write(unit)

    def _marked_on_claim(self, link_id: str) -> frozenset[str]:
        """The operations that may be sent again without harm, so that the claim itself notes the attempt."""
        try:
            connector = self._connections.connector(link_id)
        except ConfigurationError:
            return frozenset()
        harmless = (Replay.REPEATABLE, Replay.KEYED)
        return frozenset(op.value for op in Operation if connector.write_rule(op).replay in harmless)

    async def _work(self, claimed: Claimed, breaker: Breaker | None, claimed_at: float) -> None:
        try:
            write_before = claimed_at + (_LEASE_SPARE_MS - 1_000) / 1000
            with working_for(claimed.order_id, claimed.attempts, write_before):
                attempted = await self._attempt(claimed, claimed_at)
            await self._record(claimed, attempted, breaker)
        except Unavailable as problem:  # the lease runs out and the delivery is taken up again as uncertain
            _log.error("order %s: the outcome could not be recorded: %s", claimed.order_id, problem.message)
        finally:
            self._busy[claimed.link_id] -= 1
            self.wake(claimed.link_id)

    async def _attempt(self, claimed: Claimed, claimed_at: float) -> Attempted:
        link_id = claimed.link_id
        try:
            connector = self._connections.connector(link_id)
            circumstances = Circumstances(
                now_ms=self._clock.now_ms,
                jitter=self._jitter(),
                settle_ms=int(self._connections.settle_seconds(link_id) * 1000),
                total_timeout_ms=int(self._connections.total_timeout_seconds(link_id) * 1000),
            )
            attempt = Attempt(claimed, connector, circumstances)
            return await attempt.run(lambda: self._begin(claimed, claimed_at))
        except ConfigurationError as problem:
            return self._put_back(claimed, causes.LINK_MISCONFIGURED, problem.message, pause=True)
        except Unavailable:
            raise
        except Exception as problem:  # a bug of ours or of a connector must not lose the order
            _log.exception("order %s: %s failed in the hub", claimed.order_id, claimed.operation)
            return self._put_back(claimed, causes.HUB_ERROR, f"{type(problem).__name__}: {problem}", pause=False)

    def _put_back(self, claimed: Claimed, cause: str, detail: str, *, pause: bool) -> Attempted:
        """After a failure of our own. What was under way counts as uncertain: it may have been sent."""
        now_ms = self._clock.now_ms()
        overdue = now_ms >= claimed.deliver_by_ms
        may_have_been_sent = claimed.uncertain or not pause
        completion = Completion(
            delivery_id=claimed.delivery_id,
            lane_id=claimed.lane_id,
            order_id=claimed.order_id,
            link_id=claimed.link_id,
            epoch=claimed.epoch,
            seq=claimed.seq,
            state=State.DEAD if overdue else State.UNKNOWN if may_have_been_sent else State.PENDING,
            now_ms=now_ms,
            due_at_ms=None if overdue else now_ms + 5_000,
            count_attempt=claimed.uncertain or not pause,
            cause=cause,
            detail=detail,
        )
        return Attempted(completion=completion, pause_cause=cause if pause else "")

    async def _begin(self, claimed: Claimed, claimed_at: float) -> bool:
        """Notes the attempt where a crash must find it, unless the lease no longer covers the longest call."""
        held_seconds = self._clock.elapsed_seconds() - claimed_at
        if held_seconds * 1000 > _LEASE_SPARE_MS - 1_000:
            return False
        if claimed.noted:
            return True
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> bool:
            return outbox.mark_sent(connection, claimed, now_ms)

        return await self._database.write(unit)

    async def _record(self, claimed: Claimed, attempted: Attempted, breaker: Breaker | None) -> None:
        """Writes the outcome, then what it means for the link."""
        completion = attempted.completion
        stage = _stage_reached(claimed.operation, completion)
        if stage is not None:
            completion = structs.replace(completion, stage=stage, stage_event_id=self._new_id("evt"))
        await self._database.write_each(outbox.complete, completion)
        self._on_settled(claimed.order_id)
        if attempted.healthy is not None:
            await self._update_breaker(claimed, attempted, breaker or Breaker(claimed.link_id, claimed.operation))
        if attempted.hold_until_ms is not None or attempted.pause_cause:
            await self._database.write(lambda connection: _hold(connection, claimed.link_id, attempted))

    async def _update_breaker(self, claimed: Claimed, attempted: Attempted, breaker: Breaker) -> None:
        if attempted.healthy:
            if breaker.failures:
                await self._database.write(lambda connection: self._close_breaker(connection, breaker))
                if breaker.trips:
                    _log.warning("link %s: %s works again", claimed.link_id, claimed.operation)
                    self._catching_up.add(claimed.link_id)
            return
        now_ms = self._clock.now_ms()
        jitter, remaining = self._jitter(), (claimed.deliver_by_ms - now_ms) / 1000

        def unit(connection: Connection) -> Breaker:
            current = link_state.load_breakers(connection, claimed.link_id).get(claimed.operation, breaker)
            if breakers.is_open(current, now_ms):
                return current
            after = breakers.after_failure(
                current, reached=attempted.reached, now_ms=now_ms, remaining_seconds=remaining, jitter=jitter
            )
            link_state.save_breaker(connection, after)
            if breakers.is_open(after, now_ms):
                lane_times.align(connection, claimed.link_id, claimed.operation, after.open_until_ms)
                if attempted.reached:  # perhaps it is this order that the vendor cannot take: others try before it
                    lane_times.postpone(connection, claimed.lane_id, after.open_until_ms + 1)
            return after

        after = await self._database.write(unit)
        if after.trips != breaker.trips:
            detail = attempted.completion.detail
            _log.warning("link %s: %s fails, held back: %s", claimed.link_id, claimed.operation, detail)

    def _close_breaker(self, connection: Connection, breaker: Breaker) -> None:
        link_state.reset_breaker(connection, breaker.link_id, breaker.operation)
        if breaker.trips:
            lane_times.align(connection, breaker.link_id, breaker.operation, self._clock.now_ms())


def _stage_reached(operation: str, completion: Completion) -> Stage | None:
    """The stage an order has by this outcome: rejected when the POS refused it, cancelled when it was cancelled."""
    if operation == Operation.SUBMIT_ORDER:
        refused = completion.state is State.DEAD and completion.cause == causes.POS_REJECTED
        return Stage.REJECTED if refused else None
    is_cancelled = operation == Operation.CANCEL_ORDER and completion.state is State.DELIVERED
    return Stage.CANCELLED if is_cancelled else None


def _hold(connection: Connection, link_id: str, attempted: Attempted) -> None:
    if attempted.hold_until_ms is not None:
        link_state.hold_link(connection, link_id, attempted.hold_until_ms)
    if attempted.pause_cause:
        stored_directory.set_link_paused(connection, link_id, attempted.pause_cause)
        _log.warning("link %s is paused: %s", link_id, causes.CAUSES[attempted.pause_cause].title)
