"""The web application of a hub: its faces, one behind the other."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from hub.api.admission import Desk, Visitors, headers_of
from hub.api.edge import Edge
from hub.api.health import PATH as HEALTH_PATH
from hub.api.health import health_route
from hub.api.inbound import Inbound
from hub.api.mcp.address import PATH as MCP_PATH
from hub.api.oauth import documents
from hub.api.oauth.endpoints import OAuthEndpoints
from hub.api.operation import Operation
from hub.api.operations import OPERATIONS
from hub.api.reference import Reference
from hub.api.replies import framework_error
from hub.api.rest import Rest
from hub.app import Hub
from hub.services.channels import INBOUND
from hub.services.limits import RequestRules
from hub.services.oauth.service import OAuth
from hub.trace.inbound import InboundTrace

_PLAIN_HOST = re.compile(r"[0-9A-Za-z.:\[\]-]*")  # Litestar knows what to do with others


def create_app(hub: Hub, *, deliver: bool = True, operations: Sequence[Operation] = OPERATIONS) -> ASGIApp:
    """The web application of a prepared hub. With `deliver` it carries delivery and jobs as well."""
    # Only a process that serves needs the protocol's SDK, which takes its time to load.
    from hub.api.mcp.endpoint import McpEndpoint  # noqa: PLC0415

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        await hub.limits.load()
        if deliver:
            await hub.start()
        else:
            hub.keep_up()
        try:
            async with mcp.run_protocol():
                yield
        finally:
            await hub.stop()

    settings = hub.settings
    trace = InboundTrace(hub.recorder)
    rest = Rest(hub, trace, max_body_bytes=settings.max_body_bytes)
    challenge = "" if hub.oauth is None else documents.challenge(hub.oauth.issuer, MCP_PATH)
    mcp = McpEndpoint(
        hub,
        trace,
        operations,
        version=version("openpos-hub"),
        max_body_bytes=settings.max_body_bytes,
        challenge=challenge,
    )
    oauth = None if hub.oauth is None else _oauth_endpoints(hub, hub.oauth, trace, MCP_PATH)
    reference = Reference(tuple(operations), version=version("openpos-hub"))
    web = Litestar(
        route_handlers=[
            *rest.routes(operations),
            *reference.routes(),
            *mcp.routes(),
            *(oauth.routes() if oauth is not None else ()),
            health_route(hub.database_is_current),
        ],
        lifespan=[lifespan],
        exception_handlers={Exception: framework_error},
        openapi_config=None,
        logging_config=None,
    )
    inbound = Inbound(
        channels=hub.channels,
        seating=hub.seating,
        limits=hub.limits,
        trace=trace,
        now_ms=hub.now_ms,
        max_body_bytes=settings.max_body_bytes,
    )

    at_fixed_paths = rest.at_fixed_paths(operations)

    async def doors(scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = web
        if scope["type"] == ScopeType.HTTP:
            path = scope["path"]
            found = at_fixed_paths.get((scope["method"], path))
            if found is not None and _PLAIN_HOST.fullmatch(headers_of(scope).get("host", "")):
                app = found
            elif path.startswith(f"{INBOUND}/"):
                app = inbound
        await app(scope, receive, send)

    rules = RequestRules(
        per_minute=settings.requests_per_minute,
        per_day=settings.requests_per_day,
        public_orders_per_minute=settings.public_orders_per_minute,
    )
    return Edge(
        doors,
        desk=Desk(
            directory=hub.directory,
            limits=hub.limits,
            rules=rules,
            uses=hub.key_uses,
            tokens=None if hub.oauth is None else hub.oauth.grants,
            token_path=MCP_PATH,
        ),
        visitors=Visitors(hosts=settings.hosts, origins=settings.origins),
        trusted_proxies=settings.trusted_proxies,
        uncounted=(HEALTH_PATH,),
        known_hosts_only=(MCP_PATH, *(oauth.paths if oauth is not None else ())),
        refuse_themselves=(MCP_PATH, f"{INBOUND}/"),
    )


def _oauth_endpoints(hub: Hub, oauth: OAuth, trace: InboundTrace, mcp_path: str) -> OAuthEndpoints:
    return OAuthEndpoints(
        issuer=oauth.issuer,
        mcp_path=mcp_path,
        clients=oauth.clients,
        grants=oauth.grants,
        directory=hub.directory,
        trace=trace,
        now_ms=hub.now_ms,
        new_secret=oauth.new_secret,
    )
