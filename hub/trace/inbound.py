"""Records every call we answer, with secrets hidden."""

from collections.abc import Mapping

from hub.contract.ports import CallSink
from hub.contract.redact import Redactor
from hub.model.call import Call


class InboundTrace:
    """Turns an answered request into a recorded call."""

    def __init__(self, sink: CallSink) -> None:
        self._sink = sink
        self._redactor = Redactor()

    def record(
        self,
        *,
        at_ms: int,
        milliseconds: float,
        operation: str,
        method: str,
        url: str,
        request_headers: Mapping[str, str],
        request_body: bytes,
        status: int,
        response_headers: Mapping[str, str],
        response_body: bytes,
        order_id: str,
        error: str,
        response_text: str | None = None,
        link_id: str = "",
        redactor: Redactor | None = None,
    ) -> None:
        """Keeps one inbound call; `redactor` knows the secrets of the link it came in by.

        `response_text` is the answer's body as text, which spares decoding it.
        """
        redactor = redactor or self._redactor
        request_shown, response_shown = redactor.bodies(request_body, response_body, response_text)
        self._sink.record(
            Call(
                at_ms=at_ms,
                direction="in",
                link_id=link_id,
                order_id=order_id,
                operation=operation,
                attempt=0,
                method=method,
                url=redactor.text(url),
                status=status,
                milliseconds=round(milliseconds, 2),
                request_headers=redactor.headers(request_headers),
                request_body=request_shown,
                response_headers=redactor.headers(response_headers),
                response_body=response_shown,
                error=redactor.text(error) if error else "",
            )
        )
