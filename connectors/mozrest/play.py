"""Makes the calls Mozrest makes to the hub, for an accreditation, and reads the answers as strictly as it may."""

from collections.abc import Mapping
from typing import Any, assert_never
from urllib.parse import quote, urlencode

import msgspec

from connectors.mozrest.parse import GET_ORDER, LIST_ORDERS, LIST_TABLES, OPEN_ORDER
from connectors.mozrest.settings import MozrestSettings
from hub.contract.accreditation import ChannelCall, ChannelPlayer, ChannelTold
from hub.contract.inbound import Command, GetTab, InboundRoute, ListTables, ListTabs, OpenTab
from hub.errors import InvalidRequest
from hub.model.decimals import decode_json, encode_json


class MozrestPlayer(ChannelPlayer):
    """Mozrest's side of one link."""

    def __init__(self, settings: MozrestSettings) -> None:
        self._settings = settings

    def call(self, command: Command, *, token: str | None = None) -> ChannelCall:
        """The call as Mozrest's documentation shows it."""
        given = self._settings.hub_token if token is None else token
        headers = {"authorization": f"Bearer {given}", "accept": "application/json"}
        if isinstance(command, ListTables):
            return ChannelCall("GET", self._path(LIST_TABLES), headers)
        if isinstance(command, GetTab):
            return ChannelCall("GET", self._path(GET_ORDER, command.order_id), headers)
        if isinstance(command, ListTabs):
            status = {True: "open", False: "closed", None: ""}[command.is_open]
            query = f"?{urlencode({'status': status})}" if status else ""
            return ChannelCall("GET", self._path(LIST_ORDERS) + query, headers)
        if isinstance(command, OpenTab):
            body = encode_json(_seating(command))
            return ChannelCall("POST", self._path(OPEN_ORDER), {**headers, "content-type": "application/json"}, body)
        assert_never(command)

    def read(self, command: Command, body: bytes) -> ChannelTold:
        """The tables or order ids in an answer; every one must be a text, as documented."""
        try:
            answer = decode_json(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise InvalidRequest("the answer is not JSON") from problem
        wants_many = isinstance(command, ListTables | ListTabs)
        if not isinstance(answer, list if wants_many else Mapping):
            raise InvalidRequest(f"the answer should be {'an array' if wants_many else 'an object'}")
        ids = tuple(_id(row) for row in (answer if wants_many else [answer]))
        if (
            isinstance(command, OpenTab)
            and isinstance(answer, Mapping)
            and not isinstance(answer.get("checkNumber"), str)
        ):
            raise InvalidRequest("checkNumber: should be a text")
        return ChannelTold(tables=ids) if isinstance(command, ListTables) else ChannelTold(order_ids=ids)

    def _path(self, route: InboundRoute, order_id: str = "") -> str:
        path = route.path.replace("{venueId}", quote(self._settings.calls_us_as, safe=""))
        return path.replace("{orderId}", quote(order_id, safe=""))


def _seating(command: OpenTab) -> dict[str, Any]:
    body: dict[str, Any] = {"id": command.channel_order_id, "tables": list(command.tables)}
    if command.party_size is not None:
        body["partySize"] = command.party_size
    if command.customer is not None:
        body["guestName"] = command.customer.name
    return body


def _id(row: Any) -> str:
    value = row.get("id") if isinstance(row, Mapping) else None
    if not isinstance(value, str) or not value:
        raise InvalidRequest("id: should be a text")
    return value
