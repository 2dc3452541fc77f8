"""The arithmetic of the Desibits sandbox: items, less the discount, less what is paid. There is no tax."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

CENT = Decimal("0.01")


class DiscountType(StrEnum):
    """What a discount value means; the page shows `percent` alone."""

    PERCENT = "percent"
    FIXED = "fixed"


class PaymentStatus(StrEnum):
    """How far an order is paid; the page shows `paid` alone."""

    UNPAID = "unpaid"
    PARTIAL = "partial"
    PAID = "paid"


@dataclass(frozen=True)
class Totals:
    """The sums of an order, in major units with two decimals."""

    sub_total: Decimal
    discount: Decimal
    paid: Decimal
    """What payments cover of the order; tips are not in it."""

    @property
    def total(self) -> Decimal:
        """What the guest owes for the order."""
        return self.sub_total - self.discount

    @property
    def balance(self) -> Decimal:
        """What is left to pay."""
        return max(self.total - self.paid, Decimal("0.00"))

    @property
    def payment_status(self) -> PaymentStatus:
        """In one word."""
        if not self.paid:
            return PaymentStatus.UNPAID
        return PaymentStatus.PARTIAL if self.balance else PaymentStatus.PAID


def cents(amount: Decimal | int) -> Decimal:
    """An amount with exactly two decimals."""
    return Decimal(amount).quantize(CENT, ROUND_HALF_UP)


def discount_on(sub_total: Decimal, discount_type: str | None, value: Decimal | int | None) -> Decimal:
    """What a discount takes off; a fixed one never takes more than there is."""
    if discount_type is None or value is None:
        return cents(0)
    if discount_type == DiscountType.PERCENT:
        return cents(sub_total * value / 100)
    return min(cents(value), sub_total)


def add_up(record: Mapping[str, Any]) -> Totals:
    """The totals of an order's record."""
    sub_total = cents(sum((Decimal(line["price"]) * line["quantity"] for line in record["items"]), Decimal(0)))
    discount = discount_on(sub_total, record["discount_type"], record["discount_value"])
    paid = cents(sum((Decimal(payment["amount"]) for payment in record["payments"]), Decimal(0)))
    return Totals(sub_total, discount, paid)
