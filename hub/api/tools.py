"""The tools of AI agents, made from the list of operations, and how one is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from hub.api.hints import next_step
from hub.api.json import decode
from hub.api.operation import Operation, Reply, Request, Services, Tool
from hub.api.schemas import schemas_of
from hub.errors import Forbidden, HubError
from hub.services.keys import allows
from hub.services.requests import Caller


@dataclass(frozen=True)
class BoundTool:
    """A tool with its operation and the JSON Schemas made from both."""

    tool: Tool
    operation: Operation
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name under which agents know it."""
        return self.tool.name

    @property
    def scope(self) -> str:
        """What a key needs to use it."""
        return self.operation.scope

    @property
    def access(self) -> str:
        """`read` or `write`, as the OpenPOS page sorts them."""
        return self.scope.rpartition(":")[2]

    @property
    def annotations(self) -> Mapping[str, bool]:
        """Hints for hosts that ask a person before a tool is used."""
        reads = self.operation.method == "GET"
        return {
            "readOnlyHint": reads,
            "destructiveHint": self.tool.destructive,
            "idempotentHint": reads or self.tool.idempotent,
            "openWorldHint": False,
        }


@dataclass(frozen=True)
class Outcome:
    """What a tool gave: JSON text of the answer, or what went wrong and what to do next."""

    content: str = ""
    problem: HubError | None = None
    order_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The problem for a language model, with the next step."""
        if self.problem is None:
            return ""
        step = next_step(self.problem)
        return f"{self.problem.message}. {step}" if step else f"{self.problem.message}."


def bind(operations: Sequence[Operation]) -> Mapping[str, BoundTool]:
    """All tools by name, in the order of the list."""
    bound: dict[str, BoundTool] = {}
    for operation in operations:
        for tool in operation.tools:
            if tool.name in bound or operation.answer is None:
                raise TypeError(f"tool {tool.name}: its name is taken, or its operation has no answer")
            bound[tool.name] = BoundTool(tool, operation, _schema(tool.arguments), _schema(operation.answer))
    return bound


def may_use(caller: Caller, bound: BoundTool) -> None:
    """Raises `Forbidden` for a key without the tool's scope."""
    if not allows(caller.scopes, bound.scope):
        raise Forbidden(
            f"Insufficient scope: {bound.name} needs {bound.scope}, which this API key lacks", code="SCOPE_MISSING"
        )


async def use(services: Services, caller: Caller, bound: BoundTool, arguments: Any) -> Outcome:
    """Calls a tool. What a caller can do something about is in the outcome; other errors are raised."""
    try:
        may_use(caller, bound)
        understood = decode(msgspec.json.encode(arguments), bound.tool.arguments)
        call = bound.tool.call(understood)
        request = Request(
            caller=caller,
            path=call.path,
            query={name: call.query.get(name, "") for name in bound.operation.query},
            body=call.body,
            idempotency_key=call.idempotency_key,
            if_match=call.if_match,
        )
        reply: Reply = await bound.operation.handler(services, request)
    except HubError as problem:
        if problem.status >= 500 and problem.status != 503:
            raise
        return Outcome(problem=problem)
    return Outcome(content=reply.content, order_id=reply.order_id)


@cache
def _schema(kind: type) -> Mapping[str, Any]:
    """A struct's JSON Schema with an object at its root, as the protocol wants it."""
    (reference,), components = schemas_of([kind], "#/$defs/{name}")
    schema = dict(components.pop(reference["$ref"].rpartition("/")[2]))
    return {**schema, "$defs": components} if components else schema
