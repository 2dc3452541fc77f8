"""Sending again under the same key: not before the first call is over, and a refusal may be the key's alone."""

import pytest

from hub.contract.writes import LookUp, Replay
from hub.database.deliveries import State
from hub.errors import VendorRateLimited, VendorRejected
from tests.database.stored import NOW
from tests.services.scripted import ScriptedPos, claimed, uncertain
from tests.services.test_attempt import ABSENT, DEAD, NO_LOOK_UP, SENT, UNKNOWN, UNREAD, about_the_vendor, attempt, told

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("sent_ago", "due"), [(500, 9_500), (9_999, 1), (10_000, None)])
@pytest.mark.parametrize("found", [ABSENT, UNREAD, NO_LOOK_UP])
async def test_a_key_is_used_again_once_a_gateway_would_have_given_up_on_the_first_call(
    sent_ago: int, due: int | None, found: LookUp | Exception
) -> None:
    connector = ScriptedPos(Replay.KEYED, found=found)
    delivery = uncertain(first_sent_at_ms=NOW - sent_ago, sent_at_ms=NOW - sent_ago)
    assert told(await attempt(connector, delivery)) == (
        SENT if due is None else (UNKNOWN, "OUTCOME_UNKNOWN", due, True)
    )
    assert len(connector.sent) == (due is None)


@pytest.mark.parametrize(
    ("first_sent_ago", "state", "due"), [(12_000, UNKNOWN, 1_000), (59_500, UNKNOWN, 500), (60_000, DEAD, None)]
)
async def test_a_repetition_that_is_refused_says_nothing_of_the_order(
    first_sent_ago: int, state: State, due: int | None
) -> None:
    connector = ScriptedPos(Replay.KEYED, found=ABSENT, answer=VendorRejected("this key is in use"))
    attempted = await attempt(connector, uncertain(first_sent_at_ms=NOW - first_sent_ago))
    assert told(attempted) == (state, "OUTCOME_UNKNOWN", due, True)
    assert attempted.completion.detail == "sent again, and refused: this key is in use"


async def test_a_wait_that_is_too_long_for_one_order_holds_the_others_too() -> None:
    connector = ScriptedPos(Replay.KEYED, answer=VendorRateLimited("429", retry_after_seconds=700))
    attempted = await attempt(connector, claimed())
    assert told(attempted) == (DEAD, "POS_RATE_LIMITED", None, True)
    assert about_the_vendor(attempted) == (None, True, 700_000, "")
