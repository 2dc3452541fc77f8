"""Payments: what goes to Desibits, what an order shows of them, and whether one of ours is among them."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.desibits.fields import cents, mapping, rows, text, word_key
from connectors.desibits.settings import CONNECTOR
from connectors.desibits.wire import NewPayment
from hub.contract.families import PaymentState
from hub.contract.tables import VendorTables
from hub.contract.writes import Verdict
from hub.errors import UnsupportedByVendor
from hub.model.money import to_decimal
from hub.model.payment import Payment, PaymentMethod

_TRANSACTION = ("transaction_id", "reference")


def transaction_id(payment: Payment) -> str:
    """What Desibits keeps of whose payment it is: the payer's reference, else our own id."""
    return payment.reference or payment.id


def payment_to_desibits(payment: Payment, code: str, currency: str) -> NewPayment:
    """One payment by the restaurant's method `code`; the tip stands beside the amount."""
    body: NewPayment = {
        "payment_method": code,
        "amount": to_decimal(payment.cents, currency),
        "transaction_id": transaction_id(payment),
    }
    if payment.tip_cents:
        body["tip_amount"] = to_decimal(payment.tip_cents, currency)
    return body


def payments_of(row: Mapping[str, Any], tables: VendorTables, currency: str) -> tuple[Payment, ...] | None:
    """The payments an order shows; None when it shows no list of them."""
    found = rows(row, "payments")
    return (
        None if found is None else tuple(_payment(index, entry, tables, currency) for index, entry in enumerate(found))
    )


def find_payments(row: Mapping[str, Any], payments: Sequence[Payment]) -> Verdict:
    """Whether an order shows these payments of ours, by their transaction ids.

    Raises `UnsupportedByVendor` when the order's payments cannot be told apart: then nothing protects us, and a
    person decides.
    """
    found = rows(row, "payments")
    if found is None or any(not any(name in entry for name in _TRANSACTION) for entry in found):
        raise UnsupportedByVendor("the order does not show the transaction ids of its payments", connector=CONNECTOR)
    known = {text(entry, *_TRANSACTION) for entry in found}
    there = [transaction_id(payment) in known for payment in payments]
    return Verdict.FOUND if all(there) else Verdict.AMBIGUOUS if any(there) else Verdict.ABSENT


def method_of(code: str, name: str, tables: VendorTables) -> PaymentMethod:
    """What a restaurant's payment method is in our words, by its code or name."""
    for word in (code, name):
        found = tables.from_vendor("payment_method", word_key(word))
        if found is not None:
            return PaymentMethod(found["method"])
    return PaymentMethod.OTHER


def payment_state(row: Mapping[str, Any], currency: str) -> PaymentState:
    """The answer of `GET /orders/{id}/payment-status`: "payment status and remaining balance" by any likely name."""
    return PaymentState(
        raw_status=text(row, "payment_status", "status"),
        paid_cents=cents(row, currency, "paid_amount", "amount_paid", "total_paid", "paid"),
        due_cents=cents(row, currency, "remaining_balance", "balance", "remaining", "due_amount", "amount_due", "due"),
    )


def _payment(index: int, row: Mapping[str, Any], tables: VendorTables, currency: str) -> Payment:
    nested = mapping(row.get("payment_method"))
    code = text(row, "payment_method", "method") or text(nested, "code", "name")
    return Payment(
        id=text(row, "id", "payment_id") or str(index),
        method=method_of(code, text(nested, "name"), tables),
        cents=cents(row, currency, "amount") or 0,
        tip_cents=cents(row, currency, "tip_amount", "tip") or 0,
        reference=text(row, *_TRANSACTION),
        raw_method=code,
    )
