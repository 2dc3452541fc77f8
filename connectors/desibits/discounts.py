"""Discounts and coupons. Desibits documents one discount per order, a percentage; amounts go as the link says."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from connectors.desibits.fields import decimal, text
from connectors.desibits.lines import lost
from connectors.desibits.wire import DiscountBody, Number, OrderItem
from hub.contract.families import Coupon
from hub.contract.tables import VendorTables
from hub.model.check import Discount, Totals
from hub.model.money import allocate, from_decimal, percent_of, to_decimal
from hub.model.order import Loss, LossKind, Order

AmountDiscount = Literal["percent", "fixed", "fold"]
_PERCENT_PLACES = Decimal("0.01")  # as many as amounts have; a server may refuse more


def discount_to_desibits(
    discounts: Sequence[Discount],
    totals: Totals,
    currency: str,
    mode: AmountDiscount,
    tables: VendorTables,
    losses: list[Loss],
) -> tuple[str, Number] | None:
    """Type and value of the one discount a Desibits order can hold; None without one.

    A percentage goes as it is when it comes to our amount; everything else as `mode` says.
    """
    cents = totals.discount_cents
    if not cents:
        return None
    if len(discounts) > 1:
        losses.append(lost("checks.discounts", "Desibits orders hold one discount; all became one"))
    elif discounts and discounts[0].type == "percent":
        percent = Decimal(discounts[0].value)
        if percent_of(totals.subtotal_cents, percent) == cents:
            return tables.to_vendor("discount_type", "percent"), plain(percent)
    if mode == "fixed":
        return tables.to_vendor("discount_type", "amount"), to_decimal(cents, currency)
    percent = (Decimal(cents) * 100 / totals.subtotal_cents).quantize(_PERCENT_PLACES, ROUND_HALF_UP)
    exact = percent_of(totals.subtotal_cents, percent) == cents
    kind = LossKind.FLATTENED if exact else LossKind.ROUNDED
    losses.append(lost("checks.discounts", f"an amount went to Desibits as {plain(percent)} percent", kind))
    return tables.to_vendor("discount_type", "percent"), plain(percent)


def fold_in(items: Sequence[OrderItem], order: Order, losses: list[Loss]) -> list[OrderItem]:
    """The items with the order's discount taken off their prices, in proportion."""
    currency = order.currency
    gross = [from_decimal(Decimal(item["price"]) * item["quantity"], currency) for item in items]
    folded: list[OrderItem] = []
    exact = True
    for item, before, part in zip(items, gross, allocate(order.totals.discount_cents, gross), strict=True):
        each = from_decimal(to_decimal(before - part, currency) / item["quantity"], currency)
        exact = exact and each * item["quantity"] == before - part
        folded.append({**item, "price": to_decimal(each, currency)})
    kind = LossKind.FLATTENED if exact else LossKind.ROUNDED
    losses.append(lost("checks.discounts", "the discount went to Desibits inside the prices", kind))
    return folded


def discount_body(fields: tuple[str, Number], coupon: str) -> DiscountBody:
    """The body of `POST /orders/{id}/discount`."""
    body: DiscountBody = {"discount_type": fields[0], "discount_value": fields[1]}
    if coupon:
        body["coupon_code"] = coupon
    return body


def shows_discount(row: Mapping[str, Any], body: DiscountBody) -> bool | None:
    """Whether an order has this discount; None when it does not show its discount."""
    if "discount_type" not in row or "discount_value" not in row:
        return None
    same_value = decimal(row, "discount_value") == Decimal(body["discount_value"])
    return text(row, "discount_type").lower() == body["discount_type"] and same_value


def coupon_from_desibits(row: Mapping[str, Any]) -> Coupon:
    """A coupon; Desibits documents no field of one."""
    value = decimal(row, "discount_value", "value", "discount", "amount")
    return Coupon(
        code=text(row, "code", "coupon_code"),
        name=text(row, "name", "title"),
        type=text(row, "discount_type", "type"),
        value="" if value is None else f"{value}",
        valid=row.get("valid") is not False and row.get("is_valid") is not False,
        detail=text(row, "message", "description"),
    )


def plain(number: Decimal) -> Number:
    """A number as short as it can be: whole where it is whole."""
    return int(number) if number == number.to_integral_value() else number.normalize()
