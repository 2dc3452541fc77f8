"""The hub with the few tools that the conformance suite calls by name, made like the hub's own; never in production."""

import asyncio
import contextlib
import sys

import uvicorn
from msgspec import Struct

from hub.api.json import encode
from hub.api.operation import Call, Operation, Reply, Request, Services, Tool
from hub.api.operations import OPERATIONS
from hub.app import Hub
from hub.errors import NotFound
from hub.settings import read_settings
from hub.web import create_app


class NoArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to say."""


class Words(Struct, frozen=True):
    """What the tool answers."""

    words: str


async def _say(_services: Services, _request: Request) -> Reply:
    return Reply(encode(Words("This is a simple text response for testing.")))


async def _fail(_services: Services, _request: Request) -> Reply:
    raise NotFound("this tool intentionally returns an error for testing")


def _operation(name: str, handler: object) -> Operation:
    tool = Tool(name, name, "For the conformance suite.", NoArguments, lambda _arguments: Call())
    return Operation(
        name=name,
        method="GET",
        path=f"/{name}",
        summary="For the conformance suite.",
        scope="read",
        anonymous=False,
        handler=handler,  # type: ignore[arg-type]
        answer=Words,
        tools=(tool,),
    )


FIXTURES = (
    _operation("test_simple_text", _say),
    _operation("test_logging_tool", _say),
    _operation("test_error_handling", _fail),
)


async def main() -> None:
    """`python -m conformance.fixtures PORT`"""
    hub = Hub(read_settings())
    await hub.prepare()
    app = create_app(hub, operations=(*OPERATIONS, *FIXTURES))
    config = uvicorn.Config(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
