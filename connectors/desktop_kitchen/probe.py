"""Tries everything a Desktop Kitchen link needs, changing nothing."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from connectors.desktop_kitchen.client import DesktopKitchenClient
from connectors.desktop_kitchen.settings import DesktopKitchenSettings
from connectors.desktop_kitchen.values import read_id
from hub.contract.connector import ProbeStep
from hub.errors import ConnectorError

_TAKE_ORDERS = "pos_access"


async def probe_link(client: DesktopKitchenClient, settings: DesktopKitchenSettings) -> Sequence[ProbeStep]:
    """Logs in, then reads employees, the menu and the kitchen's orders."""
    steps = []
    if not settings.legacy_employee_header:
        try:
            employee = await client.session.log_in()
        except ConnectorError as problem:
            return [ProbeStep(name="credentials", ok=False, detail=problem.message)]
        steps += [ProbeStep(name="credentials", ok=True), _permission(employee.get("permissions"))]
    if settings.employee_id is not None:
        steps.append(await _employee(client, settings.employee_id))
    steps.append(await _reads("menu", client.fetch_items))
    steps.append(await _reads("orders", client.fetch_kitchen))
    return steps


def _permission(permissions: Any) -> ProbeStep:
    """Whether the employee may take orders; a server that tells no permissions says nothing against it."""
    if not isinstance(permissions, list) or _TAKE_ORDERS in permissions:
        return ProbeStep(name="permission", ok=True)
    return ProbeStep(name="permission", ok=False, detail=f"the employee's role lacks {_TAKE_ORDERS}: make it a cashier")


async def _employee(client: DesktopKitchenClient, employee_id: int) -> ProbeStep:
    try:
        rows = await client.fetch_employees()
    except ConnectorError as problem:
        return ProbeStep(name="employee", ok=False, detail=problem.message)
    names = [str(row.get("name")) for row in rows if read_id(row.get("id")) == str(employee_id)]
    return ProbeStep(
        name="employee", ok=bool(names), detail=names[0] if names else f"the restaurant has no employee {employee_id}"
    )


async def _reads(name: str, read: Callable[[], Awaitable[object]]) -> ProbeStep:
    try:
        await read()
    except ConnectorError as problem:
        return ProbeStep(name=name, ok=False, detail=problem.message)
    return ProbeStep(name=name, ok=True)
