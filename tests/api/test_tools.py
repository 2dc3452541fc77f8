"""Every tool comes from the list of operations, with schemas, honest hints, and errors that say what to do."""

import re
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec import Struct

from hub.api.hints import next_step
from hub.api.operation import Call, Operation, Reply, Request, Tool
from hub.api.operations import OPERATIONS
from hub.api.tools import BoundTool, bind, use
from hub.errors import ConfigurationError, HubError, InvalidRequest, NotFound, TooManyRequests, Unavailable
from hub.services.requests import Caller

pytestmark = pytest.mark.anyio
TOOLS = bind(OPERATIONS)
each_tool = pytest.mark.parametrize("bound", TOOLS.values(), ids=lambda bound: bound.name)
CALLER = Caller(id="key_1", name="k", scopes=frozenset({"read", "write"}))


@each_tool
def test_a_tool_has_a_legal_name_and_valid_schemas(bound: BoundTool) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", bound.name)
    for schema in (bound.input_schema, bound.output_schema):
        assert schema["type"] == "object"
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "$ref" not in schema
    assert bound.input_schema["additionalProperties"] is False
    assert len(bound.tool.description) > 30


@each_tool
def test_decimals_are_numbers_in_the_schemas_as_they_are_in_the_answers(bound: BoundTool) -> None:
    schemas = msgspec.json.encode([bound.input_schema, bound.output_schema])
    assert b'"decimal"' not in schemas


def test_money_of_an_answer_fits_its_schema() -> None:
    money = TOOLS["get_payment_state"].output_schema["$defs"]["MoneyView"]
    answer = {"cents": 1499, "dollars": 14.99, "display": "$14.99", "currency": "USD"}
    jsonschema.validate(answer, money)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**answer, "dollars": "14.99"}, money)


@each_tool
def test_the_brief_s_arguments_fit_and_unknown_ones_do_not(bound: BoundTool) -> None:
    of_the_page: dict[str, dict[str, Any]] = {
        "get_stores": {},
        "get_store_info": {"storeSlug": "demo-restaurant"},
        "get_menu": {"storeSlug": "demo-restaurant", "category": "x", "inStock": True},
        "create_order": {
            "storeSlug": "demo-restaurant",
            "items": [{"itemId": "item_x", "quantity": 2, "modifiers": [{"modifierGroupId": "g", "optionId": "o"}]}],
            "orderType": "dine_in",
        },
        "get_order": {"orderId": "DT-001"},
        "86_item": {"locationId": "loc_x", "itemId": "item_x"},
        "un86_item": {"locationId": "loc_x", "itemId": "item_x"},
    }
    arguments = of_the_page.get(bound.name)
    if arguments is not None:
        jsonschema.validate(arguments, bound.input_schema)
        bound.tool.call(msgspec.convert(arguments, bound.tool.arguments))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({**(arguments or {}), "nonsense": 1}, bound.tool.arguments)


def test_hints_are_honest() -> None:
    hints = {name: bound.annotations for name, bound in TOOLS.items()}
    reading = {name for name, hint in hints.items() if hint["readOnlyHint"]}
    assert {name for name in reading if not re.search("pos|payment|drift|fidelity", name)} == {
        "get_stores",
        "search_stores",
        "get_store_info",
        "get_menu",
        "get_store_context",
        "get_order",
        "trace_order",
        "explain_failure",
        "get_tables",
        "search_customers",
        "get_customer",
        "list_reservations",
        "get_reservation",
        "list_waitlist",
        "get_insights",
    }
    assert {name for name, bound in TOOLS.items() if bound.access == "read"} == {*reading, "validate_pos_coupon"}
    assert hints["create_order"]["idempotentHint"] is False
    assert [name for name, hint in hints.items() if hint["destructiveHint"]] == [
        "cancel_order",
        "refund_payment",
        "close_check",
        "void_check",
        "cancel_reservation",
        "leave_waitlist",
    ]
    assert hints["86_item"]["idempotentHint"] is True


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class Answer(Struct, frozen=True):
    name: str


def one_tool(problem: Exception | None = None) -> BoundTool:
    async def handler(services: Any, request: Request) -> Reply:
        if problem is not None:
            raise problem
        return Reply(f'{{"name":"{request.path["name"]}"}}', order_id="order_1")

    tool = Tool(
        "say", "Say", "Says a name, whatever it is.", Named, lambda arguments: Call(path={"name": arguments.name})
    )
    operation = Operation("say", "GET", "/say/{name:str}", "", "menu:read", True, handler, answer=Answer, tools=(tool,))
    return bind((operation,))["say"]


async def said(bound: BoundTool, arguments: Any, caller: Caller = CALLER) -> Any:
    return await use(None, caller, bound, arguments)  # type: ignore[arg-type]


async def test_a_tool_s_arguments_become_the_parts_of_its_operation() -> None:
    outcome = await said(one_tool(), {"name": "x"})
    assert (outcome.content, outcome.order_id, outcome.problem) == ('{"name":"x"}', "order_1", None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "name: Object missing required field `name`"),
        ({"name": 1}, "name: Expected `str`, got `int`"),
        ({"name": "a", "more": 1}, "more: there is no such field"),
        ({"name": "a\x00"}, "name: text must not contain null bytes"),
        ([], "body: Expected `object`, got `array`"),
    ],
)
async def test_wrong_arguments_are_named(arguments: Any, words: str) -> None:
    outcome = await said(one_tool(), arguments)
    assert outcome.words.startswith(words)
    assert "Correct the arguments" in outcome.words


async def test_without_the_scope_nothing_is_called() -> None:
    outcome = await said(one_tool(ValueError("called")), {"name": "x"}, Caller(id="k", name="k"))
    assert outcome.problem.code == "SCOPE_MISSING"


@pytest.mark.parametrize("problem", [ValueError("x"), ConfigurationError("secret")])
async def test_an_error_of_ours_is_raised(problem: Exception) -> None:
    with pytest.raises(type(problem)):
        await said(one_tool(problem), {"name": "x"})


@pytest.mark.parametrize(
    ("problem", "step"),
    [
        (NotFound("there is no store 'x'"), "Call get_stores for valid slugs."),
        (NotFound("there is no order 'x'"), "Check the id or number with whoever gave it to you."),
        (Unavailable("away", retry_after_seconds=2), "Repeat the same call after 2 seconds."),
        (TooManyRequests("many", retry_after_seconds=9), "Repeat the same call after 9 seconds."),
        (InvalidRequest("x", code="QUOTE_EXPIRED"), "Call quote_order again"),
    ],
)
def test_an_error_says_what_to_do_next(problem: HubError, step: str) -> None:
    assert next_step(problem).startswith(step)


def test_two_tools_of_one_name_are_noticed() -> None:
    with pytest.raises(TypeError, match="tool get_stores: its name is taken"):
        bind((*OPERATIONS, OPERATIONS[0]))
