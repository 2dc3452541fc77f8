"""The numbered contract of a POS connector, P1 to P11. A vendor adds one fixture and is tested like every other."""

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest
import respx

from hub.contract.base import Capability, PosConnector
from hub.contract.registry import installed_connectors
from hub.contract.tables import load_schema, validate
from hub.contract.writes import Operation, OrderWrite, Replay, Verdict
from hub.errors import (
    ConnectorError,
    OutcomeUnknown,
    UnsupportedByVendor,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
    VendorUnreachable,
)
from hub.model.call import Call
from hub.model.decimals import decode_json
from hub.model.order import VendorRef
from hub.model.status import Stage, Status

HTML = httpx.Response(200, html="<html><body>Bad gateway</body></html>")
NOBODY_KNOWS = "FLAMBEED"


class PosVendor(ABC):
    """A vendor as its documentation describes it, played by a respx router behind the connector."""

    connector: PosConnector
    calls: list[Call]
    """What was recorded of every call."""
    secrets: Sequence[str]
    """Credentials and tokens of this link."""
    order_schema: str
    """Name of the JSON Schema of the body that creates an order."""

    def load_order_schema(self) -> Mapping[str, Any]:
        """That schema, from `mappings/schemas/`; a connector from a package of its own brings it along."""
        return load_schema(self.order_schema)

    @abstractmethod
    def write(self, *, unit_cents: int = 1299, quantity: int = 2) -> OrderWrite:
        """An order of one item without modifiers, ready to be submitted."""

    @abstractmethod
    def takes_orders(self) -> tuple[respx.Route, str]:
        """Everything needed for a submission succeeds: the route that creates the order, and the id it gives."""

    @abstractmethod
    def shows_order(self, *, status: str, total: str) -> VendorRef:
        """The vendor has one order with this status (its own word) and total in major units, and shows it."""

    @abstractmethod
    def renews_tokens(self) -> None:
        """Signing in succeeds; nothing to arrange for a vendor with a fixed key."""

    @abstractmethod
    def order_route(self) -> respx.Route:
        """The route behind `fetch_order` of the order that `shows_order` gave, as arranged there."""

    @abstractmethod
    def lists(self, bodies: Sequence[Any]) -> None:
        """The vendor's list holds the orders that these bodies created, and nothing else."""

    @abstractmethod
    def unit_price_sent(self, body: Any) -> Any:
        """The first line's unit price in a body, as decoded with `Decimal` for fractions.

        None for a vendor that takes no prices from others."""

    @abstractmethod
    def key_sent(self, request: httpx.Request) -> str | None:
        """The idempotency key of the call that created an order."""

    def key_of(self, write: OrderWrite) -> str:
        """The key that must be sent; a vendor that remembers keys for ever may be given the order's own id."""
        return write.idempotency_key

    @abstractmethod
    def refusal(self) -> Mapping[str, Any]:
        """A body that says no under HTTP 200."""

    @abstractmethod
    def ready_for_probe(self) -> respx.Router:
        """Everything `probe` reads is there."""

    @abstractmethod
    def changes_data(self, request: httpx.Request) -> bool:
        """Whether this call could change anything at the vendor; signing in does not count."""


def sent_body(route: respx.Route) -> Any:
    """The decoded body of a route's last call."""
    return decode_json(route.calls.last.request.content)


class PosContract:
    """Derive it as `Test…` with a fixture `vendor` that gives a `PosVendor`."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    async def test_p1_submitting_returns_the_vendors_id(self, vendor: PosVendor) -> None:
        _, vendor_id = vendor.takes_orders()
        result = await vendor.connector.submit_order(vendor.write())
        assert result.ref is not None
        assert (result.ref.kind, result.ref.id) == ("order", vendor_id)

    async def test_p2_a_submitted_order_is_found_again_by_its_mark(self, vendor: PosVendor) -> None:
        route, vendor_id = vendor.takes_orders()
        write = vendor.write()
        await vendor.connector.submit_order(write)
        vendor.lists([sent_body(route)])
        found = await vendor.connector.find_order(write, since_ms=write.order.created_at_ms)
        assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id=vendor_id))

    async def test_p2_an_order_that_never_arrived_is_absent(self, vendor: PosVendor) -> None:
        vendor.lists([])
        write = vendor.write()
        found = await vendor.connector.find_order(write, since_ms=write.order.created_at_ms)
        assert found.verdict is Verdict.ABSENT

    async def test_p2_of_two_orders_with_our_mark_one_may_be_a_draft_and_else_nobody_knows(
        self, vendor: PosVendor
    ) -> None:
        route, vendor_id = vendor.takes_orders()
        write = vendor.write()
        await vendor.connector.submit_order(write)
        vendor.lists([sent_body(route), sent_body(route)])
        found = await vendor.connector.find_order(write, since_ms=write.order.created_at_ms)
        if vendor.connector.write_rule(Operation.SUBMIT_ORDER).replay is Replay.TWO_PHASE:
            assert (found.verdict, found.ref) == (Verdict.FOUND, VendorRef(kind="order", id=vendor_id))
            assert len(found.candidates) == 1
        else:
            assert (found.verdict, len(found.candidates)) == (Verdict.AMBIGUOUS, 2)

    async def test_p2_the_idempotency_key_is_sent_exactly_where_the_vendor_honours_one(self, vendor: PosVendor) -> None:
        route, _ = vendor.takes_orders()
        write = vendor.write()
        await vendor.connector.submit_order(write)
        keyed = vendor.connector.write_rule(Operation.SUBMIT_ORDER).replay is Replay.KEYED
        assert vendor.key_sent(route.calls.last.request) == (vendor.key_of(write) if keyed else None)

    async def test_p2_repeating_a_submission_sends_the_same_bytes(self, vendor: PosVendor) -> None:
        route, _ = vendor.takes_orders()
        write = vendor.write()
        await vendor.connector.submit_order(write)
        await vendor.connector.submit_order(write)
        first, second = (call.request.content for call in route.calls)
        assert first == second

    async def test_p3_an_unknown_status_is_kept_as_it_came(self, vendor: PosVendor) -> None:
        order = await vendor.connector.fetch_order(vendor.shows_order(status=NOBODY_KNOWS, total="25.98"))
        assert (order.status, order.stage, order.raw_status) == (Status.UNKNOWN, Stage.UNKNOWN, NOBODY_KNOWS)

    async def test_p4_every_status_of_the_table_is_read_as_the_table_says(self, vendor: PosVendor) -> None:
        rows = _document(vendor)["order_status"]["from_vendor"]
        for word, row in rows.items():
            for spelling in (word, word.upper()):
                order = await vendor.connector.fetch_order(vendor.shows_order(status=spelling, total="25.98"))
                assert (order.status, order.stage) == (row["status"], row["stage"]), spelling

    async def test_p4_what_we_send_reads_back_as_what_was_meant(self, vendor: PosVendor) -> None:
        tables = vendor.connector.context.tables
        for stage, word in _document(vendor)["order_status"].get("to_vendor", {}).items():
            row = tables.from_vendor("order_status", word)
            assert row is not None
            assert row["stage"] == stage

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            pytest.param(httpx.ConnectError("refused"), VendorUnreachable, id="refused"),
            pytest.param(httpx.ReadTimeout("silence"), OutcomeUnknown, id="timeout"),
            pytest.param(httpx.RemoteProtocolError("cut"), OutcomeUnknown, id="connection cut"),
            pytest.param(httpx.Response(401, json={}), VendorAuthFailed, id="401"),
            pytest.param(httpx.Response(429, headers={"retry-after": "7"}), VendorRateLimited, id="429"),
            pytest.param(httpx.Response(500), OutcomeUnknown, id="500"),
            pytest.param(httpx.Response(504), OutcomeUnknown, id="504"),
            pytest.param(HTML, OutcomeUnknown, id="HTML under 200"),
            pytest.param(httpx.Response(200, content=b'{"data": {"id'), OutcomeUnknown, id="half an answer"),
            pytest.param(httpx.Response(201, json={}), OutcomeUnknown, id="no id"),
            pytest.param(httpx.Response(302, headers={"location": "/"}), VendorRejected, id="redirect"),
            pytest.param(httpx.Response(422, json={"error": "no"}), VendorRejected, id="422"),
        ],
    )
    async def test_p5_a_failed_submission_says_what_happens_next(
        self, vendor: PosVendor, answer: Any, expected: type[ConnectorError]
    ) -> None:
        route, _ = vendor.takes_orders()
        vendor.renews_tokens()
        route.mock(side_effect=answer) if isinstance(answer, Exception) else route.mock(return_value=answer)
        with pytest.raises(ConnectorError) as raised:
            await vendor.connector.submit_order(vendor.write())
        assert type(raised.value) is expected
        if isinstance(raised.value, VendorRateLimited):
            assert raised.value.retry_after_seconds == 7

    async def test_p5_an_unclear_submission_is_sent_once(self, vendor: PosVendor) -> None:
        route, _ = vendor.takes_orders()
        route.mock(side_effect=httpx.ReadTimeout("silence"))
        with pytest.raises(OutcomeUnknown):
            await vendor.connector.submit_order(vendor.write())
        assert route.call_count == 1

    async def test_p5_no_inside_a_200_is_a_rejection(self, vendor: PosVendor) -> None:
        route, _ = vendor.takes_orders()
        route.mock(return_value=httpx.Response(200, json=vendor.refusal()))
        with pytest.raises(VendorRejected):
            await vendor.connector.submit_order(vendor.write())

    async def test_p5_html_where_an_order_was_asked_for_is_malformed(self, vendor: PosVendor) -> None:
        ref = vendor.shows_order(status=NOBODY_KNOWS, total="25.98")
        vendor.order_route().mock(return_value=HTML)
        with pytest.raises(VendorMalformed):
            await vendor.connector.fetch_order(ref)

    async def test_p5_a_read_that_fails_once_is_repeated(self, vendor: PosVendor) -> None:
        ref = vendor.shows_order(status=NOBODY_KNOWS, total="25.98")
        route = vendor.order_route()
        shown = route.return_value
        assert shown is not None
        route.mock(side_effect=[httpx.Response(500), shown])
        assert (await vendor.connector.fetch_order(ref)).ref == ref

    async def test_p6_money_is_exact_on_the_way_out(self, vendor: PosVendor) -> None:
        route, _ = vendor.takes_orders()
        await vendor.connector.submit_order(vendor.write(unit_cents=1299, quantity=2))
        price = vendor.unit_price_sent(sent_body(route))
        if price is None:
            assert b"12.99" not in route.calls.last.request.content
            return
        assert price == Decimal("12.99")
        assert isinstance(price, Decimal)

    async def test_p6_money_is_exact_on_the_way_in(self, vendor: PosVendor) -> None:
        order = await vendor.connector.fetch_order(vendor.shows_order(status=NOBODY_KNOWS, total="25.98"))
        assert order.total_cents == 2598

    async def test_p7_what_is_sent_satisfies_the_vendors_schema(self, vendor: PosVendor) -> None:
        route, _ = vendor.takes_orders()
        await vendor.connector.submit_order(vendor.write())
        jsonschema.validate(msgspec.json.decode(route.calls.last.request.content), vendor.load_order_schema())

    async def test_p8_no_secret_is_in_any_recorded_call(self, vendor: PosVendor) -> None:
        vendor.takes_orders()
        await vendor.connector.submit_order(vendor.write())
        vendor.ready_for_probe()
        await vendor.connector.probe()
        recorded = msgspec.json.encode(vendor.calls).decode()
        assert vendor.calls
        assert [secret for secret in vendor.secrets if secret in recorded] == []

    async def test_p9_what_the_connector_does_not_offer_says_so(self, vendor: PosVendor) -> None:
        write = vendor.write()
        arguments: dict[Capability, tuple[tuple[Any, ...], dict[str, Any]]] = {
            Capability.FIND_ORDER: ((write,), {"since_ms": 0}),
            Capability.LIST_ORDERS: ((), {"since_ms": 0}),
            Capability.CANCEL_ORDER: ((write,), {}),
            Capability.FETCH_MENU: ((), {}),
            Capability.FETCH_CODES: ((), {}),
            Capability.FETCH_ITEM_IDS: ((), {}),
            Capability.SET_STAGE: ((write,), {}),
            Capability.ADD_LINES: ((write,), {}),
        }
        for capability in arguments.keys() - vendor.connector.capabilities:
            positional, named = arguments[capability]
            with pytest.raises(UnsupportedByVendor):
                await getattr(vendor.connector, capability.value)(*positional, **named)

    async def test_p10_a_probe_changes_nothing(self, vendor: PosVendor) -> None:
        router = vendor.ready_for_probe()
        steps = await vendor.connector.probe()
        assert [step.name for step in steps if not step.ok] == []
        assert [call.request.url for call in router.calls if vendor.changes_data(call.request)] == []

    def test_p11_manifest_settings_and_readme_are_complete(self, vendor: PosVendor) -> None:
        registration = installed_connectors().get(vendor.connector.context.link.connector)
        assert registration.connector is type(vendor.connector)
        assert registration.manifest.rate_limits
        assert registration.secret_config_fields()
        readme = _package(vendor).joinpath("README.md").read_text("utf-8")
        for heading in ("Settings", "What works", "Limitations and quirks", "Not used, and why"):
            assert f"## {heading}" in readme
        for setting in registration.config_schema["properties"]:
            assert f"`{setting}`" in readme
        validate(vendor.connector.context.config, registration.config_schema, where="the test's link")


def _package(vendor: PosVendor) -> Any:
    return files(type(vendor.connector).__module__.rpartition(".")[0])


def _document(vendor: PosVendor) -> Mapping[str, Any]:
    own = _package(vendor).joinpath("mapping.toml")
    shared = files("mappings").joinpath(f"{vendor.connector.context.tables.vendor}.toml")
    return tomllib.loads((own if own.is_file() else shared).read_text("utf-8"))
