"""Shows the orders as Mozrest sees them, so that drift from the POS is visible."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.contract.sandbox.ledger import LedgerOrder

AMOUNTS = ("totalAmount", "tax", "tip", "discount")
HIDDEN = ("entries",)


def shown(order: LedgerOrder, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One order with its bills, payments, sums and everything that was said about it."""
    checks = order.record.get("checks", [])
    return {
        "number": order.number,
        "venue": order.scope,
        **{name: value for name, value in order.record.items() if name not in HIDDEN},
        "status": order.status,
        "updatedAt": order.changed_at.isoformat(),
        "totals": {name: sum(check.get(name, 0) for check in checks if check["status"] != "void") for name in AMOUNTS},
        "payments": [_payment(check) for check in checks if check["status"] == "closed"],
        "warnings": [
            {"version": entry["version"], "at": entry["at"], "text": text}
            for entry in history
            for text in entry["warnings"]
        ],
        "history": history,
    }


def _payment(check: Mapping[str, Any]) -> dict[str, Any]:
    """A closed bill as the payment it stands for; Mozrest knows one method for each bill and no partial payments."""
    return {
        "checkNumber": check["checkNumber"],
        "paymentMethod": check.get("paymentMethod"),
        "amount": check.get("totalAmount", 0),
        "tip": check.get("tip", 0),
    }
