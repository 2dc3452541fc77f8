"""What a coupon of the POS takes off a check."""

from contextlib import suppress
from decimal import Decimal, InvalidOperation

from hub.contract.base import Capability
from hub.contract.families import Coupon
from hub.errors import InvalidRequest
from hub.model.check import Check
from hub.model.money import from_decimal
from hub.model.order import Order
from hub.services.pos_desk import PosDesk
from hub.services.requests import DiscountRequest

_PERCENT, _AMOUNT = ("percent", "percentage", "%"), ("amount", "fixed", "flat")


async def coupon_discount(
    desk: PosDesk, order: Order, check: Check, code: str, *, given: DiscountRequest | None, reason: str
) -> DiscountRequest:
    """The discount of a coupon: `given` by the caller, else as the POS says; the POS confirms it first if it can.

    Raises `InvalidRequest` when the coupon may not be used or nobody says what it is worth.
    """
    if Capability.VALIDATE_COUPON not in desk.abilities(order.venue_id):
        if given is None:
            raise InvalidRequest(
                "coupon: this store's POS cannot check coupons; give its type and value too",
                field="coupon",
                code="NOT_SUPPORTED_BY_POS",
            )
        return given
    coupon = await desk.validate_coupon(order.venue_id, code, check.totals.subtotal_cents, order_id=order.id)
    if not coupon.valid:
        why = coupon.detail or "the POS says that it cannot be used"
        raise InvalidRequest(f"coupon: {why}", field="coupon", code="COUPON_INVALID")
    return given or worth(coupon, order.currency, reason or coupon.name or code)


def worth(coupon: Coupon, currency: str, reason: str) -> DiscountRequest:
    """What a coupon takes off. Raises `InvalidRequest` when the POS does not say it in a way the hub knows."""
    kind = coupon.type.strip().lower()
    try:
        value = Decimal(coupon.value)
    except InvalidOperation:
        value = Decimal(0)
    if value.is_finite() and value > 0:
        if kind in _PERCENT and value <= 100:
            return DiscountRequest(type="percent", value=value, reason=reason)
        if kind in _AMOUNT:
            with suppress(ArithmeticError):  # more than any amount
                return DiscountRequest(type="amount", value=Decimal(from_decimal(value, currency)), reason=reason)
    raise InvalidRequest(
        f"coupon: the POS does not say what it is worth ({coupon.type!r} {coupon.value!r}); give type and value",
        field="coupon",
        code="COUPON_UNCLEAR",
    )
