"""The doors of the Desktop Kitchen sandbox: which tenant is meant, who is calling, and what they may do."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from aiohttp import web

from connectors.desktop_kitchen.sandbox.answers import Refused, as_id
from connectors.desktop_kitchen.sandbox.options import OWNER_TOKEN_SECONDS, Options
from connectors.desktop_kitchen.sandbox.store import Store
from connectors.desktop_kitchen.sandbox.tokens import Tokens
from hub.contract.sandbox import Clock, json_answer
from hub.contract.sandbox.ledger import Ledger

# First labels of a host that belong to the vendor, not to a tenant.
RESERVED_LABELS = frozenset({"pos", "app", "api", "admin", "www", "es", "docs", "staging", "sales"})
WRONG_PINS = 5
LOCKED_FOR = timedelta(minutes=30)


class Access(StrEnum):
    """What a call asks of its caller: a permission of the employee's role, or to be the owner."""

    POS = "pos_access"
    MENU = "manage_menu"
    STOCK = "manage_inventory"
    REFUNDS = "process_refunds"
    DELIVERY = "manage_delivery"
    REPORTS = "view_reports"
    LOYALTY = "manage_loyalty"
    OWNER = "owner"


@dataclass(frozen=True)
class Visit:
    """A call inside a tenant."""

    request: web.Request
    tenant: Mapping[str, Any]

    @property
    def tenant_id(self) -> str:
        """The id of the tenant."""
        tenant_id: str = self.tenant["id"]
        return tenant_id


class Doors:
    """Lets callers in, or says why not."""

    def __init__(self, store: Store, tokens: Tokens, ledger: Ledger, clock: Clock, options: Options) -> None:
        self._store = store
        self._tokens = tokens
        self._ledger = ledger
        self._clock = clock
        self._options = options

    def tenant(self, request: web.Request) -> dict[str, Any]:
        """The tenant by header, else by the first label of the host; refuses with 401, 403 or 404."""
        name = request.headers.get("X-Tenant-ID") or _label(request.host)
        if not name:
            raise Refused(401, "Could not resolve tenant. Check your subdomain or X-Tenant-ID header.")
        tenant = self._store.find_tenant(name)
        if tenant is None:
            raise Refused(404, f"Tenant '{name}' not found")
        if not tenant["active"]:
            raise Refused(403, "Tenant account is inactive")
        return tenant

    def admit(self, request: web.Request, tenant_id: str, access: Access) -> None:
        """Refuses (401, 403) a caller without a token of this tenant, or without the permission."""
        claims = self._claims(request, tenant_id)
        if claims["tenantId"] != tenant_id:
            raise Refused(403, "Token does not match this tenant")
        # An owner's token at an employee's call, and the reverse, have not been tried on the server.
        if (claims["type"] == "owner") is not (access is Access.OWNER):
            raise Refused(401, "Invalid token")
        role = claims["role"]
        if access is not Access.OWNER and access not in self._store.permissions(role):
            raise Refused(403, f"Permission denied: {access} is not granted for role {role}")

    def login(self, tenant_id: str, address: str, body: Mapping[str, Any]) -> web.Response:
        """`POST /api/employees/login`: by PIN, with a pause of 30 minutes after five wrong ones.

        The growing delays that the server puts between wrong PINs are not played.
        """
        pin = body.get("pin")
        if not pin:
            raise Refused(400, "PIN required")
        now, key = self._clock(), f"{tenant_id} {address}"
        wrong = self._wrong_pins(key, now)
        rows = self._store.rows(tenant_id, "employees")
        employee = next((row for row in rows if row["active"] and row["pin"] == str(pin)), None)
        if employee is None:
            self._ledger.put_document("wrong_pins", key, {"count": wrong + 1, "at": now.isoformat()})
            if wrong + 1 >= WRONG_PINS:
                raise _locked(LOCKED_FOR)
            raise Refused(401, "Invalid PIN", {"attemptsRemaining": WRONG_PINS - wrong - 1})
        if wrong:
            self._ledger.put_document("wrong_pins", key, {"count": 0, "at": now.isoformat()})
        claims = {"tenantId": tenant_id, "employeeId": employee["id"], "role": employee["role"], "type": "employee"}
        token = self._tokens.issue(claims, now, self._options.token_seconds)
        shown = {name: employee[name] for name in ("id", "name", "role", "active", "created_at")}
        return json_answer({**shown, "permissions": self._store.permissions(employee["role"]), "token": token})

    def owner_login(self, body: Mapping[str, Any]) -> web.Response:
        """`POST /api/auth/login`: the owner, by e-mail and password."""
        email, password = body.get("email"), body.get("password")
        if not email or not password:
            raise Refused(400, "Email and password are required")
        tenant = self._store.find_owner(str(email), str(password))
        if tenant is None:
            raise Refused(401, "Invalid email or password")
        if not tenant["active"]:
            raise Refused(403, "Tenant account is inactive")
        claims = {"tenantId": tenant["id"], "email": email, "role": "owner", "type": "owner"}
        token = self._tokens.issue(claims, self._clock(), OWNER_TOKEN_SECONDS)
        shown = {name: tenant[name] for name in ("id", "name", "plan")} | {"subdomain": tenant["id"]}
        return json_answer({"token": token, "tenant": {**shown, "branding": self._store.branding(tenant["id"])}})

    def check_plan(self, tenant: Mapping[str, Any], feature: str) -> None:
        """Refuses (403) a feature that only the plan `pro` has."""
        if self._options.plan_gate and tenant["plan"] != "pro":
            more = {"requiredPlan": "pro", "feature": feature, "currentPlan": tenant["plan"]}
            raise Refused(403, "PLAN_UPGRADE_REQUIRED", more)

    def _claims(self, request: web.Request, tenant_id: str) -> dict[str, Any]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self._tokens.read(token.strip(), self._clock())
        if self._options.legacy_employee_header:
            number = as_id(request.headers.get("x-employee-id"))
            employee = self._store.find(tenant_id, "employees", number)
            if employee is not None and employee["active"]:
                return {"tenantId": tenant_id, "role": employee["role"], "type": "employee"}
        raise Refused(401, "Authentication required")

    def _wrong_pins(self, key: str, now: datetime) -> int:
        """How many wrong PINs count at the moment; refuses (429) while five of them lock the door."""
        kept = self._ledger.find_document("wrong_pins", key) or {"count": 0, "at": now.isoformat()}
        left = datetime.fromisoformat(kept["at"]) + LOCKED_FOR - now
        if left <= timedelta(0):
            return 0
        if kept["count"] >= WRONG_PINS:
            raise _locked(left)
        count: int = kept["count"]
        return count


def _label(host: str) -> str | None:
    """The first label of a host with three or more, unless it is the vendor's own or an address."""
    name = host.rpartition(":")[0] or host
    labels = name.split(".")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return labels[0] if len(labels) >= 3 and labels[0] not in RESERVED_LABELS else None
    return None


def _locked(left: timedelta) -> Refused:
    seconds = ceil(left.total_seconds())
    more = {"locked": True, "retryAfterSec": seconds}
    return Refused(429, "Too many failed attempts. Please try again later.", more, {"Retry-After": str(seconds)})
