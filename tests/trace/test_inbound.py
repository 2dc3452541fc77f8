"""What we were asked and what we answered, without secrets."""

from typing import Any

from hub.model.call import Call
from hub.trace.inbound import InboundTrace


class Sink:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def record(self, call: Call) -> None:
        self.calls.append(call)


def recorded(**values: Any) -> Call:
    sink = Sink()
    request: dict[str, Any] = {
        "at_ms": 1,
        "milliseconds": 1.23456,
        "operation": "create_order",
        "method": "POST",
        "url": "http://hub/api/v1/orders",
        "request_headers": [("Authorization", "Bearer sk_secret"), ("Idempotency-Key", "k1")],
        "request_body": b'{"storeSlug":"demo"}',
        "status": 201,
        "response_headers": {"Location": "/api/v1/orders/order_1"}.items(),
        "response_body": b'{"order":{}}',
        "order_id": "order_1",
        "error": "",
    }
    InboundTrace(sink).record(**{**request, **values})
    return sink.calls[0]


def test_an_answered_request_becomes_one_call() -> None:
    assert recorded() == Call(
        at_ms=1,
        direction="in",
        link_id="",
        order_id="order_1",
        operation="create_order",
        attempt=0,
        method="POST",
        url="http://hub/api/v1/orders",
        status=201,
        milliseconds=1.23,
        request_headers='{"Authorization":"[hidden]","Idempotency-Key":"k1"}',
        request_body='{"storeSlug":"demo"}',
        response_headers='{"Location":"/api/v1/orders/order_1"}',
        response_body='{"order":{}}',
        error="",
    )


def test_a_secret_in_a_body_is_hidden_by_its_name() -> None:
    call = recorded(request_body=b'{"password": "hunter2", "api_key":"sk_secret"}')
    assert call.request_body == '{"password":"[hidden]", "api_key":"[hidden]"}'


def test_a_body_that_is_no_text_is_kept_readable() -> None:
    assert recorded(request_body=b"\xff\x00a").request_body == "��a"
