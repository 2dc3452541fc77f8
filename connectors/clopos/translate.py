"""What both generations of Clopos orders share: arithmetic, the comment, and reading an order back."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.clopos.settings import SaleType
from connectors.clopos.wire import Discount, Number
from hub.contract.tables import VendorTables
from hub.contract.writes import OrderWrite
from hub.model.check import Charge, Totals
from hub.model.money import exponent, to_decimal
from hub.model.order import Loss, LossKind, Order
from hub.model.status import Status

CONNECTOR = "clopos"
GUEST = "Guest"

_IN_COMMENT = "Clopos orders have no field for it; it is part of the comment"
_MARK = re.compile(r"#[A-Z0-9]{8}(?![A-Z0-9])")

Body = TypeVar("Body")


class OrderSetup(Struct, frozen=True, kw_only=True):
    """What a Clopos order needs besides the order itself."""

    tables: VendorTables
    venue_id: int
    venue_name: str
    sale_type: SaleType
    customer_id: int
    default_phone: str = ""
    """The phone number of the customer behind `customer_id`, for a guest who gave none."""
    customer_discount_type: int
    apply_service_charge: bool
    full_products: bool


class Translated(Struct, Generic[Body], frozen=True):
    """A request body, and what of the order it could not hold."""

    body: Body
    losses: tuple[Loss, ...]


def lost(path: str, loss: str, kind: LossKind = LossKind.FLATTENED) -> Loss:
    """One entry of the fidelity report; most of what Clopos has no field for is still there as text."""
    return Loss(target=CONNECTOR, path=path, loss=loss, kind=kind)


@lru_cache(maxsize=4096)
def number(cents: int, scale: int) -> Number:
    """Minor units as the bare number Clopos uses: whole where it is whole, else an exact decimal."""
    whole, rest = divmod(cents, 10**scale)
    return whole if rest == 0 else Decimal(cents).scaleb(-scale)


def as_number(value: int | str) -> Number:
    """A price kept in the menu's vendor data (whole, or a decimal string) as a bare number again."""
    return value if isinstance(value, int) else Decimal(value)


def order_total(total_cents: int, scale: int) -> str:
    """A total in major units with four places, e.g. `16.2000`."""
    units = abs(total_cents) * 10 ** (4 - scale)
    return f"{'-' if total_cents < 0 else ''}{units // 10_000}.{units % 10_000:04d}"


def order_discount(order: Order, total_cents: int, tables: VendorTables, losses: list[Loss]) -> Discount:
    """The one discount a Clopos order can hold; several become one amount. `total_cents` is all that was taken off."""
    if not total_cents:
        return {"discount_type": tables.to_vendor("discount_type", "none"), "discount_value": 0}
    discounts = [one for check in order.checks if check.status is not Status.VOID for one in check.discounts]
    if len(discounts) == 1 and discounts[0].cents == total_cents and discounts[0].type == "percent":
        percent = tables.to_vendor("discount_type", "percent")
        return {"discount_type": percent, "discount_value": plain(discounts[0].value)}
    if len(discounts) != 1:
        losses.append(lost("checks.discounts", "Clopos orders hold one discount; all became one amount"))
    amount = tables.to_vendor("discount_type", "amount")
    return {"discount_type": amount, "discount_value": number(total_cents, exponent(order.currency))}


def plain(text: str) -> Number:
    """A decimal string as a number, whole where it is whole."""
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else value


class Charges(Struct, frozen=True):
    """The order's charges as Clopos can take them; `others` fit no field."""

    service_percent: Number
    delivery_cents: int
    others: tuple[Charge, ...]


def split_charges(order: Order, setup: OrderSetup, losses: list[Loss]) -> Charges:
    """Sorts charges into the service charge (a percentage at Clopos), delivery, and the rest."""
    service_percent: Number = 0
    delivery_cents = 0
    others = []
    for at, check in enumerate(order.checks):
        if check.status is Status.VOID:
            continue
        for index, charge in enumerate(check.charges):
            if charge.type == "delivery":
                delivery_cents += charge.cents
            elif charge.type != "service" or not charge.percent:
                others.append(charge)
            elif not setup.apply_service_charge:
                words = "the link's apply_service_charge is off, so it was not sent"
                losses.append(lost(f"checks[{at}].charges[{index}]", words, LossKind.LOST))
            elif service_percent in (0, plain(charge.percent)):
                service_percent = plain(charge.percent)
            else:
                others.append(charge)
    return Charges(service_percent, delivery_cents, tuple(others))


def order_comment(request: OrderWrite, extras: Sequence[tuple[str, str]], losses: list[Loss]) -> str:
    """The comment: the guest's note, what Clopos has no field for, and our mark at the end.

    `extras` are (path, text) of further things that go into it.
    """
    order = request.order
    parts = [order.note] if order.note else []
    unplaced = list(extras)
    if order.delivery is not None and order.delivery.instructions:
        unplaced.append(("delivery.instructions", order.delivery.instructions))
    if order.timing.promised_at_ms is not None:
        zone = ZoneInfo(order.timing.timezone)
        promised = datetime.fromtimestamp(order.timing.promised_at_ms // 1000, zone)
        unplaced.append(("timing.promised_at_ms", f"For {promised:%Y-%m-%d %H:%M}"))
    if order.tables:
        unplaced.append(("tables", f"Table {', '.join(order.tables)}"))
    if order.party_size is not None:
        unplaced.append(("party_size", f"Party of {order.party_size}"))
    for path, text in unplaced:
        parts.append(text)
        losses.append(lost(path, _IN_COMMENT))
    if order.customer is not None and order.customer.email:
        words = "Clopos orders carry no e-mail address; only a new customer keeps it"
        losses.append(lost("customer.email", words, LossKind.LOST))
    parts.append(request.mark)
    return " | ".join(parts)


def money_extras(totals: Totals, charges: Sequence[Charge], currency: str) -> list[tuple[str, str]]:
    """Charges and tips without a field, as text for the comment; they are in the total all the same."""
    extras = [
        ("checks.charges", f"{charge.type.capitalize()} charge {to_decimal(charge.cents, currency)}")
        for charge in charges
        if charge.cents
    ]
    if totals.tip_cents:
        extras.append(("totals.tip_cents", f"Tip {to_decimal(totals.tip_cents, currency)}"))
    return extras


def phone_digits(phone: str) -> str:
    """A phone number as digits only, without the international `00`: `+994 70 540 10 40` is `994705401040`."""
    bare = phone.lstrip("+")
    digits = bare if bare.isdecimal() else "".join([character for character in bare if character.isdecimal()])
    return digits.removeprefix("00")


def phone_to_clopos(phone: str) -> str:
    """A phone number as the documentation writes it (`+994705401040`); one without a country code stays as it is."""
    bare = phone.strip()
    return f"+{phone_digits(bare)}" if bare.startswith(("+", "00")) else bare


def find_mark(comment: str) -> str:
    """The last mark of ours in a comment, or an empty string."""
    marks = _MARK.findall(comment)
    return marks[-1] if marks else ""
