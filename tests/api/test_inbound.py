"""Where channels call: every answer is in the channel's own words, strangers are refused unread, calls are recorded."""

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from msgspec import structs

from hub.api import edge as edge_module
from hub.api import inbound as inbound_module
from hub.api.inbound import Inbound
from hub.contract.channel import ChannelConnector
from hub.contract.connector import ProbeStep
from hub.contract.inbound import (
    Command,
    CommandResult,
    GetTab,
    InboundReply,
    InboundRequest,
    InboundRoute,
    ListTabs,
    OpenTab,
    Tab,
    TabResult,
    TabsResult,
)
from hub.contract.manifest import Manifest
from hub.contract.redact import Redactor
from hub.contract.registry import Registration, Registry
from hub.contract.tables import VendorTables
from hub.contract.writes import OrderWrite, Replay, WriteResult, write
from hub.errors import ConfigurationError, Conflict, HubError, Unauthorized, VendorUnavailable
from hub.model.venue import Link, Venue
from hub.services.channels import Channels
from hub.services.limits import RequestLimits, RequestRules
from hub.trace.inbound import InboundTrace
from tests.api.edges import NOW, edge
from tests.contract.ports import CallList, StandingClock
from tests.database.stored import order_of

pytestmark = pytest.mark.anyio

TOKEN = "bells-and-whistles"
ORDER = order_of(order_id="order_" + "a" * 32)


class Bells(ChannelConnector):
    """A channel that rings: `!` stands before every error, the body is the table."""

    routes = (
        InboundRoute("sit", "POST", "/venue/{venue}/sit"),
        InboundRoute("show", "GET", "/venue/{venue}/orders/{order}"),
        InboundRoute("all", "GET", "/venue/{venue}/orders"),
    )

    def __init__(self) -> None:
        self.context: Any = SimpleNamespace(http=SimpleNamespace(redactor=Redactor(values=["swordfish"])))
        self.parsed: list[InboundRequest] = []

    async def probe(self) -> Sequence[ProbeStep]:
        return ()

    def authenticate(self, request: InboundRequest) -> None:
        assert request.body == b""
        if request.headers.get("authorization") != f"Bell {TOKEN}":
            raise Unauthorized("who rings?")

    def parse(self, request: InboundRequest) -> Command:
        self.parsed.append(request)
        if request.route.name == "sit":
            return OpenTab(tables=(request.body.decode(),))
        return GetTab(order_id=request.path["order"]) if request.route.name == "show" else ListTabs()

    def render(self, command: Command, result: CommandResult) -> InboundReply:
        return InboundReply(200, b"ding", {"content-type": "text/plain"})

    @classmethod
    def render_error(cls, error: HubError) -> InboundReply:
        return InboundReply(error.status, f"!{error.message}".encode(), {"content-type": "text/plain"})

    @write(Replay.REPEATABLE)
    async def push_changed(self, request: OrderWrite) -> WriteResult:
        return WriteResult()

    @write(Replay.REPEATABLE)
    async def push_closed(self, request: OrderWrite) -> WriteResult:
        return WriteResult()


class House:
    """One venue with two links to the channel, as directory and as those who carry commands out."""

    def __init__(self) -> None:
        self.connector = Bells()
        venue = Venue(id="loc_1", slug="bistro", name="B", currency="EUR", timezone="UTC", order_prefix="B")
        self._venue = venue
        plain = Link(id="link_1", venue_id="loc_1", connector="bells", role="channel")
        self.all_links = [
            plain,
            structs.replace(plain, id="link_2", name="terrace"),
            structs.replace(plain, id="link_3", name="upper floor/west"),
            structs.replace(plain, id="link_4", name="tired", paused_cause="LINK_PAUSED"),
            Link(id="link_pos", venue_id="loc_1", connector="bells"),
        ]
        self.asked: list[tuple[str, Command]] = []
        self.answer: CommandResult | Exception = TabResult(Tab(order=ORDER))
        self.misconfigured = False

    def links(self) -> list[Link]:
        return self.all_links

    def venue(self, _: str) -> Venue:
        return self._venue

    def key(self, _: bytes) -> None:
        return None

    def channel(self, _: str) -> Bells:
        if self.misconfigured:
            raise ConfigurationError("link bells: hub_token: the environment has no SECRET_NAME")
        return self.connector

    async def carry_out(self, link: Link, command: Command) -> CommandResult:
        self.asked.append((link.id, command))
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is HANGS:
            await asyncio.sleep(60)
        return self.answer


HANGS = TabsResult([])


class Door:
    """The application behind its edge."""

    def __init__(self, rules: RequestRules | None = None, max_body_bytes: int = 1000) -> None:
        self.house = House()
        self.calls = CallList()
        house: Any = self.house
        clock = StandingClock(NOW)
        manifest = Manifest(id="bells", name="Bells", role="channel", docs="https://b.example", secret_headers=())
        registration = Registration(
            connector=Bells, manifest=manifest, config_schema={}, tables=VendorTables("bells", {})
        )
        self.channels = Channels(registry=Registry({"bells": registration}), directory=house, connections=house)
        limits = RequestLimits(database=None, clock=clock, shared=False)  # type: ignore[arg-type]
        app = Inbound(
            channels=self.channels,
            seating=house,
            limits=limits,
            trace=InboundTrace(self.calls),
            now_ms=clock.now_ms,
            max_body_bytes=max_body_bytes,
        )
        self.app = edge(app, house, clock=clock, rules=rules, refuse_themselves=("/inbound/",))
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self.client = httpx.AsyncClient(transport=transport, base_url="http://hub/inbound")

    async def call(
        self, method: str = "POST", path: str = "/bells/bistro/venue/v/sit", content: Any = b"T1", token: str = TOKEN
    ) -> httpx.Response:
        headers = {"authorization": f"Bell {token}"} if token else {}
        return await self.client.request(method, path, content=content, headers=headers)


@pytest.fixture
def door() -> Door:
    return Door()


async def test_a_call_is_carried_out_and_answered_in_the_channels_words(door: Door) -> None:
    answer = await door.call()
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "ding", "text/plain")
    assert door.house.asked == [("link_1", OpenTab(tables=("T1",)))]


@pytest.mark.parametrize(
    ("place", "link_id"),
    [("bistro", "link_1"), ("link_1", "link_1"), ("bistro.terrace", "link_2"), ("link_3", "link_3")],
)
async def test_an_address_means_one_link(door: Door, place: str, link_id: str) -> None:
    await door.call("GET", f"/bells/{place}/venue/v/orders/7")
    assert door.house.asked == [(link_id, GetTab(order_id="7"))]


def test_the_address_of_a_link_can_be_told(door: Door) -> None:
    told = [door.channels.path(link) for link in door.house.all_links[:3]]
    assert told == ["/inbound/bells/bistro", "/inbound/bells/bistro.terrace", "/inbound/bells/link_3"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/bells/nowhere/venue/v/sit"),
        ("POST", "/bells/link_pos/venue/v/sit"),
        ("POST", "/bells"),
        ("POST", "/bells/bistro"),
        ("DELETE", "/bells/bistro/venue/v/sit"),
        ("PUT", "/bells/bistro/venue/v/w/sit"),
        ("GET", "/bells/bistro/venue/v/orders/%00"),
        ("GET", "/bells/bistro/venue/v/orders/a%2Fb"),
        ("GET", "/bells/bistro/venue//orders"),
    ],
)
async def test_what_is_not_there_is_said_in_the_channels_words(door: Door, method: str, path: str) -> None:
    answer = await door.call(method, path)
    assert (answer.status_code, answer.text[0]) == (404, "!")
    assert door.house.asked == []


async def test_an_unknown_channel_has_no_words_of_its_own(door: Door) -> None:
    answer = await door.call("GET", "/whistles/bistro/orders")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_slash_at_the_end_does_not_count_and_the_query_is_passed_on(door: Door) -> None:
    answer = await door.call("GET", "/bells/bistro/venue/v/orders/?status=open&from=2025-02-01T00%3A00%3A00%2B04%3A00")
    assert answer.status_code == 200
    assert door.house.connector.parsed[0].query == {"status": "open", "from": "2025-02-01T00:00:00+04:00"}


@pytest.mark.parametrize("query", ["a=%00", "&".join(f"f{n}=1" for n in range(60))])
async def test_a_query_that_makes_no_sense_is_refused(door: Door, query: str) -> None:
    assert (await door.call("GET", f"/bells/bistro/venue/v/orders?{query}")).status_code == 400


async def test_a_stranger_is_refused_before_the_body_is_read(door: Door) -> None:
    read: list[bytes] = []

    async def body() -> Any:
        read.append(b"x")
        yield b"x"

    answer = await door.call(token="guess", content=body())
    assert (answer.status_code, answer.text) == (401, "!who rings?")
    assert door.house.connector.parsed == []
    assert door.calls.calls[0].request_body == ""


async def test_a_body_that_is_too_long_is_refused(door: Door) -> None:
    answer = await door.call(content=b"x" * 1001)
    assert (answer.status_code, answer.text[0], answer.headers["connection"]) == (413, "!", "close")
    assert (await door.call(content=b"x" * 1000)).status_code == 200


async def test_a_body_that_does_not_come_is_refused_in_the_channels_words(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "_BODY_SECONDS", 0.02)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/inbound/bells/bistro/venue/v/sit",
        "query_string": b"",
        "headers": [(b"host", b"hub"), (b"authorization", f"Bell {TOKEN}".encode())],
        "client": ("127.0.0.1", 1),
    }
    await door.app(scope, receive, send)
    assert (sent[0]["status"], sent[1]["body"][:6]) == (400, b"!body:")


async def test_a_paused_link_says_try_again_later_to_those_it_knows(door: Door) -> None:
    path = "/bells/bistro.tired/venue/v/sit"
    assert (await door.call(path=path)).status_code == 503
    assert (await door.call(path=path, token="guess")).status_code == 401
    assert door.house.asked == []


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        (Conflict("table T1 is occupied", code="TABLE_OCCUPIED"), 409, "!table T1 is occupied"),
        (ValueError("secret detail"), 500, "!Server error, please retry"),
        (VendorUnavailable("the POS at 10.0.0.7 is away"), 500, "!Server error, please retry"),
        (ConfigurationError("/etc/hub.toml is wrong"), 500, "!Server error, please retry"),
    ],
)
async def test_what_goes_wrong_is_told_without_the_hubs_own_affairs(
    door: Door, problem: Exception, status: int, words: str
) -> None:
    door.house.answer = problem
    answer = await door.call()
    assert (answer.status_code, answer.text) == (status, words)
    assert type(problem).__name__ in door.calls.calls[0].error


async def test_a_link_whose_secret_is_missing_is_our_fault(door: Door) -> None:
    door.house.misconfigured = True
    answer = await door.call()
    assert (answer.status_code, answer.text) == (500, "!Server error, please retry")


async def test_what_takes_too_long_may_be_repeated(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound_module, "_ANSWERED_WITHIN_SECONDS", 0.02)
    door.house.answer = HANGS
    answer = await door.call()
    assert (answer.status_code, answer.text) == (503, "!not done within 0.02 seconds; repeat it")


async def test_a_call_is_recorded_with_link_and_order_and_without_secrets(door: Door) -> None:
    await door.call("POST", "/bells/bistro/venue/v/sit?x=swordfish", content=b"T1 swordfish")
    [call] = door.calls.calls
    assert (call.direction, call.link_id, call.order_id, call.operation, call.status) == (
        "in",
        "link_1",
        ORDER.id,
        "sit",
        200,
    )
    assert (call.request_body, call.response_body) == ("T1 [hidden]", "ding")
    assert "swordfish" not in call.url
    assert json.loads(call.request_headers)["authorization"] == "[hidden]"


async def test_the_guests_of_a_list_are_not_recorded(door: Door) -> None:
    door.house.answer = TabsResult([Tab(order=ORDER)])
    await door.call("GET", "/bells/bistro/venue/v/orders?guest=Ada")
    [call] = door.calls.calls
    assert (call.response_body, call.url) == ("", "/inbound/bells/bistro/venue/v/orders")


async def test_a_channel_is_not_held_to_the_limit_of_its_address_but_guessing_is() -> None:
    door = Door(RequestRules(per_minute=5))
    for _ in range(20):
        assert (await door.call()).status_code == 200
    guesses = [(await door.call(token="guess")) for _ in range(8)]
    assert [answer.status_code for answer in guesses] == [401] * 5 + [429] * 3
    assert guesses[-1].text.startswith("!Too many requests")
    assert (await door.call("GET", "/bells/nowhere/x")).status_code == 429
    assert (await door.call("GET", "/whistles/x/x")).status_code == 429
    assert (await door.call()).status_code == 200


async def test_one_link_may_call_ten_times_a_second(door: Door) -> None:
    answers = [(await door.call("GET", "/bells/bistro/venue/v/orders/7")).status_code for _ in range(601)]
    assert answers == [200] * 600 + [429]
    assert (await door.call("GET", "/bells/bistro.terrace/venue/v/orders/7")).status_code == 200
