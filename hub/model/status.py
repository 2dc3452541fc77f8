"""The independent axes of an order: status, stage, payment and, per target, injection."""

from enum import StrEnum


class OrderType(StrEnum):
    """How the guest gets the food; the words are those of the OpenPOS API."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    DINE_IN = "dine_in"


class Status(StrEnum):
    """Whether the tab is open. Rolls up from the checks."""

    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """How far the kitchen and the guest are. UNKNOWN only comes in, with the raw word kept."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    PREPARING = "preparing"
    READY = "ready"
    OUT_FOR_DELIVERY = "out_for_delivery"
    SERVED = "served"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


FINAL_STAGES = frozenset({Stage.COMPLETED, Stage.REJECTED, Stage.CANCELLED, Stage.EXPIRED})


class PaymentStatus(StrEnum):
    """What is paid of the order."""

    UNPAID = "unpaid"
    PARTIAL = "partial"
    PAID = "paid"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


class Injection(StrEnum):
    """How far the order's way into one target (a POS or a channel) is."""

    QUEUED = "queued"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    RETRYING = "retrying"
    UNKNOWN = "unknown"
    FAILED = "failed"
    MANUAL_REQUIRED = "manual_required"
    MANUAL_DONE = "manual_done"
    CONFIRMED_WITH_OPEN_ITEMS = "confirmed_with_open_items"
