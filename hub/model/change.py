"""What may be changed about an order after it was placed; each is one write to the POS that holds the order."""

from msgspec import Struct

from hub.model.check import Discount, Line
from hub.model.order import Order
from hub.model.payment import Payment
from hub.model.status import Stage


class StageChange(Struct, frozen=True, kw_only=True, tag="stage", tag_field="kind"):
    """The order moved on: accepted, preparing, ready, out for delivery, served, completed."""

    stage: Stage


class PaymentChange(Struct, frozen=True, kw_only=True, tag="payment", tag_field="kind"):
    """Payments taken for one check; several are one bill split between methods."""

    check_id: str
    payments: tuple[Payment, ...]


class RefundChange(Struct, frozen=True, kw_only=True, tag="refund", tag_field="kind"):
    """Part or all of a payment given back; `cents` in minor units."""

    payment_id: str
    cents: int


class DiscountChange(Struct, frozen=True, kw_only=True, tag="discount", tag_field="kind"):
    """The discount of a check, in place of any it had; `coupon` is the code it came from."""

    check_id: str
    discount: Discount
    coupon: str = ""


class LinesChange(Struct, frozen=True, kw_only=True, tag="lines", tag_field="kind"):
    """A further round: lines added to the tab."""

    check_id: str
    lines: tuple[Line, ...]


class DriverChange(Struct, frozen=True, kw_only=True, tag="driver", tag_field="kind"):
    """Who brings the order to the guest; the id is the POS's own."""

    driver_id: str
    name: str = ""


class OrderSnapshot(Struct, frozen=True, kw_only=True, tag="snapshot", tag_field="kind"):
    """The order as a channel is told of it: how it was at that moment, whatever has happened to it since."""

    order: Order


Change = StageChange | PaymentChange | RefundChange | DiscountChange | LinesChange | DriverChange | OrderSnapshot
