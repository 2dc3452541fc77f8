"""The closed set of reasons why something needs attention: who must act, what to do, and whether a retry can help."""

from dataclasses import dataclass
from enum import StrEnum


class Owner(StrEnum):
    """Who can remove the cause."""

    VENUE = "venue"
    POS = "pos"
    CHANNEL = "channel"
    HUB = "hub"


@dataclass(frozen=True)
class Cause:
    """One reason. `title` and `next_action` are sentences for the person on duty."""

    key: str
    owner: Owner
    title: str
    next_action: str
    retry_helps: bool


DEADLINE_PASSED = "DEADLINE_PASSED"
OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
POS_UNREACHABLE = "POS_UNREACHABLE"
POS_RATE_LIMITED = "POS_RATE_LIMITED"
POS_REJECTED = "POS_REJECTED"
POS_AUTH_FAILED = "POS_AUTH_FAILED"
POS_ANSWER_MALFORMED = "POS_ANSWER_MALFORMED"
POS_UNSUPPORTED = "POS_UNSUPPORTED"
VALUE_NOT_MAPPED = "VALUE_NOT_MAPPED"
LOOK_UP_AMBIGUOUS = "LOOK_UP_AMBIGUOUS"
LINK_PAUSED = "LINK_PAUSED"
LINK_MISCONFIGURED = "LINK_MISCONFIGURED"
HUB_ERROR = "HUB_ERROR"

_ROWS = (
    Cause(
        DEADLINE_PASSED,
        Owner.POS,
        "The POS could not be reached before the order had to be in the kitchen.",
        "Tell the kitchen or the guest, then deliver it with `openpos-hub deliver ORDER` or mark it done by hand.",
        True,
    ),
    Cause(
        OUTCOME_UNKNOWN,
        Owner.POS,
        "The order was sent and the POS gave no clear answer: it may or may not be in the kitchen.",
        "Look for the order's mark in the POS, then `openpos-hub deliver ORDER` or `openpos-hub deliver ORDER --done`.",
        False,
    ),
    Cause(
        POS_UNREACHABLE,
        Owner.POS,
        "The POS cannot be reached at the moment.",
        "Nothing to do: the hub keeps trying until the order's deadline.",
        True,
    ),
    Cause(
        POS_RATE_LIMITED,
        Owner.POS,
        "The POS asked us to slow down.",
        "The hub waits as long as the POS asked for. If that is too long for an order, tell the kitchen or the guest, "
        "then `openpos-hub deliver ORDER`.",
        True,
    ),
    Cause(
        POS_REJECTED,
        Owner.VENUE,
        "The POS understood the order and refused it.",
        "Read the POS's reason, correct the menu or the order, then deliver it again.",
        False,
    ),
    Cause(
        POS_AUTH_FAILED,
        Owner.VENUE,
        "The POS refuses the hub's credentials.",
        "Check the link's credentials with `openpos-hub doctor`, then `openpos-hub link resume LINK`.",
        False,
    ),
    Cause(
        POS_ANSWER_MALFORMED,
        Owner.HUB,
        "The POS answered with something its documentation does not describe.",
        "Show the call (`openpos-hub trace ORDER`) to whoever maintains the connector.",
        False,
    ),
    Cause(
        POS_UNSUPPORTED,
        Owner.POS,
        "The POS offers no such operation.",
        "Do it by hand at the POS.",
        False,
    ),
    Cause(
        VALUE_NOT_MAPPED,
        Owner.VENUE,
        "A value of the order has no counterpart at the POS.",
        "Map the value in the link's settings or sync the menu, then deliver the order again.",
        False,
    ),
    Cause(
        LOOK_UP_AMBIGUOUS,
        Owner.VENUE,
        "More than one order at the POS could be this one.",
        "Compare them at the POS, then `openpos-hub deliver ORDER` or `openpos-hub deliver ORDER --done`.",
        False,
    ),
    Cause(
        LINK_PAUSED,
        Owner.VENUE,
        "Somebody paused the link to the POS.",
        "`openpos-hub link resume LINK` when orders may go out again.",
        True,
    ),
    Cause(
        LINK_MISCONFIGURED,
        Owner.VENUE,
        "The link's settings are incomplete or wrong.",
        "Run `openpos-hub doctor`, correct the file, `openpos-hub apply` it; the hub resumes the link by itself.",
        False,
    ),
    Cause(
        HUB_ERROR,
        Owner.HUB,
        "The hub itself failed while handling this order.",
        "Report the error with `openpos-hub trace ORDER`; the order is kept and can be delivered again.",
        True,
    ),
)

CAUSES = {cause.key: cause for cause in _ROWS}
