"""Money taken for a check, and money given back."""

from enum import StrEnum

from msgspec import Struct


class PaymentMethod(StrEnum):
    """How it was paid. A vendor's own method that is none of these is OTHER, with its word in `raw_method`."""

    CASH = "cash"
    CARD = "card"
    TRANSFER = "transfer"
    WALLET = "wallet"
    VOUCHER = "voucher"
    PREPAID = "prepaid"
    """Paid at the channel before the order came in."""
    OTHER = "other"


class Payment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One payment of a check, in minor units; `cents` pays for food, the tip stands beside it."""

    id: str
    method: PaymentMethod
    cents: int
    tip_cents: int = 0
    refunded_cents: int = 0
    reference: str = ""
    """The payer's or processor's own reference, e.g. a card transaction."""
    raw_method: str = ""
    """The vendor's word for the method or, going out, the venue's own code if the caller named one."""
    taken_at_ms: int = 0
