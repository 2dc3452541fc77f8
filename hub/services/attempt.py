"""One attempt at one delivery: look first if an earlier one may have happened, send, and say what becomes of it."""

from collections.abc import Awaitable, Callable

from msgspec import Struct, structs

from hub.contract.connector import Connector
from hub.contract.writes import LookUp, Operation, OrderWrite, Replay, Verdict, WriteResult, WriteRule
from hub.database.deliveries import OPEN_STATES, State
from hub.database.order_reads import decode_order
from hub.database.outbox import Claimed, Completion
from hub.errors import (
    ConnectorError,
    NextStep,
    OutcomeUnknown,
    UnmappedValue,
    UnsupportedByVendor,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
)
from hub.model import causes
from hub.model.check import rebilled
from hub.model.ids import as_uuid, order_mark
from hub.model.order import Order
from hub.services.breaker import pause_seconds
from hub.services.pos_reading import CLOCK_SKEW_MS

_AGREEING_LOOK_UPS_MS = 5_000  # two look-ups this far apart must both say "absent"
_GATEWAY_GIVES_UP_MS = 10_000  # a gateway ends a call that the vendor goes on with; known ones do after 8 seconds


class Circumstances(Struct, frozen=True, kw_only=True):
    """What an attempt needs to know besides its delivery."""

    now_ms: Callable[[], int]
    jitter: float
    """Between 0 and 1."""
    settle_ms: int
    total_timeout_ms: int


class Attempted(Struct, frozen=True, kw_only=True):
    """The outcome of an attempt, and what it says about the vendor as a whole."""

    completion: Completion
    healthy: bool | None = None
    """True: the vendor gave a clear answer; False: it gave none; None: nothing to say."""
    reached: bool = True
    """Whether a connection stood."""
    hold_until_ms: int | None = None
    """Nothing may be sent on this link before then."""
    pause_cause: str = ""
    """A cause to pause the link with."""


class Attempt:
    """Works one claimed delivery for one connector."""

    def __init__(self, claimed: Claimed, connector: Connector, circumstances: Circumstances) -> None:
        self._claimed = claimed
        self._connector = connector
        self._around = circumstances
        self._now_ms = circumstances.now_ms
        self._is_counted = not claimed.uncertain  # the claim counts an attempt unless it must look first
        self._operation = Operation(claimed.operation)
        order = without_lines(decode_order(claimed.document), claimed.later_lines)
        self._request = OrderWrite(
            order=order,
            idempotency_key=str(as_uuid(claimed.delivery_id)),
            mark=order_mark(order.id),
            ref=claimed.ref,
            further_refs=claimed.further_refs,
            change=claimed.change,
            reason=claimed.reason,
        )

    async def run(self, begin: Callable[[], Awaitable[bool]]) -> Attempted:
        """Looks, decides, sends; never raises a `ConnectorError`.

        `begin` is awaited right before sending: it notes the attempt, and says False when the lease no longer
        covers it.
        """
        if self._claimed.uncertain:
            decided = await self._decide()
            if decided is not None:
                waits = decided.completion.state in OPEN_STATES
                return self.overdue() if waits and self._is_overdue() else decided
        if self._is_overdue():
            return self.overdue()
        if not await begin():
            return self._waiting(self._claimed.attempts, cause="", detail="", count=False)
        self._is_counted = True
        try:
            result: WriteResult = await getattr(self._connector, self._operation.value)(self._request)
        except ConnectorError as error:
            return self._after(error)
        return self._delivered(result)

    def _is_overdue(self) -> bool:
        return self._now_ms() >= self._claimed.deliver_by_ms

    def overdue(self) -> Attempted:
        """The deadline passed: a person decides. What may have been sent is never called failed."""
        return self._dead(
            causes.OUTCOME_UNKNOWN if self._claimed.uncertain else causes.DEADLINE_PASSED, self._claimed.last_words
        )

    async def _decide(self) -> Attempted | None:
        """What an earlier, uncertain attempt came to; None when it may be sent again now."""
        rule = self._connector.write_rule(self._operation)
        if rule.replay is Replay.REPEATABLE:
            return None
        try:
            found = await self._look_up(rule)
        except ConnectorError as error:
            return self._after(error, looking=True)
        if found is not None and found.verdict is Verdict.FOUND:
            return self._delivered(WriteResult(ref=found.ref, order=found.order, losses=found.losses))
        if found is not None and len(found.candidates) > 1:
            candidates = ", ".join(ref.id for ref in found.candidates)
            return self._dead(causes.LOOK_UP_AMBIGUOUS, f"candidates: {candidates}", healthy=True)
        if rule.replay is Replay.KEYED and self._key_is_remembered(rule):
            settle_ms = self._around.settle_ms
            longest_ms = settle_ms + self._around.total_timeout_ms
            return self._unless_younger(longest_ms if rule.one_at_a_time else min(settle_ms, _GATEWAY_GIVES_UP_MS))
        if rule.replay is Replay.ONCE or found is None:
            return self._dead(causes.OUTCOME_UNKNOWN, self._claimed.last_words)
        return self._unless_settled(found)

    async def _look_up(self, rule: WriteRule) -> LookUp | None:
        """The look-up's answer; None where this vendor cannot be asked."""
        if rule.look_up is None:
            return None
        since_ms = (self._claimed.first_sent_at_ms or self._now_ms()) - CLOCK_SKEW_MS
        try:
            found: LookUp = await getattr(self._connector, rule.look_up)(self._request, since_ms=since_ms)
        except UnsupportedByVendor:
            return None
        return found

    def _key_is_remembered(self, rule: WriteRule) -> bool:
        first = self._claimed.first_sent_at_ms
        if rule.key_retention is None or first is None:
            return True
        return self._now_ms() - first < rule.key_retention.total_seconds() * 1000

    def _unless_younger(self, age_ms: int) -> Attempted | None:
        """Waits until the last call is so old that the vendor is not working on it any more."""
        settled_at_ms = (self._claimed.sent_at_ms or 0) + age_ms
        if self._now_ms() < settled_at_ms:
            return self._unknown("not at the vendor yet; it may still be working on it", settled_at_ms)
        return None

    def _unless_settled(self, found: LookUp) -> Attempted | None:
        """ "Absent" counts once the vendor cannot be working on it any more and two look-ups agree."""
        if found.verdict is Verdict.AMBIGUOUS:
            return self._unknown("the vendor's list could not be read to its end", self._retry_at_ms())
        still_running = self._unless_younger(self._around.total_timeout_ms + self._around.settle_ms)
        if still_running is not None:
            return still_running
        absent_since_ms = self._claimed.absent_since_ms or self._now_ms()
        agreed_at_ms = absent_since_ms + _AGREEING_LOOK_UPS_MS
        if self._now_ms() < agreed_at_ms:
            return self._unknown("not at the vendor; looking once more", agreed_at_ms, absent_since_ms=absent_since_ms)
        return None

    def _after(self, error: ConnectorError, *, looking: bool = False) -> Attempted:
        """Turns a failure into what the outbox does next. `looking`: nothing was sent, the look-up failed."""
        match error:
            case VendorRateLimited():
                return self._rate_limited(error)
            case OutcomeUnknown() if not looking:
                unknown = self._unknown(error.message, self._retry_at_ms())
                return Attempted(completion=unknown.completion, healthy=False)
            case VendorUnavailable() | VendorMalformed() | OutcomeUnknown():
                cause = causes.POS_ANSWER_MALFORMED if isinstance(error, VendorMalformed) else causes.POS_UNREACHABLE
                waiting = self._waiting(self._claimed.attempts - 1, cause=cause, detail=error.message)
                return Attempted(completion=waiting.completion, healthy=False, reached=error.reached)
        if error.next_step is NextStep.PAUSE:
            waiting = self._waiting(0, cause=causes.POS_AUTH_FAILED, detail=error.message, count=False)
            return Attempted(completion=waiting.completion, pause_cause=causes.POS_AUTH_FAILED)
        if looking:
            unknown = self._unknown(f"the look-up failed: {error.message}", self._retry_at_ms())
            return Attempted(completion=unknown.completion, healthy=True)
        is_keyed = self._connector.write_rule(self._operation).replay is Replay.KEYED
        if is_keyed and self._claimed.uncertain and isinstance(error, VendorRejected):
            return self._refused_again(error)
        return self._dead(_cause_of(error), error.message, healthy=True if isinstance(error, VendorRejected) else None)

    def _refused_again(self, error: VendorRejected) -> Attempted:
        """A vendor may refuse a key because it is working on the first call, or is done with it: that says nothing of
        the order. It is looked for until the first call is surely over; then a person decides.
        """
        detail = f"sent again, and refused: {error.message}"
        over_at_ms = (self._claimed.first_sent_at_ms or 0) + self._around.total_timeout_ms + self._around.settle_ms
        if self._now_ms() >= over_at_ms:
            return self._dead(causes.OUTCOME_UNKNOWN, detail, healthy=True)
        unknown = self._unknown(detail, min(self._retry_at_ms(), over_at_ms))
        return Attempted(completion=unknown.completion, healthy=True)

    def _rate_limited(self, error: VendorRateLimited) -> Attempted:
        until_ms = self._now_ms() + int(error.retry_after_seconds * 1000)
        hold_until_ms = until_ms if error.whole_link else None
        if until_ms >= self._claimed.deliver_by_ms:
            cause = causes.OUTCOME_UNKNOWN if self._claimed.uncertain else causes.POS_RATE_LIMITED
            dead = self._dead(cause, f"{error.message}; the wait it asks for ends after the order's deadline")
            return structs.replace(dead, hold_until_ms=hold_until_ms)
        completion = self._completion(
            self._waiting_state, due_at_ms=until_ms, count=False, cause=causes.POS_RATE_LIMITED, detail=error.message
        )
        return Attempted(completion=completion, hold_until_ms=hold_until_ms)

    @property
    def _waiting_state(self) -> State:
        """An uncertain delivery stays unknown until something clear is heard of it."""
        return State.UNKNOWN if self._claimed.uncertain else State.PENDING

    def _retry_at_ms(self, repetition: int | None = None) -> int:
        repetition = max(self._claimed.attempts - 1, 0) if repetition is None else repetition
        remaining_seconds = (self._claimed.deliver_by_ms - self._now_ms()) / 1000
        wait_ms = int(pause_seconds(repetition, max(remaining_seconds, 0), self._around.jitter) * 1000)
        return self._now_ms() + wait_ms

    def _delivered(self, result: WriteResult) -> Attempted:
        completion = self._completion(
            State.DELIVERED,
            ref=result.ref,
            further_refs=result.further_refs,
            losses=result.losses,
            pos_cents=None if result.order is None else result.order.total_cents,
        )
        return Attempted(completion=completion, healthy=True)

    def _unknown(self, detail: str, due_at_ms: int, absent_since_ms: int | None = None) -> Attempted:
        completion = self._completion(
            State.UNKNOWN,
            due_at_ms=due_at_ms,
            cause=causes.OUTCOME_UNKNOWN,
            detail=detail,
            absent_since_ms=absent_since_ms,
        )
        return Attempted(completion=completion)

    def _waiting(self, repetition: int, *, cause: str, detail: str, count: bool = True) -> Attempted:
        completion = self._completion(
            self._waiting_state,
            due_at_ms=self._retry_at_ms(max(repetition, 0)),
            count=count,
            cause=cause,
            detail=detail,
        )
        return Attempted(completion=completion)

    def _dead(self, cause: str, detail: str, healthy: bool | None = None) -> Attempted:
        return Attempted(completion=self._completion(State.DEAD, cause=cause, detail=detail), healthy=healthy)

    def _completion(self, state: State, *, count: bool = True, **values: object) -> Completion:
        return Completion(
            delivery_id=self._claimed.delivery_id,
            lane_id=self._claimed.lane_id,
            order_id=self._claimed.order_id,
            link_id=self._claimed.link_id,
            epoch=self._claimed.epoch,
            seq=self._claimed.seq,
            state=state,
            now_ms=self._now_ms(),
            count_attempt=count or not self._is_counted,
            **values,  # type: ignore[arg-type]
        )


def _cause_of(error: ConnectorError) -> str:
    if isinstance(error, UnmappedValue):
        return causes.VALUE_NOT_MAPPED
    if isinstance(error, UnsupportedByVendor):
        return causes.POS_UNSUPPORTED
    return causes.POS_REJECTED


def without_lines(order: Order, uids: frozenset[str]) -> Order:
    """The order as it was before these lines were added, so that nothing is sent twice."""
    if not uids:
        return order
    checks = tuple(
        rebilled(check, [line for line in check.lines if line.uid not in uids])
        if any(line.uid in uids for line in check.lines)
        else check
        for check in order.checks
    )
    return structs.replace(order, checks=checks)
