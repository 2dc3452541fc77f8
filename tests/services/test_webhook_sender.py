"""Events reach partners: signed, in order, again and again for three days, and every try is on record."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from msgspec import structs
from sqlalchemy import Connection
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from hub.contract.public_http import new_public_transport
from hub.database import directory
from hub.database.engine import Database
from hub.model.webhook import DeliveryState, EventType
from hub.services import webhook_sender
from hub.services.secrets import place_of_webhook
from tests.contract.ports import StandingClock
from tests.database.listening import KEY, listen
from tests.database.stored import NOW, OTHER_VENUE, PLOV, VENUE, close, place
from tests.services.webhook_scene import SECRET, Scene

pytestmark = pytest.mark.anyio
OLD_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
DAYS = 24 * 3600


@pytest.fixture
def scene(database: Database, clock: StandingClock, tmp_path: Path) -> Scene:
    return Scene(database, clock, tmp_path)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> Callable[[httpx.Request, str], object]:
    """Verifies a message with the package of the specification's authors, at the time of the tests."""

    class _Now(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.fromtimestamp(NOW / 1000, UTC)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", _Now)
    return lambda request, secret: Webhook(secret).verify(request.content.decode(), dict(request.headers))


async def test_a_message_is_signed_as_the_specification_says(
    scene: Scene, verified: Callable[[httpx.Request, str], object]
) -> None:
    scene.listen()
    new = place(scene.database)
    await scene.send()
    [request] = scene.partner.requests
    assert verified(request, SECRET) == {"type": "order.created", "seq": 1}
    with pytest.raises(WebhookVerificationError):
        verified(request, OLD_SECRET)
    assert request.headers["webhook-id"] == new.event_id
    content = f"{new.event_id}.{NOW // 1000}.".encode() + request.content
    by_hand = base64.b64encode(hmac.new(b"s" * 32, content, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{by_hand}"
    [entry] = scene.log()
    assert (entry.state, entry.status, entry.attempts) == (DeliveryState.DELIVERED, 204, 1)


async def test_for_a_day_after_a_rotation_both_secrets_sign(
    scene: Scene, verified: Callable[[httpx.Request, str], object]
) -> None:
    hook = scene.listen()
    _, new_secret = await scene.webhooks.rotate(hook)
    place(scene.database)
    await scene.send()
    request = scene.partner.requests[0]
    assert verified(request, SECRET) == verified(request, new_secret)
    place(scene.database)
    await scene.later(24 * 3600)
    last = scene.partner.requests[-1]
    assert len(last.headers["webhook-signature"].split()) == 1


async def test_a_message_that_is_not_taken_is_sent_again_for_three_days_under_its_id(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    scene.partner.answers = [httpx.Response(500)] * 20
    await scene.send()
    waited, sent_after = 0, [0]
    while scene.log()[0].state is DeliveryState.PENDING:
        due_at_ms = scene.log()[0].due_at_ms
        assert due_at_ms is not None
        for _ in range(61):  # the breaker may hold it back a little longer
            await scene.later(max((due_at_ms - scene.clock.now_ms()) // 1000, 1))
            if scene.log()[0].attempts > len(sent_after):
                break
        waited = (scene.clock.now_ms() - NOW) // 1000
        sent_after.append(waited)
    assert len(scene.partner.requests) == len(webhook_sender.RETRY_SECONDS) + 1
    assert len({request.headers["webhook-id"] for request in scene.partner.requests}) == 1
    assert len([seconds for seconds in sent_after if seconds < 180]) == webhook_sender.QUICK_TRIES
    assert 3 * DAYS < waited < 4 * DAYS
    [entry] = scene.log()
    assert (entry.state, entry.status, entry.detail) == (DeliveryState.FAILED, 500, "HTTP 500")


async def test_the_time_of_the_next_try_is_in_the_log_and_a_longer_retry_after_is_heeded(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    scene.partner.answers = [httpx.Response(503, headers={"Retry-After": "120"})]
    await scene.send()
    [entry] = scene.log()
    assert (entry.state, entry.status, entry.due_at_ms) == (DeliveryState.PENDING, 503, NOW + 120_000)


async def test_who_asks_for_a_pause_gets_it_for_everything_that_waits(scene: Scene) -> None:
    scene.listen()
    for _ in range(6):
        place(scene.database)
    scene.partner.answers = [httpx.Response(429, headers={"Retry-After": "120"})]
    await scene.send()
    assert len(scene.partner.requests) == 4  # those that were under way together
    await scene.later(119)
    assert len(scene.partner.requests) == 4
    await scene.later(1)
    assert {entry.state for entry in scene.log()} == {DeliveryState.DELIVERED}
    assert len(scene.partner.requests) == 7


async def test_silence_and_redirects_are_failures(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    scene.partner.answers = [httpx.ReadTimeout("too slow"), httpx.Response(302, headers={"Location": "https://a.b"})]
    await scene.send()
    assert (scene.log()[0].status, scene.log()[0].detail) == (None, "no clear answer: too slow")
    await scene.later(61)
    assert (scene.log()[0].status, scene.log()[0].detail) == (302, "HTTP 302, redirects are not followed")
    assert len(scene.partner.requests) == 2


async def test_any_body_of_an_answer_is_fine_but_not_a_huge_one(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    scene.partner.answers = [httpx.Response(200, text="<html>ok"), httpx.Response(200, content=b"x" * 100_000)]
    await scene.send()
    assert scene.log()[0].state is DeliveryState.DELIVERED
    place(scene.database)
    await scene.send()
    assert scene.log()[0].detail == "no clear answer: the answer is longer than 65536 bytes"


class _Endless(httpx.AsyncByteStream):
    """A body of which nothing comes."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""


async def test_a_body_that_does_not_end_is_not_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "TOTAL_TIMEOUT_SECONDS", 0.05)
    scene.listen()
    place(scene.database)
    scene.partner.answers = [httpx.Response(200, stream=_Endless())]
    await scene.send()
    [entry] = scene.log()
    assert (entry.state, entry.detail) == (DeliveryState.PENDING, "no clear answer: no complete answer within 0.05 s")


async def test_slow_endpoints_hold_up_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "_ENDPOINTS_AT_ONCE", 1)
    scene = Scene(scene.database, scene.clock, scene.folder)
    scene.listen()
    listen(
        scene.database,
        2,
        secret=scene.vault.seal(SECRET, place=place_of_webhook("hook_2")),
        url="https://other.example/",
    )
    for _ in range(20):
        place(scene.database)
    await scene.send()
    hosts = [request.url.host for request in scene.partner.requests]
    assert hosts.count("other.example") == 20
    assert "other.example" in hosts[:8]  # its turn comes after one round of the first


async def test_changes_of_an_order_arrive_in_order_though_the_first_needed_two_tries(scene: Scene) -> None:
    scene.listen()
    new = place(scene.database)
    scene.partner.answers = [httpx.Response(500)]
    await scene.send()
    close(scene.database, new.order.id)
    await scene.later(61)
    assert [json.loads(request.content)["type"] for request in scene.partner.requests] == [
        "order.created",
        "order.created",
        "order.completed",
    ]


async def test_an_event_that_is_never_taken_does_not_keep_the_order_s_others_from_arriving(scene: Scene) -> None:
    scene.listen()
    new = place(scene.database)
    scene.partner.refused = "order.created"
    await scene.send()
    close(scene.database, new.order.id)
    for _ in range(5):
        await scene.later(120)
    assert scene.partner.taken == []
    await scene.later(120)
    assert scene.partner.taken == ["order.completed"]
    assert [(entry.type, entry.state, entry.attempts) for entry in scene.log()] == [
        (EventType.ORDER_COMPLETED, DeliveryState.DELIVERED, 1),
        (EventType.ORDER_CREATED, DeliveryState.PENDING, 6),
    ]


async def test_an_endpoint_that_cannot_be_reached_is_left_alone_for_a_while(scene: Scene) -> None:
    scene.listen()
    for _ in range(6):
        place(scene.database)
    scene.partner.answers = [httpx.ConnectError("refused")] * 4
    await scene.send()
    assert len(scene.partner.requests) == 4  # those of the first round; the other two wait
    await scene.send()
    assert len(scene.partner.requests) == 4
    await scene.later(61)
    assert all(entry.state is DeliveryState.DELIVERED for entry in scene.log())


async def test_an_endpoint_that_fails_for_days_is_switched_off_with_the_reason(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    scene.partner.answers = [httpx.Response(500)] * 50
    await scene.send()
    for _ in range(6):
        place(scene.database)
        await scene.later(DAYS)
    off = scene.endpoint()
    assert (off.enabled, off.disabled_reason) == (
        False,
        "nothing could be delivered for 5 days; the last time: HTTP 500",
    )
    assert {entry.state for entry in scene.log()} == {DeliveryState.FAILED}
    sent = len(scene.partner.requests)
    place(scene.database)
    await scene.later(DAYS)
    assert len(scene.partner.requests) == sent


async def test_an_endpoint_that_is_gone_is_switched_off_at_once(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    place(scene.database)
    scene.partner.answers = [httpx.Response(410), httpx.Response(500)]
    await scene.send()
    assert scene.endpoint().disabled_reason == "the endpoint answered 410 Gone"
    assert scene.log()[0].state is DeliveryState.FAILED


async def test_nothing_is_sent_for_a_key_that_was_revoked(scene: Scene) -> None:
    scene.listen()
    place(scene.database)
    scene.database.run_now(lambda connection: directory.revoke_key(connection, KEY.name, NOW))
    await scene.send()
    assert scene.partner.requests == []
    assert scene.endpoint().disabled_reason == "the API key 'partner' was revoked"


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "https://localhost:9/"])
async def test_an_address_inside_is_not_called_whatever_was_stored(scene: Scene, url: str) -> None:
    scene.listen(url=url)
    place(scene.database)
    async with new_public_transport() as scene.sender._transport:
        await scene.send()
    assert scene.log()[0].state is DeliveryState.PENDING
    assert "is not on the public internet" in scene.log()[0].detail


async def test_nothing_of_another_store_is_sent_after_the_key_was_bound_to_one(scene: Scene) -> None:
    scene.listen(venue_id="")
    place(scene.database)
    bound = structs.replace(KEY, venue_id=OTHER_VENUE.id)
    scene.database.run_now(lambda connection: directory.save_key(connection, bound))
    await scene.send()
    assert scene.partner.requests == []
    [entry] = scene.log()
    assert (entry.state, entry.detail) == (DeliveryState.FAILED, "the API key 'partner' may not read this store")


async def test_every_try_is_recorded_without_secrets_and_under_its_order(scene: Scene) -> None:
    scene.listen(url="https://partner.example.com/hook?token=abcdef123456")
    new = place(scene.database)
    await scene.send()
    [call] = scene.sink.calls
    assert (call.operation, call.order_id, call.link_id) == ("webhook.order.created", new.order.id, "hook_1")
    assert call.url == "https://partner.example.com/hook?[hidden]"
    assert json.loads(call.request_headers)["webhook-signature"] == "[hidden]"
    assert '"order.created"' in call.request_body
    assert str(scene.partner.requests[0].url) == "https://partner.example.com/hook?token=abcdef123456"


async def test_a_lost_key_of_the_vault_is_an_error_of_ours_until_the_secret_is_exchanged(
    scene: Scene, verified: Callable[[httpx.Request, str], object]
) -> None:
    scene.listen(secret="sealed by nobody")
    place(scene.database)
    await scene.send()
    assert scene.partner.requests == []
    [entry] = scene.log()
    assert (entry.state, entry.detail.startswith("the hub cannot send it")) == (DeliveryState.PENDING, True)
    _, secret = await scene.webhooks.rotate(scene.endpoint())
    await scene.later(10)
    [request] = scene.partner.requests
    assert verified(request, secret) == {"type": "order.created", "seq": 1}


async def test_events_of_all_kinds_have_names_that_the_trace_can_show(scene: Scene) -> None:
    scene.listen()

    def sell_out(connection: Connection) -> None:
        directory.set_sold_out(connection, VENUE.id, PLOV.id, is_sold_out=True, now_ms=NOW)

    scene.database.run_now(sell_out)
    await scene.send()
    assert [call.operation for call in scene.sink.calls] == ["webhook.item.availability_changed"]
    assert scene.log()[0].type is EventType.ITEM_AVAILABILITY_CHANGED
