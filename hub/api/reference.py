"""Where the API's reference is read: the OpenAPI document for programs, a page for people."""

from functools import cached_property
from typing import Any

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.response import Response

from hub.api.json import encode
from hub.api.openapi import document
from hub.api.operation import Operation
from hub.api.reference_page import POLICY, page
from hub.api.rest import PREFIX

DOCUMENT = f"{PREFIX}/openapi.json"
PAGE = "/api/docs"
_MAY_BE_KEPT = {"Cache-Control": "public, max-age=300"}


class Reference:
    """Both forms are made when they are first asked for."""

    def __init__(self, operations: tuple[Operation, ...], *, version: str) -> None:
        self._operations = operations
        self._version = version

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return document(self._operations, version=self._version, prefix=PREFIX)

    @cached_property
    def _json(self) -> bytes:
        return encode(self.document).encode()

    @cached_property
    def _page(self) -> bytes:
        return page(self.document, address=DOCUMENT).encode()

    def routes(self) -> list[BaseRouteHandler]:
        """The route handlers."""

        @get(DOCUMENT, include_in_schema=False, sync_to_thread=False)
        def openapi() -> Response[bytes]:
            return Response(self._json, media_type="application/json", headers=_MAY_BE_KEPT)

        @get(PAGE, include_in_schema=False, sync_to_thread=False)
        def docs() -> Response[bytes]:
            headers = {**_MAY_BE_KEPT, "Content-Security-Policy": POLICY}
            return Response(self._page, media_type="text/html", headers=headers)

        return [openapi, docs]
