"""One attempt: what every outcome leads to, for every replay class, on the first try and after an uncertain one."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from hub.contract.writes import LookUp, Replay, Verdict, WriteResult
from hub.database.deliveries import State
from hub.database.outbox import Claimed
from hub.errors import (
    ConnectorError,
    OutcomeUnknown,
    UnmappedValue,
    UnsupportedByVendor,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
    VendorUnreachable,
)
from hub.model.order import Loss, PosOrder, VendorRef
from hub.model.status import Stage, Status
from hub.services.attempt import Attempt, Attempted, Circumstances
from tests.database.stored import MINUTE, NOW
from tests.services.scripted import DELIVERY_ID, ORDER, REF, ScriptedPos, claimed, uncertain

pytestmark = pytest.mark.anyio
DELIVERED, DEAD, PENDING, UNKNOWN = State.DELIVERED, State.DEAD, State.PENDING, State.UNKNOWN
SETTLE_MS, TOTAL_TIMEOUT_MS = 30_000, 30_000
HOUR = 60 * MINUTE


async def attempt(
    connector: ScriptedPos,
    delivery: Claimed,
    *,
    now_ms: Callable[[], int] = lambda: NOW,
    covered: bool = True,
) -> Attempted:
    """Runs one attempt with the longest possible pauses (no jitter)."""

    async def begin() -> bool:
        return covered

    around = Circumstances(now_ms=now_ms, jitter=1.0, settle_ms=SETTLE_MS, total_timeout_ms=TOTAL_TIMEOUT_MS)
    return await Attempt(delivery, connector, around).run(begin)


def told(attempted: Attempted) -> tuple[State, str, int | None, bool]:
    """State, cause, milliseconds until it is due again, and whether the attempt counts."""
    done = attempted.completion
    return done.state, done.cause, None if done.due_at_ms is None else done.due_at_ms - NOW, done.count_attempt


def about_the_vendor(attempted: Attempted) -> tuple[bool | None, bool, int | None, str]:
    """Health, reached, milliseconds the link is held, and the cause to pause it."""
    hold = attempted.hold_until_ms
    return attempted.healthy, attempted.reached, None if hold is None else hold - NOW, attempted.pause_cause


Outcome = tuple[str, int | None, bool]
Vendor = tuple[bool | None, bool, int | None, str]

# failure: (cause, due in ms, counted), (healthy, reached, held for ms, pause cause); the state where it is certain
FIRST_TRY: list[
    tuple[ConnectorError, State, tuple[str, int | None, bool], tuple[bool | None, bool, int | None, str]]
] = [
    (VendorUnreachable("refused"), PENDING, ("POS_UNREACHABLE", 1000, True), (False, False, None, "")),
    (VendorUnavailable("a read failed"), PENDING, ("POS_UNREACHABLE", 1000, True), (False, True, None, "")),
    (OutcomeUnknown("silence"), UNKNOWN, ("OUTCOME_UNKNOWN", 1000, True), (False, True, None, "")),
    (
        VendorRateLimited("429", retry_after_seconds=7),
        PENDING,
        ("POS_RATE_LIMITED", 7000, False),
        (None, True, 7000, ""),
    ),
    (VendorRejected("closed"), DEAD, ("POS_REJECTED", None, True), (True, True, None, "")),
    (VendorAuthFailed("401"), PENDING, ("POS_AUTH_FAILED", 1000, False), (None, True, None, "POS_AUTH_FAILED")),
    (VendorMalformed("html"), PENDING, ("POS_ANSWER_MALFORMED", 1000, True), (False, True, None, "")),
    (UnmappedValue("no sale type"), DEAD, ("VALUE_NOT_MAPPED", None, True), (None, True, None, "")),
    (UnsupportedByVendor("no"), DEAD, ("POS_UNSUPPORTED", None, True), (None, True, None, "")),
]
NAMES = [type(row[0]).__name__ for row in FIRST_TRY]


@pytest.mark.parametrize("replay", Replay)
@pytest.mark.parametrize(("error", "state", "outcome", "vendor"), FIRST_TRY, ids=NAMES)
async def test_on_the_first_try_every_failure_means_the_same_for_every_replay_class(
    replay: Replay,
    error: ConnectorError,
    state: State,
    outcome: Outcome,
    vendor: Vendor,
) -> None:
    attempted = await attempt(ScriptedPos(replay, answer=error), claimed())
    assert told(attempted) == (state, *outcome)
    assert about_the_vendor(attempted) == vendor
    assert attempted.completion.detail == error.message


@pytest.mark.parametrize("replay", [Replay.REPEATABLE, Replay.KEYED])
@pytest.mark.parametrize(("error", "state", "outcome", "vendor"), FIRST_TRY, ids=NAMES)
async def test_what_is_sent_again_stays_unknown_until_something_clear_is_heard(
    replay: Replay,
    error: ConnectorError,
    state: State,
    outcome: Outcome,
    vendor: Vendor,
) -> None:
    if replay is Replay.KEYED and isinstance(error, VendorRejected):
        outcome = ("OUTCOME_UNKNOWN", None, True)  # it may be the key that is refused, not the order
    attempted = await attempt(ScriptedPos(replay, answer=error, looks=False), uncertain())
    assert told(attempted) == (UNKNOWN if state is PENDING else state, *outcome)
    assert about_the_vendor(attempted) == vendor


FOUND = LookUp(verdict=Verdict.FOUND, ref=REF)
ABSENT = LookUp(verdict=Verdict.ABSENT)
UNREAD = LookUp(verdict=Verdict.AMBIGUOUS)
TWO = LookUp(verdict=Verdict.AMBIGUOUS, candidates=(REF, VendorRef(kind="order", id="9002")))
NO_LOOK_UP = UnsupportedByVendor("no list")
DOWN = VendorUnavailable("down")
SENT = (DELIVERED, "", None, True)
AGREE = (UNKNOWN, "OUTCOME_UNKNOWN", 5000, True)
ASK_AGAIN = (UNKNOWN, "OUTCOME_UNKNOWN", 1000, True)
WAIT = (UNKNOWN, "POS_UNREACHABLE", 1000, True)
PARK = (DEAD, "OUTCOME_UNKNOWN", None, True)
CHOOSE = (DEAD, "LOOK_UP_AMBIGUOUS", None, True)


@pytest.mark.parametrize(
    ("replay", "found", "expected", "sends"),
    [
        (Replay.REPEATABLE, None, SENT, True),
        (Replay.KEYED, FOUND, SENT, False),
        (Replay.KEYED, ABSENT, SENT, True),
        (Replay.KEYED, UNREAD, SENT, True),
        (Replay.KEYED, TWO, CHOOSE, False),
        (Replay.KEYED, NO_LOOK_UP, SENT, True),
        (Replay.KEYED, DOWN, WAIT, False),
        (Replay.SEARCHABLE, FOUND, SENT, False),
        (Replay.SEARCHABLE, ABSENT, AGREE, False),
        (Replay.SEARCHABLE, UNREAD, ASK_AGAIN, False),
        (Replay.SEARCHABLE, TWO, CHOOSE, False),
        (Replay.SEARCHABLE, NO_LOOK_UP, PARK, False),
        (Replay.SEARCHABLE, DOWN, WAIT, False),
        (Replay.TWO_PHASE, FOUND, SENT, False),
        (Replay.TWO_PHASE, ABSENT, AGREE, False),
        (Replay.TWO_PHASE, UNREAD, ASK_AGAIN, False),
        (Replay.TWO_PHASE, TWO, CHOOSE, False),
        (Replay.TWO_PHASE, NO_LOOK_UP, PARK, False),
        (Replay.TWO_PHASE, DOWN, WAIT, False),
        (Replay.ONCE, FOUND, SENT, False),
        (Replay.ONCE, ABSENT, PARK, False),
        (Replay.ONCE, UNREAD, PARK, False),
        (Replay.ONCE, TWO, CHOOSE, False),
        (Replay.ONCE, NO_LOOK_UP, PARK, False),
        (Replay.ONCE, DOWN, WAIT, False),
    ],
)
async def test_after_an_uncertain_attempt_the_replay_class_and_the_look_up_decide(
    replay: Replay, found: LookUp | Exception | None, expected: tuple[State, str, int | None, bool], sends: bool
) -> None:
    connector = ScriptedPos(replay, found=found)
    attempted = await attempt(connector, uncertain())
    assert told(attempted) == expected
    assert len(connector.sent) == sends
    assert len(connector.looked) == (replay is not Replay.REPEATABLE)
    if attempted.completion.state is DELIVERED:
        assert attempted.completion.ref == REF


@pytest.mark.parametrize("replay", [Replay.SEARCHABLE, Replay.TWO_PHASE, Replay.ONCE])
async def test_where_the_vendor_cannot_be_asked_an_uncertain_write_is_parked(
    replay: Replay,
) -> None:
    connector = ScriptedPos(replay, looks=False)
    attempted = await attempt(connector, uncertain())
    assert told(attempted) == PARK
    assert attempted.completion.detail == "silence"
    assert attempted.healthy is None
    assert connector.sent == []


@pytest.mark.parametrize("replay", [Replay.KEYED, Replay.SEARCHABLE, Replay.TWO_PHASE, Replay.ONCE])
@pytest.mark.parametrize(
    ("error", "cause", "due", "vendor"),
    [
        (VendorUnreachable("refused"), "POS_UNREACHABLE", 1000, (False, False, None, "")),
        (OutcomeUnknown("silence"), "POS_UNREACHABLE", 1000, (False, True, None, "")),
        (VendorMalformed("html"), "POS_ANSWER_MALFORMED", 1000, (False, True, None, "")),
        (VendorRateLimited("429", retry_after_seconds=9), "POS_RATE_LIMITED", 9000, (None, True, 9000, "")),
        (VendorAuthFailed("401"), "POS_AUTH_FAILED", 1000, (None, True, None, "POS_AUTH_FAILED")),
        (VendorRejected("no such list"), "OUTCOME_UNKNOWN", 1000, (True, True, None, "")),
        (UnmappedValue("no code"), "OUTCOME_UNKNOWN", 1000, (True, True, None, "")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_failed_look_up_is_unknown_never_absent_and_counts_no_attempt_away(
    replay: Replay, error: ConnectorError, cause: str, due: int, vendor: Vendor
) -> None:
    connector = ScriptedPos(replay, found=error)
    attempted = await attempt(connector, uncertain())
    assert told(attempted) == (UNKNOWN, cause, due, True)
    assert about_the_vendor(attempted) == vendor
    assert connector.sent == []


@pytest.mark.parametrize(("first_sent_ago", "sends"), [(24 * HOUR - 1, True), (24 * HOUR, False), (48 * HOUR, False)])
async def test_a_key_is_trusted_as_long_as_the_vendor_surely_remembers_it(first_sent_ago: int, sends: bool) -> None:
    connector = ScriptedPos(Replay.KEYED, found=ABSENT, key_retention=timedelta(hours=24))
    delivery = uncertain(first_sent_at_ms=NOW - first_sent_ago)
    assert told(await attempt(connector, delivery)) == (SENT if sends else AGREE)
    assert len(connector.sent) == sends


async def test_a_forgotten_key_without_a_look_up_is_parked() -> None:
    connector = ScriptedPos(Replay.KEYED, looks=False, key_retention=timedelta(hours=24))
    assert told(await attempt(connector, uncertain(first_sent_at_ms=NOW - 25 * HOUR))) == PARK


@pytest.mark.parametrize("replay", [Replay.SEARCHABLE, Replay.TWO_PHASE])
@pytest.mark.parametrize(
    ("sent_ago", "absent_ago", "expected", "absent_since"),
    [
        (10_000, None, (UNKNOWN, "OUTCOME_UNKNOWN", 50_000, True), None),
        (59_999, None, (UNKNOWN, "OUTCOME_UNKNOWN", 1, True), None),
        (60_000, None, AGREE, 0),
        (70_000, 1_000, (UNKNOWN, "OUTCOME_UNKNOWN", 4000, True), -1_000),
        (70_000, 4_999, (UNKNOWN, "OUTCOME_UNKNOWN", 1, True), -4_999),
        (70_000, 5_000, SENT, None),
        (10_000, 60_000, (UNKNOWN, "OUTCOME_UNKNOWN", 50_000, True), None),
    ],
)
async def test_absent_counts_once_the_vendor_is_done_and_two_look_ups_five_seconds_apart_agree(
    replay: Replay,
    sent_ago: int,
    absent_ago: int | None,
    expected: tuple[State, str, int | None, bool],
    absent_since: int | None,
) -> None:
    connector = ScriptedPos(replay, found=ABSENT)
    absent_since_ms = None if absent_ago is None else NOW - absent_ago
    attempted = await attempt(connector, uncertain(sent_at_ms=NOW - sent_ago, absent_since_ms=absent_since_ms))
    assert told(attempted) == expected
    assert attempted.completion.absent_since_ms == (None if absent_since is None else NOW + absent_since)
    assert len(connector.sent) == (expected is SENT)


async def test_anything_but_absent_between_two_look_ups_starts_the_count_anew() -> None:
    for found in (UNREAD, DOWN):
        attempted = await attempt(ScriptedPos(Replay.SEARCHABLE, found=found), uncertain(absent_since_ms=NOW - 9000))
        assert attempted.completion.absent_since_ms is None


@pytest.mark.parametrize("replay", Replay)
async def test_past_its_deadline_nothing_is_sent(replay: Replay) -> None:
    connector = ScriptedPos(replay, found=ABSENT)
    attempted = await attempt(connector, claimed(deliver_by_ms=NOW, last_words="refused"))
    assert told(attempted) == (DEAD, "DEADLINE_PASSED", None, True)
    assert attempted.completion.detail == "refused"
    assert attempted.healthy is None
    assert connector.sent == []


@pytest.mark.parametrize("replay", Replay)
async def test_what_may_have_been_sent_is_never_called_failed_at_its_deadline(replay: Replay) -> None:
    connector = ScriptedPos(replay, found=ABSENT)
    attempted = await attempt(connector, uncertain(deliver_by_ms=NOW))
    assert told(attempted) == PARK
    assert connector.sent == []


@pytest.mark.parametrize("replay", [Replay.KEYED, Replay.SEARCHABLE, Replay.TWO_PHASE, Replay.ONCE])
async def test_an_order_that_is_found_after_its_deadline_is_delivered(replay: Replay) -> None:
    attempted = await attempt(ScriptedPos(replay, found=FOUND), uncertain(deliver_by_ms=NOW - 1))
    assert told(attempted) == SENT


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [(claimed(deliver_by_ms=NOW + 7000), "POS_RATE_LIMITED"), (uncertain(deliver_by_ms=NOW + 7000), "OUTCOME_UNKNOWN")],
)
async def test_a_wait_beyond_the_deadline_is_told_to_a_person_at_once(delivery: Claimed, expected: str) -> None:
    error = VendorRateLimited("429", retry_after_seconds=7)
    attempted = await attempt(ScriptedPos(Replay.REPEATABLE, answer=error), delivery)
    assert told(attempted)[:3] == (DEAD, expected, None)
    assert "after the order's deadline" in attempted.completion.detail


async def test_only_the_operation_waits_that_has_a_limit_of_its_own() -> None:
    error = VendorRateLimited("ours", retry_after_seconds=9, whole_link=False)
    attempted = await attempt(ScriptedPos(Replay.REPEATABLE, answer=error), claimed())
    assert told(attempted) == (PENDING, "POS_RATE_LIMITED", 9000, False)
    assert about_the_vendor(attempted) == (None, True, None, "")


@pytest.mark.parametrize(("delivery", "state", "counted"), [(claimed(), PENDING, False), (uncertain(), UNKNOWN, True)])
async def test_nothing_is_sent_when_the_lease_no_longer_covers_it(
    delivery: Claimed, state: State, counted: bool
) -> None:
    connector = ScriptedPos(Replay.REPEATABLE)
    attempted = await attempt(connector, delivery, covered=False)
    assert connector.sent == []
    assert (attempted.completion.state, attempted.completion.count_attempt) == (state, counted)
    assert about_the_vendor(attempted) == (None, True, None, "")


async def test_the_attempt_is_noted_before_it_is_sent_and_not_for_a_look_up() -> None:
    seen: list[str] = []
    connector = ScriptedPos(Replay.SEARCHABLE, found=ABSENT)

    async def begin() -> bool:
        seen.append(f"noted, {len(connector.sent)} sent")
        return True

    around = Circumstances(now_ms=lambda: NOW, jitter=1.0, settle_ms=0, total_timeout_ms=0)
    await Attempt(uncertain(), connector, around).run(begin)
    assert seen == []
    await Attempt(uncertain(absent_since_ms=NOW - 5000), connector, around).run(begin)
    assert seen == ["noted, 0 sent"]
    assert len(connector.sent) == 1


async def test_every_repetition_carries_the_same_key_and_mark() -> None:
    connector = ScriptedPos(Replay.KEYED, found=ABSENT)
    await attempt(connector, claimed())
    await attempt(connector, uncertain(attempts=4, reason="the guest left", ref=REF))
    first, second = connector.sent
    assert first.idempotency_key == second.idempotency_key == "01234567-89ab-7fff-bfff-ffffffffffff"
    assert DELIVERY_ID.endswith(first.idempotency_key.replace("-", ""))
    assert first.mark == second.mark == "#" + first.mark[1:]
    assert (first.order, second.reason, second.ref) == (ORDER, "the guest left", REF)


async def test_a_look_up_starts_two_minutes_before_the_first_attempt() -> None:
    connector = ScriptedPos(Replay.SEARCHABLE, found=FOUND)
    await attempt(connector, uncertain(first_sent_at_ms=NOW - HOUR, sent_at_ms=NOW - MINUTE))
    [(request, since_ms)] = connector.looked
    assert since_ms == NOW - HOUR - 2 * MINUTE
    assert request.order == ORDER


async def test_what_the_vendor_gave_back_is_kept() -> None:
    losses = (Loss(target="till", path="tables", loss="became a comment"),)
    echoed = PosOrder(ref=REF, raw_status="NEW", status=Status.OPEN, stage=Stage.RECEIVED, total_cents=1900)
    connector = ScriptedPos(Replay.KEYED, answer=WriteResult(ref=REF, order=echoed, losses=losses))
    done = (await attempt(connector, claimed())).completion
    assert (done.state, done.ref, done.losses, done.pos_cents) == (DELIVERED, REF, losses, 1900)
    assert (done.delivery_id, done.lane_id, done.epoch, done.seq, done.now_ms) == (DELIVERY_ID, "lane_1", 1, 1, NOW)


@pytest.mark.parametrize(
    ("attempts", "remaining_ms", "due"),
    [
        (1, 600_000, 1000),
        (2, 600_000, 2000),
        (3, 600_000, 4000),
        (5, 600_000, 15_000),
        (9, 600_000, 30_000),
        (9, 60_000, 3000),
        (9, 4_000, 1000),
        (9, 7_200_000, 60_000),
    ],
)
async def test_pauses_grow_and_leave_twenty_tries_before_the_deadline(
    attempts: int, remaining_ms: int, due: int
) -> None:
    connector = ScriptedPos(Replay.KEYED, answer=VendorUnreachable("refused"))
    attempted = await attempt(connector, claimed(attempts=attempts, deliver_by_ms=NOW + remaining_ms))
    assert told(attempted)[2] == due


async def test_pauses_count_from_when_the_vendor_fell_silent_not_from_when_it_was_called() -> None:
    now = [NOW]

    class Slow(ScriptedPos):
        async def submit_order(self, request: object) -> WriteResult:
            now[0] += 30_000
            raise OutcomeUnknown("silence")

        submit_order.__write_rule__ = None  # type: ignore[attr-defined]

    attempted = await attempt(Slow(Replay.KEYED), claimed(), now_ms=lambda: now[0])
    assert attempted.completion.now_ms == NOW + 30_000
    assert attempted.completion.due_at_ms == NOW + 31_000


async def test_a_bug_in_a_connector_is_not_mistaken_for_the_vendor() -> None:
    with pytest.raises(KeyError):
        await attempt(ScriptedPos(Replay.KEYED, answer=KeyError("price")), claimed())
