"""Every operation and every tool, asked by every kind of caller: the table of rights holds, and refusals change
nothing.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from docs.generate import rights as documented
from hub.api.operation import Operation
from hub.api.operations import OPERATIONS
from hub.api.tools import BoundTool, bind
from hub.services.keys import SCOPES, allows, hash_of
from hub.services.oauth.grants import challenge_of
from tests.api.agents import call
from tests.api.asking import Asking, about, arguments_of, path_of
from tests.api.filled import FOREIGN, OWN_KEY, REVOKED_KEY, SECRET, Things, alone, declare, fill, lacking, rows_about
from tests.api.house import House, open_house
from tests.api.rights import RIGHTS, Right

TOOLS = bind(OPERATIONS)
CLIENT = "https://agent.example/client.json"
BACK = "https://agent.example/back"
VERIFIER = "a verifier that is long enough to be one 0123456789"
AT_THE_POS = {"NOT_AT_POS", "NOT_SUPPORTED_BY_POS", "STATUS_NOT_ALLOWED"}
"""What may keep a caller with every right from being served here, where nothing is delivered."""
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
each_tool = pytest.mark.parametrize("bound", TOOLS.values(), ids=lambda bound: bound.name)


class Counter:
    """A filled hub, and what is asked of it."""

    def __init__(self, runner: asyncio.Runner, house: House) -> None:
        self.run, self.house = runner.run, house
        self.things: Things = self.run(fill(house, FOREIGN))

    def begin_to_change(self, operation: Operation) -> None:
        """New things, when what is asked changes them."""
        if operation.method != "GET" or operation.name == "get_campaign_audience":  # a cancelled one has none
            self.things = self.run(fill(self.house, FOREIGN))

    def rest(self, operation: Operation, key: str) -> httpx.Response:
        """The operation as it is meant."""
        asking = self.asking(operation)
        return self.run(self.house.ask(operation.method, path_of(operation, asking), asking.body, key=key))

    def tool(self, bound: BoundTool, key: str) -> httpx.Response:
        """The same by the tool."""
        arguments = arguments_of(bound, self.things, self.asking(bound.operation))
        return self.run(call(self.house, bound.name, arguments, key=key))

    def asking(self, operation: Operation) -> Asking:
        return about(operation, self.things, self.house.hub.now_ms())

    def rows(self) -> set[str]:
        """What is stored of the store and its things."""
        return self.run(rows_about(self.house, [self.things]))

    def token(self, *scopes: str) -> str:
        """An access token of a program that somebody with the full key allowed so much."""
        return self.run(_token(self.house, scopes))


async def _token(house: House, scopes: tuple[str, ...]) -> str:
    assert house.hub.oauth is not None
    grants, said = house.hub.oauth.grants, {"client_id": CLIENT, "redirect_uri": BACK}
    code = await grants.allow(**said, key_hash=hash_of("sk_full"), scopes=scopes, challenge=challenge_of(VERIFIER))
    issued = await grants.redeem(**said, code=code, verifier=VERIFIER, resource="")
    return issued.access_token


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder: Path = tmp_path_factory.mktemp("rights")

    async def opened(stack: AsyncExitStack) -> House:
        house = await stack.enter_async_context(open_house(folder, public_url="https://hub.example"))
        await house.hub.database.write(declare)
        await house.hub.directory.refresh()
        return house

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield Counter(runner, runner.run(opened(stack)))
        runner.run(stack.aclose())


def test_the_table_has_a_line_for_every_operation_and_says_what_the_operation_says() -> None:
    said = {one.name: ("anyone" if one.anonymous else "a key", one.scope) for one in OPERATIONS}
    assert {name: (right.without_a_key, right.scope) for name, right in RIGHTS.items()} == said
    assert {right.scope for right in RIGHTS.values()} <= set(SCOPES)


def test_the_documented_table_is_the_same() -> None:
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in documented()][2:]
    assert [(row[1], row[3], row[4]) for row in rows] == [
        (
            f"`{one.method} {one.path.replace(':str}', '}')}`",
            "yes" if RIGHTS[one.name].without_a_key == "anyone" else "no",
            f"`{RIGHTS[one.name].scope}`",
        )
        for one in OPERATIONS
    ]
    assert {name for row in rows for name in row[2].replace("`", "").split(", ") if name} == set(TOOLS)


def wrong_keys(right: Right) -> list[tuple[str, int, str]]:
    """Keys with which nothing is given, and how each is refused."""
    scope = right.scope
    elsewhere = (404, "NOT_FOUND") if right.elsewhere == "not there" else (403, "LOCATION_FORBIDDEN")
    return [
        ("sk_nobody", 401, ""),
        (REVOKED_KEY, 401, ""),
        (lacking(scope), 403, "SCOPE_MISSING"),
        (OWN_KEY, *elsewhere),
        *([] if allows(["read"], scope) else [("sk_read", 403, "SCOPE_MISSING")]),
    ]


def served(answer: httpx.Response, success: int) -> bool:
    """Whether the caller was let in."""
    return answer.status_code == success or answer.json().get("code") in AT_THE_POS


@each_operation
def test_an_operation_is_refused_to_all_others_and_nothing_happens(counter: Counter, operation: Operation) -> None:
    right = RIGHTS[operation.name]
    before = counter.rows()
    for key, status, code in wrong_keys(right):
        answer = counter.rest(operation, key)
        if key == OWN_KEY and right.elsewhere == "only its own":
            assert (answer.status_code, FOREIGN in answer.text) == (200, False)
            continue
        assert (answer.status_code, answer.json().get("code", "")) == (status, code or answer.json().get("code", ""))
        assert SECRET not in answer.text
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    if right.without_a_key == "a key":
        assert counter.rest(operation, "").status_code == 401
    assert counter.rows() == before


@each_operation
def test_another_method_finds_nothing_and_changes_nothing(counter: Counter, operation: Operation) -> None:
    before = counter.rows()
    asking = counter.asking(operation)
    known = {other.method for other in OPERATIONS if other.path == operation.path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        for key in ("", "sk_full"):
            path = path_of(operation, asking)
            answer: httpx.Response = counter.run(counter.house.ask(method, path, asking.body, key=key))
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), (method, answer.text)
    assert counter.rows() == before


@each_tool
def test_a_tool_is_refused_to_all_others_and_nothing_happens(counter: Counter, bound: BoundTool) -> None:
    right = RIGHTS[bound.operation.name]
    before = counter.rows()
    other = "menu:read" if right.scope != "menu:read" else "customers:read"
    fewer = [] if allows([other], right.scope) else [(counter.token(other), 403, "SCOPE_MISSING")]
    for key, status, code in [*wrong_keys(right), ("", 401, ""), *fewer]:
        answer = counter.tool(bound, key)
        if key == OWN_KEY and right.elsewhere == "only its own":
            assert (answer.status_code, FOREIGN in answer.text) == (200, False)
            continue
        assert (answer.status_code, answer.json().get("code", "")) == (status, code or answer.json().get("code", ""))
        assert SECRET not in answer.text
        assert ("WWW-Authenticate" in answer.headers) == (code != "LOCATION_FORBIDDEN")
    assert counter.rows() == before


@each_operation
def test_an_operation_is_for_those_whom_the_table_names(counter: Counter, operation: Operation) -> None:
    right = RIGHTS[operation.name]
    if right.without_a_key == "anyone":
        anonymous = counter.rest(operation, "")
        assert anonymous.status_code == operation.success, anonymous.text
        assert SECRET not in anonymous.text
    fewest = (alone(right.scope), *(["sk_read"] if allows(["read"], right.scope) else []))
    for key in ("sk_full",) if right.elsewhere == "not there" else fewest:
        counter.begin_to_change(operation)
        answer = counter.rest(operation, key)
        assert served(answer, operation.success), f"{key}: {answer.status_code} {answer.text}"


@each_tool
def test_a_tool_is_for_those_whom_the_table_names(counter: Counter, bound: BoundTool) -> None:
    right = RIGHTS[bound.operation.name]
    for key in (alone(right.scope), counter.token(right.scope)):
        counter.begin_to_change(bound.operation)
        answer = counter.tool(bound, key)
        assert served(answer, 200), f"{key}: {answer.status_code} {answer.text}"


def test_a_token_opens_the_endpoint_for_agents_only(counter: Counter) -> None:
    token = counter.token("read", "write")
    answers: list[Any] = [counter.rest(operation, token) for operation in OPERATIONS]
    assert {answer.status_code for answer in answers} == {401}
