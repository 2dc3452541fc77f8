"""Reads how Desktop Kitchen says no, and what a refusal means beyond its HTTP status."""

import re
from collections.abc import Mapping
from typing import Any, Final

from hub.contract.tables import VendorTables
from hub.errors import ConnectorError, VendorAuthFailed, VendorRejected

TOKEN: Final = "token"
LINK: Final = "link"
MENU: Final = "menu"
TRANSITION: Final = "transition"
PAID: Final = "paid"

_PLAN = "PLAN_UPGRADE_REQUIRED"
_LONGEST_REASON = 300
_VARIABLE = re.compile(r"'[^']*'|\d+")


def refusal(body: Any) -> str | None:
    """The reason in a body that says no (`{"error": "…"}`), or None when it does not."""
    if not isinstance(body, Mapping) or not ("error" in body or body.get("success") is False):
        return None
    reason = str(body.get("error") or body.get("message") or "no reason given").strip()
    if reason == _PLAN:
        needed, current = body.get("requiredPlan", "higher"), body.get("currentPlan", "lower")
        feature = body.get("feature", "this")
        reason = f"{_PLAN}: {feature} needs the plan {needed}, the restaurant has {current}"
    left = body.get("attemptsRemaining")
    if isinstance(left, int):
        reason = f"{reason} ({left} attempts remaining)"
    return reason[:_LONGEST_REASON]


def meaning(error: ConnectorError, tables: VendorTables) -> str | None:
    """What `mappings/desktop_kitchen.toml` says about a refusal's sentence, or None."""
    sentence = _VARIABLE.sub("#", error.reason.partition(" is not granted")[0])
    row = tables.from_vendor("errors", sentence)
    return None if row is None else str(row["means"])


def explained(error: ConnectorError, tables: VendorTables) -> ConnectorError:
    """The same failure as the class that says what happens next, with words for whoever must act.

    A plan or a permission that only this operation lacks refuses this operation; it must not pause the link, and
    the orders with it.
    """
    means = meaning(error, tables)
    if means == LINK:
        return _as(VendorAuthFailed, error, "check tenant, employee and its role at the link and at the POS")
    if means == MENU:
        return _as(VendorRejected, error, "not on the restaurant's menu any more: sync the menu")
    if not isinstance(error, VendorAuthFailed) or means == TOKEN:
        return error
    if error.reason.startswith(_PLAN):
        return _as(VendorRejected, error, "the restaurant must change its plan with Desktop Kitchen")
    if error.reason.lower().startswith("permission denied"):
        return _as(VendorRejected, error, "give the hub's employee a role that may do this")
    return error


def _as(kind: type[ConnectorError], error: ConnectorError, advice: str) -> ConnectorError:
    return kind(
        f"{error.message}; {advice}",
        connector=error.connector,
        operation=error.operation,
        code=error.code,
        reason=error.reason,
    )
