"""The tenants of the Desktop Kitchen sandbox and their rows: the seed, with what calls have changed laid over it."""

from collections.abc import Mapping
from typing import Any

from hub.contract.sandbox.ledger import Ledger

KINDS = (
    "employees",
    "categories",
    "items",
    "modifier_groups",
    "combos",
    "virtual_brands",
    "inventory",
    "delivery_platforms",
    "delivery_orders",
    "markup_rules",
    "loyalty_customers",
)
TENANT = ("id", "name", "active", "plan", "limits", "owner", "branding", "loyalty_config")
_GONE = "gone"


class Store:
    """Rows by tenant and kind. Changes live in the ledger, so a restart does not undo them."""

    def __init__(self, seed: Mapping[str, Any], ledger: Ledger) -> None:
        self._ledger = ledger
        self.plant(seed)

    def plant(self, seed: Mapping[str, Any]) -> None:
        """Replaces the seed; raises `KeyError` for one that lacks a section. Changes stay on top of it."""
        tenants = {tenant["id"]: _whole(tenant) for tenant in seed["tenants"]}
        roles = seed["roles"]
        rows = {
            (tenant["id"], kind): {row["id"]: row for row in tenant[kind]}
            for tenant in tenants.values()
            for kind in KINDS
        }
        # Only now, so that a seed that lacks something changes nothing.
        self._tenants: dict[str, dict[str, Any]] = tenants
        self._roles: dict[str, list[str]] = roles
        self._rows: dict[tuple[str, str], dict[int, dict[str, Any]]] = rows

    def find_tenant(self, tenant_id: str) -> dict[str, Any] | None:
        """The tenant with this id, which is its subdomain as well."""
        return self._tenants.get(tenant_id)

    def find_owner(self, email: str, password: str) -> dict[str, Any] | None:
        """The tenant whose owner has these credentials."""
        owned = ((tenant, tenant["owner"]) for tenant in self._tenants.values())
        return next((one for one, owner in owned if (owner["email"], owner["password"]) == (email, password)), None)

    def permissions(self, role: str) -> list[str]:
        """What a role may do."""
        return self._roles.get(role, [])

    def rows(self, tenant_id: str, kind: str) -> list[dict[str, Any]]:
        """All rows of a kind, in the order of their ids."""
        rows = dict(self._rows.get((tenant_id, kind), {}))
        for change in self._ledger.load_documents(kind):
            if change["tenant"] == tenant_id:
                rows[change["id"]] = {**rows.get(change["id"], {}), **change["fields"]}
        return [rows[number] for number in sorted(rows) if not rows[number].get(_GONE)]

    def find(self, tenant_id: str, kind: str, number: int | None) -> dict[str, Any] | None:
        """One row, or None."""
        if number is None:
            return None
        row = self._rows.get((tenant_id, kind), {}).get(number)
        change = self._ledger.find_document(kind, f"{tenant_id}/{number}")
        row = {**(row or {}), **change["fields"]} if change else row
        return None if row is None or row.get(_GONE) else row

    def add(self, tenant_id: str, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A new row with the next id, which is unique over all tenants."""
        used = [number for (_, of_kind), rows in self._rows.items() if of_kind == kind for number in rows]
        used += [change["id"] for change in self._ledger.load_documents(kind)]
        row = {"id": max(used, default=0) + 1, **fields}
        self._put(tenant_id, kind, row["id"], row)
        return row

    def change(self, tenant_id: str, kind: str, number: int, fields: Mapping[str, Any]) -> None:
        """Changes some fields of a row."""
        known = self._ledger.find_document(kind, f"{tenant_id}/{number}")
        self._put(tenant_id, kind, number, {**(known["fields"] if known else {}), **fields})

    def remove(self, tenant_id: str, kind: str, number: int) -> None:
        """Takes a row away; its id is not used again."""
        self.change(tenant_id, kind, number, {_GONE: True})

    def branding(self, tenant_id: str) -> dict[str, Any]:
        """The branding of a tenant."""
        return {**self._tenants[tenant_id]["branding"], **(self._ledger.find_document("branding", tenant_id) or {})}

    def change_branding(self, tenant_id: str, fields: Mapping[str, Any]) -> None:
        """Changes some fields of the branding."""
        changed = self._ledger.find_document("branding", tenant_id) or {}
        self._ledger.put_document("branding", tenant_id, {**changed, **fields})

    def _put(self, tenant_id: str, kind: str, number: int, fields: Mapping[str, Any]) -> None:
        change = {"tenant": tenant_id, "id": number, "fields": fields}
        self._ledger.put_document(kind, f"{tenant_id}/{number}", change)


def _whole(tenant: dict[str, Any]) -> dict[str, Any]:
    """The tenant, once it has everything a tenant needs."""
    for name in TENANT:
        tenant[name]
    return tenant
