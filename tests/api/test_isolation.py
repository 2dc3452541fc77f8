"""Nothing of a store leaves through the key of another one, whatever is asked of whichever operation or tool."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api.operations import OPERATIONS
from hub.api.tools import bind
from tests.api.agents import call
from tests.api.asking import Asking, about, arguments_of, path_of
from tests.api.filled import FOREIGN, OWN, OWN_KEY, PUBLIC, SECRET, Things, declare, fill, rows_about
from tests.api.house import House, open_house
from tests.postgres import Server

TOOLS = bind(OPERATIONS)
PUBLIC_OPERATIONS = {"get_stores", "get_store_info", "get_menu", "get_store_context", "get_order"}
"""What everybody may read of a store without a key: the list of stores, its page and menu, and an order without the
guest."""
_SEARCHES = {"query": ("birch", "sec", "7654321"), "guest": ("birch",), "table": ("birch-secret table",)}


class Burglar:
    """The key of one store, in a hub where another one has data too."""

    def __init__(self, runner: asyncio.Runner, house: House) -> None:
        self.run, self.house = runner.run, house
        self.own, self.foreign = (self.run(fill(house, slug)) for slug in (OWN, FOREIGN))
        self.house.till.asked.clear()
        self.before = self.rows()

    def rows(self) -> set[str]:
        """Everything that is stored of the other store."""
        return self.run(rows_about(self.house, [self.foreign]))

    def check(self, answer: httpx.Response, *forbidden: str) -> None:
        """Neither the answer nor the database shows that somebody reached into the other store."""
        given = f"{answer.text} {answer.headers}"
        assert not [word for word in forbidden if word in given], answer.text
        assert answer.status_code < 500, answer.text
        assert self.house.till.asked == []


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def burglar(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Burglar]:
    folder = tmp_path_factory.mktemp("isolation")
    url = ""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = server.create_database()

    async def opened(stack: AsyncExitStack) -> House:
        house = await stack.enter_async_context(open_house(folder, url))
        await house.hub.database.write(declare)
        await house.hub.directory.refresh()
        return house

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        burglar = Burglar(runner, runner.run(opened(stack)))
        burglar.count = 400 if request.param == "sqlite" else 60  # type: ignore[attr-defined]
        yield burglar
        runner.run(stack.aclose())


def mixed(draw: Any, asking: Asking, own: Things, foreign: Things, query: tuple[str, ...]) -> Asking:
    """A request whose every id, name and search may be one of either store."""

    def some(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: some(key, inner) for key, inner in value.items()}
        if isinstance(value, list) and value:
            return [some(name, inner) for inner in value]
        kind = {"itemId": "item", "checkId": "check", "to": "check", "customerId": "customer"}.get(name, name)
        known = [*foreign.named.get(kind, ()), *own.named.get(kind, ())[:1]]
        return draw(st.sampled_from(known)) if known and isinstance(value, str) else value

    body = some("", asking.body)
    if isinstance(body, dict) and "customer" in body and draw(st.booleans()):
        body = {name: value for name, value in body.items() if name != "customer"}
        body["customerId"] = draw(st.sampled_from(foreign.named["customer"]))
    if isinstance(body, dict) and draw(st.integers(0, 3)) == 0:
        body = body | {"quoteId": foreign.one("quoteId"), "externalId": foreign.one("externalId")}
    asked = dict(asking.query)
    for name in query:
        pool = [*foreign.named.get(name, ()), *_SEARCHES.get(name, ())]
        pool += foreign.named["order"] if name == "number" else []
        pool += [each for kind in ("order", "customer") for each in foreign.named[kind]] if name == "cursor" else []
        if pool and draw(st.booleans()):
            asked[name] = draw(st.sampled_from(pool))
        elif name in ("storeSlug", "locationId") and draw(st.booleans()):
            asked.pop(name, None)
    return Asking({name: some(name, value) for name, value in asking.path.items()}, asked, body)


def test_a_store_s_key_opens_nothing_of_another_store(burglar: Burglar) -> None:
    asked_of = [*((operation, None) for operation in OPERATIONS), *((one.operation, one) for one in TOOLS.values())]

    @settings(
        max_examples=burglar.count,  # type: ignore[attr-defined]
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def attempt(data: st.DataObject) -> None:
        operation, bound = data.draw(st.sampled_from(asked_of))
        target = data.draw(st.sampled_from([burglar.foreign, burglar.foreign, burglar.own]))
        plain = about(operation, target, burglar.house.hub.now_ms())
        asking = mixed(data.draw, plain, burglar.own, burglar.foreign, operation.query)
        if bound is not None:
            arguments = arguments_of(bound, target, asking)
            answer = burglar.run(call(burglar.house, bound.name, arguments, key=OWN_KEY))
        else:
            more = {"idempotency_key": "one"} if data.draw(st.booleans()) else {}
            path = path_of(operation, asking)
            answer = burglar.run(burglar.house.ask(operation.method, path, asking.body, key=OWN_KEY, **more))
        burglar.check(answer, SECRET, PUBLIC)

    attempt()
    after = burglar.rows()
    assert burglar.before - after == set()
    own = (burglar.own.one("locationId"), f"key_{OWN_KEY}")  # who types an id of the other store has it in its own rows
    assert [row for row in after - burglar.before if not any(word in row for word in own)] == []


def test_what_is_listed_to_the_key_afterwards_is_its_own(burglar: Burglar) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET" and "{" not in operation.path:
            asking = about(operation, burglar.own, burglar.house.hub.now_ms())
            for query in ({}, {"storeSlug": OWN}):
                path = path_of(operation, Asking({}, query, None))
                burglar.check(burglar.run(burglar.house.get(path, key=OWN_KEY)), SECRET, PUBLIC)
            assert asking.body is None


def test_without_a_key_only_what_is_public_is_seen(burglar: Burglar) -> None:
    for operation in OPERATIONS:
        asking = about(operation, burglar.foreign, burglar.house.hub.now_ms())
        if operation.method != "GET":
            continue
        answer = burglar.run(burglar.house.ask("GET", path_of(operation, asking), key=""))
        assert (answer.status_code == 200) == (operation.name in PUBLIC_OPERATIONS), answer.text
        burglar.check(answer, SECRET)
