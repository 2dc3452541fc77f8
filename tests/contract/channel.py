"""The numbered contract of a channel connector, C1 to C6. A channel adds one fixture and is tested like every other."""

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest
import respx
from msgspec import structs

from hub.contract.channel import ChannelConnector
from hub.contract.inbound import (
    Command,
    GetTab,
    InboundReply,
    InboundRequest,
    ListTables,
    ListTabs,
    OpenTab,
    Tab,
    TablesResult,
    TabResult,
    TabsResult,
)
from hub.contract.registry import installed_connectors
from hub.contract.tables import load_schema, validate
from hub.contract.writes import CHANNEL_OPERATIONS, Operation, OrderWrite, Replay
from hub.errors import (
    BodyTooLarge,
    Conflict,
    ConnectorError,
    Forbidden,
    HubError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedByVendor,
    VendorAuthFailed,
    VendorRateLimited,
    VendorRejected,
    VendorUnreachable,
)
from hub.model.call import Call
from hub.model.change import OrderSnapshot
from hub.model.decimals import decode_json
from hub.model.order import Order, VendorRef
from hub.model.status import Status
from hub.model.table import Table

OFFERED = [operation for operation in CHANNEL_OPERATIONS if operation is not Operation.PUSH_OPENED]


class ChannelParty(ABC):
    """A channel as its documentation describes it, played by a respx router behind the connector."""

    connector: ChannelConnector
    calls: list[Call]
    """What was recorded of every call."""
    secrets: Sequence[str]
    """Credentials of both directions."""
    error_schema: str
    """Name of the JSON Schema of an error body."""
    order_schema: str
    """Name of the JSON Schema of what is pushed."""

    @abstractmethod
    def order(self, *, status: Status = Status.OPEN, unit_cents: int = 1299, quantity: int = 2) -> Order:
        """An order at a table, with one check of one item."""

    @abstractmethod
    def examples(self) -> Mapping[type[Command], InboundRequest]:
        """A documented call for each command, with its token."""

    @abstractmethod
    def without_token(self, request: InboundRequest) -> InboundRequest:
        """The same call by somebody who has none."""

    @abstractmethod
    def with_token(self, request: InboundRequest, token: str) -> InboundRequest:
        """The same call with another token."""

    @abstractmethod
    def malformed(self) -> Sequence[InboundRequest]:
        """Calls to open an order that cannot be understood."""

    @abstractmethod
    def takes(self, operation: Operation) -> respx.Route:
        """The channel takes this push."""

    @abstractmethod
    def unit_price(self, body: Any) -> Any:
        """The first line's unit price in a body, as decoded with `Decimal` for fractions."""

    @abstractmethod
    def ready_for_probe(self) -> respx.Router:
        """Everything `probe` needs is there."""

    @abstractmethod
    def changes_data(self, request: httpx.Request) -> bool:
        """Whether this call could change anything at the channel."""


class ChannelContract:
    """Derive it as `Test…` with a fixture `channel` that gives a `ChannelParty`."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    def test_c1_a_call_without_a_token_is_refused_before_its_body_is_read(self, channel: ChannelParty) -> None:
        for request in channel.examples().values():
            with pytest.raises(Unauthorized):
                channel.connector.authenticate(channel.without_token(replace(request, body=b"\xff{")))

    @pytest.mark.parametrize("token", ["", " ", "x", "Bearer", "tökén", "a" * 10_000])
    def test_c1_a_wrong_token_is_refused(self, channel: ChannelParty, token: str) -> None:
        for request in channel.examples().values():
            with pytest.raises(Unauthorized):
                channel.connector.authenticate(channel.with_token(request, token))

    def test_c1_our_own_credentials_do_not_open_the_door(self, channel: ChannelParty) -> None:
        request = channel.examples()[OpenTab]
        channel.connector.authenticate(request)
        known = [secret for secret in channel.secrets if secret not in str(request.headers)]
        for secret in known:
            with pytest.raises(Unauthorized):
                channel.connector.authenticate(channel.with_token(request, secret))

    def test_c2_each_documented_example_is_the_command_it_should_be(self, channel: ChannelParty) -> None:
        for command, request in channel.examples().items():
            channel.connector.authenticate(request)
            assert type(channel.connector.parse(request)) is command

    def test_c2_every_route_leads_to_a_command(self, channel: ChannelParty) -> None:
        named = {request.route for request in channel.examples().values()}
        assert named <= set(channel.connector.routes)
        assert {ListTables, OpenTab, GetTab, ListTabs} <= channel.examples().keys()

    def test_c2_unknown_fields_are_ignored(self, channel: ChannelParty) -> None:
        request = channel.examples()[OpenTab]
        body = {**decode_json(request.body), "brandNew": {"a": [1, None]}, "x": 1.5}
        grown = replace(request, body=msgspec.json.encode(body, enc_hook=float))
        assert channel.connector.parse(grown) == channel.connector.parse(request)

    def test_c2_a_malformed_call_is_refused_and_names_what_is_wrong(self, channel: ChannelParty) -> None:
        for request in channel.malformed():
            with pytest.raises(InvalidRequest) as raised:
                channel.connector.parse(request)
            assert raised.value.message

    @pytest.mark.parametrize(
        "error",
        [
            InvalidRequest("tables: is missing", field="tables"),
            Unauthorized("no"),
            Forbidden("no"),
            NotFound("none"),
            Conflict("taken", code="TABLE_OCCUPIED"),
            BodyTooLarge("long"),
            TooManyRequests("often", retry_after_seconds=7),
            HubError("Server error, please retry"),
            Unavailable("later", retry_after_seconds=9),
        ],
        ids=lambda error: str(error.status),
    )
    def test_c2_every_error_has_the_channels_own_shape(self, channel: ChannelParty, error: HubError) -> None:
        reply = type(channel.connector).render_error(error)
        assert reply.status == error.status
        jsonschema.validate(msgspec.json.decode(reply.body), load_schema(channel.error_schema))
        if isinstance(error, TooManyRequests | Unavailable):
            assert reply.headers["retry-after"] == str(error.retry_after_seconds)

    def test_c3_a_closed_order_is_shown_like_an_open_one(self, channel: ChannelParty) -> None:
        shown = [self._shown(channel, channel.order(status=status)) for status in (Status.OPEN, Status.CLOSED)]
        assert shown[0].keys() == shown[1].keys()
        assert shown[0] != shown[1]

    def test_c3_an_order_in_the_list_is_the_order_itself(self, channel: ChannelParty) -> None:
        tabs = [Tab(order=channel.order(status=status)) for status in (Status.OPEN, Status.CLOSED, Status.VOID)]
        command = channel.connector.parse(channel.examples()[ListTabs])
        listed = _content(channel.connector.render(command, TabsResult(tabs)))
        assert listed == [self._shown(channel, tab.order) for tab in tabs]

    def test_c3_tables_and_a_seating_are_answered_with_200(self, channel: ChannelParty) -> None:
        tables = TablesResult([Table(id="T12", name="T12")])
        opened = TabResult(Tab(order=channel.order()))
        for kind, result in ((ListTables, tables), (OpenTab, opened)):
            command = channel.connector.parse(channel.examples()[kind])
            reply = channel.connector.render(command, result)
            assert reply.status == 200
            assert _content(reply)

    def _shown(self, channel: ChannelParty, order: Order) -> Any:
        command = channel.connector.parse(channel.examples()[GetTab])
        return _content(channel.connector.render(command, TabResult(Tab(order=order))))

    def test_c4_every_push_declares_how_it_may_be_repeated(self, channel: ChannelParty) -> None:
        for operation in OFFERED:
            assert channel.connector.write_rule(operation).replay is Replay.REPEATABLE
        if type(channel.connector).hears_of_walk_ins():
            assert channel.connector.write_rule(Operation.PUSH_OPENED).replay is not Replay.ONCE

    @pytest.mark.parametrize("operation", OFFERED)
    async def test_c4_a_push_arrives_once_and_may_be_repeated_byte_for_byte(
        self, channel: ChannelParty, operation: Operation
    ) -> None:
        route = channel.takes(operation)
        write = push(channel, operation)
        await getattr(channel.connector, operation.value)(write)
        assert route.call_count == 1
        await getattr(channel.connector, operation.value)(write)
        first, second = (call.request for call in route.calls)
        assert (first.method, first.url, first.content) == (second.method, second.url, second.content)

    @pytest.mark.parametrize("operation", OFFERED)
    async def test_c4_a_push_tells_the_order_as_it_was(self, channel: ChannelParty, operation: Operation) -> None:
        route = channel.takes(operation)
        write = push(channel, operation)
        assert isinstance(write.change, OrderSnapshot)
        meanwhile = structs.replace(channel.order(unit_cents=9999), version=write.order.version + 3)
        await getattr(channel.connector, operation.value)(structs.replace(write, order=meanwhile))
        assert channel.unit_price(decode_json(route.calls.last.request.content)) == Decimal("12.99")

    async def test_c4_a_walk_in_gives_the_channels_id_or_is_not_offered(self, channel: ChannelParty) -> None:
        if not type(channel.connector).hears_of_walk_ins():
            with pytest.raises(UnsupportedByVendor):
                await channel.connector.push_opened(push(channel, Operation.PUSH_OPENED))
            return
        channel.takes(Operation.PUSH_OPENED)
        result = await channel.connector.push_opened(push(channel, Operation.PUSH_OPENED))
        assert result.ref is not None
        assert result.ref.kind == "order"

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            pytest.param(httpx.ConnectError("refused"), VendorUnreachable, id="refused"),
            pytest.param(httpx.ReadTimeout("silence"), OutcomeUnknown, id="timeout"),
            pytest.param(httpx.Response(401, json={}), VendorAuthFailed, id="401"),
            pytest.param(httpx.Response(429, headers={"retry-after": "7"}), VendorRateLimited, id="429"),
            pytest.param(httpx.Response(500), OutcomeUnknown, id="500"),
            pytest.param(httpx.Response(503), OutcomeUnknown, id="503"),
            pytest.param(httpx.Response(200, html="<html>"), OutcomeUnknown, id="HTML under 200"),
            pytest.param(httpx.Response(400, json={}), VendorRejected, id="400"),
        ],
    )
    @pytest.mark.parametrize("operation", OFFERED)
    async def test_c4_a_failed_push_says_what_happens_next(
        self, channel: ChannelParty, operation: Operation, answer: Any, expected: type[ConnectorError]
    ) -> None:
        route = channel.takes(operation)
        route.mock(side_effect=answer) if isinstance(answer, Exception) else route.mock(return_value=answer)
        with pytest.raises(ConnectorError) as raised:
            await getattr(channel.connector, operation.value)(push(channel, operation))
        assert type(raised.value) is expected
        assert route.call_count == 1

    @pytest.mark.parametrize("operation", OFFERED)
    async def test_c5_money_is_exact_and_what_is_sent_satisfies_the_schema(
        self, channel: ChannelParty, operation: Operation
    ) -> None:
        route = channel.takes(operation)
        await getattr(channel.connector, operation.value)(push(channel, operation))
        content = route.calls.last.request.content
        price = channel.unit_price(decode_json(content))
        assert price == Decimal("12.99")
        assert isinstance(price, Decimal)
        jsonschema.validate(msgspec.json.decode(content), load_schema(channel.order_schema))

    async def test_c5_no_secret_is_in_any_recorded_call(self, channel: ChannelParty) -> None:
        channel.ready_for_probe()
        await channel.connector.probe()
        for operation in OFFERED:
            channel.takes(operation)
            await getattr(channel.connector, operation.value)(push(channel, operation))
        recorded = msgspec.json.encode(channel.calls).decode()
        assert len(channel.calls) > len(OFFERED)
        assert [secret for secret in channel.secrets if secret in recorded] == []

    async def test_c5_a_probe_changes_nothing(self, channel: ChannelParty) -> None:
        router = channel.ready_for_probe()
        steps = await channel.connector.probe()
        assert [step.name for step in steps if not step.ok] == []
        assert [call.request.url for call in router.calls if channel.changes_data(call.request)] == []

    def test_c6_manifest_settings_and_readme_are_complete(self, channel: ChannelParty) -> None:
        registration = installed_connectors().get(channel.connector.context.link.connector)
        assert registration.channel is type(channel.connector)
        assert registration.manifest.role == "channel"
        assert registration.secret_config_fields()
        readme = _package(channel).joinpath("README.md").read_text("utf-8")
        for heading in ("Settings", "What works", "Limitations and quirks", "Not used, and why"):
            assert f"## {heading}" in readme
        for setting in registration.config_schema["properties"]:
            assert f"`{setting}`" in readme
        validate(channel.connector.context.config, registration.config_schema, where="the test's link")

    def test_c6_every_status_and_method_has_a_word(self, channel: ChannelParty) -> None:
        document = tomllib.loads(files("mappings").joinpath(f"{_id(channel)}.toml").read_text("utf-8"))
        assert set(document["order_status"]["to_vendor"]) == set(Status)


def push(channel: ChannelParty, operation: Operation) -> OrderWrite:
    """What the outbox gives for this push."""
    status = {Operation.PUSH_CLOSED: Status.CLOSED, Operation.PUSH_VOID: Status.VOID}.get(operation, Status.OPEN)
    order = channel.order(status=status)
    return OrderWrite(
        order=order,
        idempotency_key="0fe7bc1e-9972-4c2f-bf03-4e0f09ba9d9d",
        mark="#H7F3K9Q2",
        ref=None if operation is Operation.PUSH_OPENED else VendorRef(kind="order", id="channel-1"),
        change=OrderSnapshot(order=order),
    )


def _content(reply: InboundReply) -> Any:
    return decode_json(reply.body)


def _id(channel: ChannelParty) -> str:
    return channel.connector.context.link.connector


def _package(channel: ChannelParty) -> Any:
    return files(type(channel.connector).__module__.rpartition(".")[0])
