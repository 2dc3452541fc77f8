"""Whatever a vendor answers, or does not, becomes the error that says what happens next."""

from collections.abc import Sequence

import httpx
import pytest

from hub.contract.context import working_for
from hub.contract.http import MAX_ANSWER_BYTES
from hub.errors import (
    ConnectorError,
    NextStep,
    OutcomeUnknown,
    VendorAuthFailed,
    VendorMalformed,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
    VendorUnreachable,
)
from hub.model.venue import RateLimit
from tests.contract.calling import NOW_MS, SECRET, Calling, answering

pytestmark = pytest.mark.anyio


def refusal(body: object) -> str | None:
    """The made-up vendor's way to say no."""
    return str(body.get("message")) if isinstance(body, dict) and body.get("success") is False else None


async def failure(calling: Calling, *, safe: bool) -> ConnectorError:
    with pytest.raises(ConnectorError) as raised:
        await (calling.read() if safe else calling.write())
    return raised.value


async def test_json_comes_back_with_exact_decimals_and_without_a_float() -> None:
    calling = Calling(answering(httpx.Response(200, content=b'{"total": 16.20, "count": 3, "rate": 1e-2}')))
    answer = await calling.read()
    assert answer.status == 200
    assert {name: f"{type(value).__name__} {value}" for name, value in answer.data.items()} == {
        "total": "Decimal 16.20",
        "count": "int 3",
        "rate": "Decimal 0.01",
    }


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_an_empty_answer_is_a_success_without_data(status: int) -> None:
    assert (await Calling(answering(httpx.Response(status))).write()).data is None


@pytest.mark.parametrize(
    ("status", "for_a_write", "for_a_read"),
    [
        (300, VendorRejected, VendorRejected),
        (302, VendorRejected, VendorRejected),
        (400, VendorRejected, VendorRejected),
        (401, VendorAuthFailed, VendorAuthFailed),
        (403, VendorAuthFailed, VendorAuthFailed),
        (404, VendorRejected, VendorRejected),
        (408, OutcomeUnknown, VendorUnavailable),
        (409, VendorRejected, VendorRejected),
        (413, VendorRejected, VendorRejected),
        (422, VendorRejected, VendorRejected),
        (429, VendorRateLimited, VendorRateLimited),
        (500, OutcomeUnknown, VendorUnavailable),
        (502, OutcomeUnknown, VendorUnavailable),
        (503, OutcomeUnknown, VendorUnavailable),
        (504, OutcomeUnknown, VendorUnavailable),
        (599, OutcomeUnknown, VendorUnavailable),
    ],
)
async def test_a_status_becomes_what_happens_next(
    status: int, for_a_write: type[ConnectorError], for_a_read: type[ConnectorError]
) -> None:
    for safe, expected in ((False, for_a_write), (True, for_a_read)):
        error = await failure(Calling(answering(httpx.Response(status))), safe=safe)
        assert type(error) is expected
        assert error.reached
        assert f"HTTP {status}" in error.message
        assert (error.connector, error.operation) == ("till", "fetch_order" if safe else "submit_order")


async def test_a_redirect_is_not_followed_and_blames_the_address() -> None:
    calling = Calling(answering(httpx.Response(301, headers={"location": "http://elsewhere.test"})))
    assert "base_url is wrong" in (await failure(calling, safe=False)).message
    assert len(calling.sink.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_vendor_that_says_how_long_is_left_alone_that_long(status: int) -> None:
    error = await failure(Calling(answering(httpx.Response(status, headers={"retry-after": "17"}))), safe=False)
    assert isinstance(error, VendorRateLimited)
    assert (error.retry_after_seconds, error.next_step) == (17.0, NextStep.LATER)


async def test_a_429_that_does_not_say_how_long_waits_five_seconds() -> None:
    for text in (None, "junk", "-3"):
        headers = {} if text is None else {"retry-after": text}
        error = await failure(Calling(answering(httpx.Response(429, headers=headers))), safe=False)
        assert isinstance(error, VendorRateLimited)
        assert error.retry_after_seconds == 5.0


async def test_a_503_with_a_senseless_retry_after_is_as_unclear_as_one_without() -> None:
    error = await failure(Calling(answering(httpx.Response(503, headers={"retry-after": "-1"}))), safe=False)
    assert type(error) is OutcomeUnknown


async def test_html_in_a_200_is_unknown_for_a_write_and_malformed_for_a_read() -> None:
    page = httpx.Response(200, content=b"<html>Welcome to the hotel WiFi</html>")
    assert type(await failure(Calling(answering(page)), safe=False)) is OutcomeUnknown
    assert type(await failure(Calling(answering(page)), safe=True)) is VendorMalformed


@pytest.mark.parametrize(
    "content",
    [b'{"a": "\xff"}', b'{"a": "\xc3"', b"[" * 200_000, b'{"a": NaN}', b'{"a": \\ud800}', b"1" * 10_000],
    ids=["not UTF-8", "half UTF-8", "too deep", "NaN", "half a character", "too long a number"],
)
async def test_a_body_that_cannot_be_read_is_unknown_for_a_write_and_malformed_for_a_read(content: bytes) -> None:
    calling = Calling(answering(httpx.Response(200, content=content)))
    assert type(await failure(calling, safe=False)) is OutcomeUnknown
    assert type(await failure(calling, safe=True)) is VendorMalformed
    assert calling.recorded.error.startswith("VendorMalformed: ")


async def test_a_body_that_is_not_compressed_as_it_says_is_unknown() -> None:
    packed = httpx.MockTransport(
        lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))
    )
    assert type(await failure(Calling(packed), safe=False)) is OutcomeUnknown
    assert type(await failure(Calling(packed), safe=True)) is VendorUnavailable


async def test_a_refusal_inside_a_200_is_a_rejection_in_the_vendor_s_words() -> None:
    body = b'{"success": false, "message": "closed for today"}'
    calling = Calling(answering(httpx.Response(200, content=body)), refusal=refusal)
    error = await failure(calling, safe=False)
    assert type(error) is VendorRejected
    assert (error.code, error.reason) == ("200", "closed for today")
    assert error.message == "submit_order: HTTP 200, closed for today"


async def test_a_vendor_s_own_words_come_with_every_refusal() -> None:
    body = b'{"success": false, "message": "no such table"}'
    kinds = {422: VendorRejected, 401: VendorAuthFailed, 500: OutcomeUnknown, 429: VendorRateLimited}
    for status, kind in kinds.items():
        calling = Calling(answering(httpx.Response(status, content=body)), refusal=refusal)
        error = await failure(calling, safe=False)
        assert type(error) is kind
        assert "no such table" in error.message


async def test_another_way_to_read_refusals_does_not_change_the_client_it_came_from() -> None:
    body = httpx.Response(200, content=b'{"success": false, "message": "no"}')
    calling = Calling(answering(body))
    explained = calling.http.explaining(refusal)
    with pytest.raises(VendorRejected):
        await explained.send("submit_order", "POST", "/orders", headers={})
    assert (await calling.write()).data == {"success": False, "message": "no"}


@pytest.mark.parametrize(
    ("problem", "for_a_write", "for_a_read"),
    [
        (httpx.ConnectError("refused"), VendorUnreachable, VendorUnreachable),
        (httpx.ConnectTimeout("slow"), VendorUnreachable, VendorUnreachable),
        (httpx.PoolTimeout("full"), VendorUnreachable, VendorUnreachable),
        (httpx.ReadTimeout("slow"), OutcomeUnknown, VendorUnavailable),
        (httpx.WriteTimeout("slow"), OutcomeUnknown, VendorUnavailable),
        (httpx.ReadError("reset"), OutcomeUnknown, VendorUnavailable),
        (httpx.WriteError("reset"), OutcomeUnknown, VendorUnavailable),
        (httpx.RemoteProtocolError("half an answer"), OutcomeUnknown, VendorUnavailable),
        (ConnectionResetError("reset"), OutcomeUnknown, VendorUnavailable),
        (TimeoutError(), OutcomeUnknown, VendorUnavailable),
    ],
)
async def test_silence_is_unreachable_when_nothing_was_sent_else_unknown(
    problem: Exception, for_a_write: type[ConnectorError], for_a_read: type[ConnectorError]
) -> None:
    for safe, expected in ((False, for_a_write), (True, for_a_read)):
        error = await failure(Calling(answering(problem)), safe=safe)
        assert type(error) is expected
        assert error.__cause__ is problem
        assert error.reached is not issubclass(expected, VendorUnreachable)


async def test_an_answer_that_is_too_long_is_cut_off_and_unknown() -> None:
    page = httpx.Response(200, content=b'"' + b"x" * MAX_ANSWER_BYTES + b'"')
    error = await failure(Calling(answering(page)), safe=False)
    assert type(error) is OutcomeUnknown
    assert "longer than 8388608 bytes" in error.message
    allowed = httpx.Response(200, content=b'"' + b"x" * (MAX_ANSWER_BYTES - 2) + b'"')
    assert len((await Calling(answering(allowed)).write()).data) == MAX_ANSWER_BYTES - 2


async def test_our_own_pacing_holds_a_call_back_before_anything_is_sent() -> None:
    class Full:
        async def acquire(self, connector: str, link_id: str, limits: object) -> float:
            return 3.5

    calling = Calling(answering(httpx.Response(200)), limiter=Full())
    error = await failure(calling, safe=False)
    assert isinstance(error, VendorRateLimited)
    assert error.retry_after_seconds == 3.5
    assert calling.sink.calls == []


async def test_an_operation_is_paced_by_the_general_limits_and_its_own_and_alone_waits_for_its_own() -> None:
    general, own, another = (
        RateLimit(9, 1),
        RateLimit(1, 9, "vendor", "submit_order"),
        RateLimit(1, 9, "link", "refund"),
    )
    asked: list[Sequence[RateLimit]] = []

    class Full:
        async def acquire(self, connector: str, link_id: str, limits: Sequence[RateLimit]) -> float:
            asked.append(limits)
            return 3.5

    calling = Calling(answering(httpx.Response(200)), limiter=Full(), rate_limits=(general, own, another))
    writing, reading = await failure(calling, safe=False), await failure(calling, safe=True)
    assert asked == [(general, own), (general,)]
    assert isinstance(writing, VendorRateLimited) and not writing.whole_link
    assert isinstance(reading, VendorRateLimited) and reading.whole_link


async def test_a_read_is_repeated_briefly_and_a_write_never() -> None:
    reading = Calling(answering(httpx.Response(500), httpx.ReadTimeout("slow"), httpx.Response(200, content=b"{}")))
    answer = await reading.http.read("fetch_menu", "/menu", headers={})
    assert (answer.status, len(reading.sink.calls)) == (200, 3)
    writing = Calling(answering(httpx.Response(500)))
    await failure(writing, safe=False)
    assert len(writing.sink.calls) == 1


async def test_a_read_gives_up_after_three_tries_and_at_once_when_it_was_refused() -> None:
    down = Calling(answering(httpx.ConnectError("refused")))
    with pytest.raises(VendorUnreachable):
        await down.http.read("fetch_menu", "/menu", headers={})
    assert len(down.sink.calls) == 3
    missing = Calling(answering(httpx.Response(404)))
    with pytest.raises(VendorRejected):
        await missing.http.read("fetch_menu", "/menu", headers={})
    assert len(missing.sink.calls) == 1


async def test_a_call_is_recorded_under_its_order_with_what_was_sent_and_answered() -> None:
    answer = httpx.Response(201, headers={"x-request-id": "7"}, content=b'{"id": 9001}')
    calling = Calling(answering(answer))
    with working_for("order_1", 2):
        await calling.write({"total": 1, "client_secret": "abc", "note": f"pay with {SECRET}"})
    call = calling.recorded
    assert (call.order_id, call.attempt, call.link_id, call.direction) == ("order_1", 2, "link_1", "out")
    assert (call.operation, call.method, call.url) == ("submit_order", "POST", "http://till.test/api/orders")
    assert (call.status, call.error, call.at_ms) == (201, "", 1_795_000_000_000)
    assert call.request_body == '{"total":1,"client_secret":"[hidden]","note":"pay with [hidden]"}'
    assert '"x-token":"[hidden]"' in call.request_headers
    assert call.response_body == '{"id": 9001}'
    assert '"x-request-id":"7"' in call.response_headers


async def test_a_call_without_an_answer_is_recorded_too() -> None:
    calling = Calling(answering(httpx.ReadTimeout("slow")))
    await failure(calling, safe=False)
    call = calling.recorded
    assert (call.status, call.response_body, call.order_id) == (None, "", "")
    assert call.error == "OutcomeUnknown: submit_order: no clear answer: slow"


async def test_a_token_that_was_just_issued_is_hidden_from_then_on() -> None:
    calling = Calling(answering(httpx.Response(200, content=b'{"echo": "fresh-token"}')))
    calling.http.hide("fresh-token")
    await calling.write({"note": "fresh-token"})
    assert "fresh-token" not in calling.recorded.request_body + calling.recorded.response_body


@pytest.mark.parametrize("status", [200, 401, 422, 429, 500])
async def test_a_secret_in_the_vendor_s_words_never_gets_into_an_error(status: int) -> None:
    body = f'{{"success": false, "message": "bad secret {SECRET}"}}'.encode()
    calling = Calling(answering(httpx.Response(status, content=body)), refusal=refusal)
    error = await failure(calling, safe=False)
    assert SECRET not in error.message
    assert SECRET not in error.reason
    assert SECRET not in calling.recorded.error


async def test_an_address_nothing_can_be_sent_to_is_not_an_unknown_outcome() -> None:
    error = await failure(Calling(answering(httpx.UnsupportedProtocol("no scheme")), base_url=""), safe=False)
    assert type(error) is not OutcomeUnknown


async def test_a_write_that_would_outlive_its_lease_is_not_sent_but_a_read_is() -> None:
    calling = Calling(answering(httpx.Response(200, json={"ok": True})))
    too_late = NOW_MS / 1000 - 1
    with working_for("order_1", 1, write_before_seconds=too_late):
        with pytest.raises(VendorUnavailable, match="not sent"):
            await calling.write()
        assert calling.sink.calls == []
        assert (await calling.read()).data == {"ok": True}
    with working_for("order_1", 1, write_before_seconds=NOW_MS / 1000 + 1):
        assert (await calling.write()).data == {"ok": True}
