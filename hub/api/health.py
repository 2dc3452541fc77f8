"""`/health`, for load balancers: whether this process can take orders."""

from collections.abc import Awaitable, Callable

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from hub.api.json import encode
from hub.errors import Unavailable

PATH = "/health"


def health_route(database_is_current: Callable[[], Awaitable[bool]]) -> HTTPRouteHandler:
    """The route; 503 while the database is away."""

    @get(PATH, include_in_schema=False)
    async def health() -> Response[bytes]:
        try:
            answer = {"status": "ok" if await database_is_current() else "needs migration"}
        except Unavailable as problem:
            answer = {"status": "unavailable", "error": problem.message}
        status = 503 if "error" in answer else 200
        return Response(encode(answer).encode(), status_code=status, media_type="application/json")

    return health
