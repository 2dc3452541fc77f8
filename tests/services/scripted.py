"""A connector that answers as it is told, and claimed deliveries for it to work."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from hub.contract.base import PosConnector
from hub.contract.connector import ProbeStep
from hub.contract.writes import LookUp, Operation, OrderWrite, Replay, WriteResult, WriteRule, write
from hub.database.outbox import Claimed
from hub.model.order import PosOrder, VendorRef
from tests.database.stored import MINUTE, NOW, order_of

ORDER = order_of(order_id="order_" + "a" * 32)
DELIVERY_ID = "dlv_0123456789ab7fffbfffffffffffffff"
REF = VendorRef(kind="order", id="9001")

Answer = WriteResult | LookUp | Exception | None


class ScriptedPos(PosConnector):
    """Submits with `answer` and looks up with `found`; keeps what it was asked. Nothing goes over a network."""

    def __init__(
        self,
        replay: Replay,
        *,
        answer: WriteResult | Exception | None = None,
        found: LookUp | Exception | None = None,
        key_retention: timedelta | None = None,
        looks: bool = True,
    ) -> None:
        self.rule = WriteRule(replay, "find_order" if looks else None, key_retention)
        self.answer = answer or WriteResult(ref=REF)
        self.found = found
        self.sent: list[OrderWrite] = []
        self.looked: list[tuple[OrderWrite, int]] = []

    def write_rule(self, operation: Operation) -> WriteRule:
        return self.rule

    async def probe(self) -> Sequence[ProbeStep]:
        return (ProbeStep(name="vendor", ok=True),)

    @write(Replay.ONCE)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        self.sent.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def find_order(self, request: OrderWrite, *, since_ms: int) -> LookUp:
        self.looked.append((request, since_ms))
        if self.found is None:
            raise AssertionError("nobody expected a look-up")
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        raise AssertionError("nobody expected a read")


def claimed(**values: Any) -> Claimed:
    """A delivery on its first try, ten minutes before its deadline."""
    first: dict[str, Any] = {
        "delivery_id": DELIVERY_ID,
        "lane_id": "lane_1",
        "epoch": 1,
        "link_id": "link_1",
        "order_id": ORDER.id,
        "document": msgspec.json.encode(ORDER).decode(),
        "seq": 1,
        "operation": "submit_order",
        "reason": "",
        "attempts": 1,
        "uncertain": False,
        "first_sent_at_ms": None,
        "sent_at_ms": None,
        "absent_since_ms": None,
        "deliver_by_ms": NOW + 10 * MINUTE,
        "noted": False,
        "last_words": "",
        "ref": None,
    }
    known = {name: value for name, value in first.items() if name in Claimed.__struct_fields__}
    return Claimed(**{**known, **values})


def uncertain(**values: Any) -> Claimed:
    """The same after an attempt two minutes ago that may have reached the vendor."""
    sent = NOW - 2 * MINUTE
    earlier = {"uncertain": True, "first_sent_at_ms": sent, "sent_at_ms": sent, "last_words": "silence"}
    return claimed(**{**earlier, **values})
