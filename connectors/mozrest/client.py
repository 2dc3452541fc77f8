"""Mozrest over HTTP: one method per endpoint of the four it provides."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from connectors.mozrest.settings import MozrestSettings
from connectors.mozrest.wire import MozrestOrder
from hub.contract.connector import LinkContext

_LONGEST_REASON = 300
_NO_ORDER: Final = "openpos-hub-probe"


class MozrestClient:
    """Calls Mozrest for one link; methods raise the errors of `VendorHttp`. Order calls give Mozrest's own order id."""

    def __init__(self, context: LinkContext, settings: MozrestSettings) -> None:
        self._settings = settings
        self._http = context.http.at(settings.called_at).explaining(refusal)
        self._headers = {"authorization": f"Bearer {settings.api_key}"}

    async def open_order(self, order: MozrestOrder) -> str:
        """`POST /{venueId}/order`: a table that was seated without a reservation."""
        return await self._send("open_order", "POST", self._settings.path_open, "", order)

    async def update_order(self, order_id: str, order: MozrestOrder) -> str:
        """`PUT /{venueId}/order/{orderId}`: the order as it is now."""
        return await self._send("update_order", "PUT", self._settings.path_update, order_id, order)

    async def close_order(self, order_id: str, order: MozrestOrder) -> str:
        """`PUT /{venueId}/order/{orderId}/close`: the guest has paid."""
        return await self._send("close_order", "PUT", self._settings.path_close, order_id, order)

    async def void_order(self, order_id: str, order: MozrestOrder) -> str:
        """`PUT /{venueId}/order/{orderId}/void`: nothing of the order counts. This address is not documented."""
        return await self._send("void_order", "PUT", self._settings.path_void, order_id, order)

    async def knock(self) -> None:
        """An update that names no order and holds nothing, so that Mozrest can only refuse it.

        It shows whether the key is accepted; Mozrest has no call that merely reads.
        """
        await self._send("probe", "PUT", self._settings.path_update, _NO_ORDER, {})

    async def _send(self, operation: str, method: str, template: str, order_id: str, body: Mapping[str, Any]) -> str:
        path = template.replace("{venueId}", quote(self._settings.venue_id, safe=""))
        path = path.replace("{orderId}", quote(order_id, safe=""))
        answer = await self._http.send(operation, method, path, headers=self._headers, body=body)
        data = answer.data if isinstance(answer.data, Mapping) else {}
        given = data.get("id")
        return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""


def refusal(body: Any) -> str | None:
    """The reason in an error body, its details behind it, or None when the body is none."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not error:
        return None
    if not isinstance(error, Mapping):
        return str(error)[:_LONGEST_REASON]
    words = [str(error.get("message") or "no reason given"), *_details(error.get("details"), "")]
    return ": ".join((words[0], "; ".join(words[1:])) if words[1:] else words)[:_LONGEST_REASON]


def _details(details: Any, path: str) -> Iterator[str]:
    """`checks[0].checkNumber: This value should not be blank.` for every leaf."""
    if isinstance(details, Mapping):
        for name, inner in details.items():
            yield from _details(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(details, list):
        for index, inner in enumerate(details):
            is_text = isinstance(inner, str)
            yield from _details(inner, path if is_text else f"{path}[{index}]")
    elif details is not None:
        yield f"{path}: {details}" if path else str(details)
