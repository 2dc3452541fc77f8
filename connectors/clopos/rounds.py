"""Further rounds: Clopos' orders cannot be changed, so each round is a Clopos order of its own."""

from msgspec import structs

from connectors.clopos.translate import CONNECTOR, lost
from hub.contract.writes import OrderWrite
from hub.errors import VendorRejected
from hub.model.change import LinesChange
from hub.model.check import rebilled
from hub.model.ids import order_mark
from hub.model.order import Loss

ROUND_LOSS: Loss = lost("checks.lines", "a later round is a Clopos order of its own")


def round_of(request: OrderWrite) -> OrderWrite:
    """The write as if the round were the whole order, with a mark of its own. Raises `VendorRejected` without lines.

    The mark differs from the first order's, so that each is found for what it is; it is the same for every repetition.
    """
    change = request.change
    if not isinstance(change, LinesChange) or not change.lines:
        raise VendorRejected("add_lines: no lines to add", connector=CONNECTOR)
    check = next((own for own in request.order.checks if own.id == change.check_id), request.order.checks[0])
    alone = structs.replace(rebilled(check, change.lines), payments=())
    order = structs.replace(request.order, checks=(alone,), note="")
    mark = order_mark(f"{order.id} {' '.join(line.uid for line in change.lines)}")
    return structs.replace(request, order=order, mark=mark)
