"""Webhooks over REST: made with a key, told of orders on a real socket, rotated, replayed, read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import NewHouse
from tests.api.house import House
from tests.database.stored import OTHER_VENUE, PLOV, VENUE
from tests.postgres import Server
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio
URL = "https://partner.example.com/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


async def made(house: House, body: dict[str, Any], **more: str) -> tuple[dict[str, Any], str]:
    """A webhook and its secret."""
    answer = await house.post("/webhooks", body, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"], answer.json()["secret"]


async def send(house: House) -> None:
    """Sends what is due."""
    await house.hub.partners.sender.send_due()
    await house.hub.partners.sender.wait()


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(house: House) -> None:
    answer = await house.post("/webhooks", {"url": URL, "events": ["order.created"], "storeSlug": VENUE.slug})
    assert answer.status_code == 201
    webhook = answer.json()["webhook"]
    assert answer.headers["location"] == f"/api/v1/webhooks/{webhook['id']}"
    assert answer.json()["secret"].startswith("whsec_")
    assert (webhook["url"], webhook["events"], webhook["storeSlug"]) == (URL, ["order.created"], "demo")
    assert (webhook["enabled"], webhook["disabledReason"]) == (True, None)
    shown = (await house.get(f"/webhooks/{webhook['id']}")).json()
    assert shown == {"webhook": webhook}
    assert (await house.get("/webhooks")).json() == {"webhooks": [webhook]}


async def test_the_secret_is_neither_in_the_database_nor_in_the_trace(house: House) -> None:
    _, secret = await made(house, {"url": URL})
    await house.hub.recorder.flush()
    random_part = secret.removeprefix("whsec_")
    for database in (house.hub.database, house.hub.calls_database):

        def everything(connection: Any) -> str:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
            return "".join(str(connection.execute(text(f"SELECT * FROM {name}")).all()) for name in names)

        held = await database.read(everything)
        assert random_part not in held
    assert "whsec_" not in held


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://partner.example.com/", "must begin with https://"),
        ("ftp://partner.example.com/", "must begin with https://"),
        ("https://user:pw@partner.example.com/", "must have no user, password or fragment"),
        ("https://partner.example.com/#x", "must have no user, password or fragment"),
        ("https://10.0.0.1/", "is not on the public internet"),
        ("https://[::1]/", "is not on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "is not on the public internet"),
        ("https:///nowhere", "must be an address of at most"),
        ("https://partner.example.com/a b", "must be an address of at most"),
        ("nonsense", "must be an address of at most"),
    ],
)
async def test_an_address_that_must_not_be_called_is_refused(house: House, url: str, words: str) -> None:
    answer = await house.post("/webhooks", {"url": url})
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["field"]) == ("WEBHOOK_URL_REFUSED", "url")
    assert words in answer.json()["error"]


async def test_reading_needs_read_and_everything_else_write(house: House) -> None:
    webhook, _ = await made(house, {"url": URL})
    one = f"/webhooks/{webhook['id']}"
    assert (await house.get("/webhooks", key="sk_read")).json() == {"webhooks": []}
    assert (await house.post("/webhooks", {"url": URL}, key="sk_read")).status_code == 403
    assert (await house.post("/webhooks", {"url": URL}, key="")).status_code == 401
    assert (await house.get("/webhooks", key="sk_orders")).status_code == 403
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"enabled": False}),
        ("DELETE", one, None),
        ("POST", f"{one}/rotate", {}),
        ("POST", f"{one}/replay", {"from": "2026-01-01T00:00:00Z"}),
        ("GET", f"{one}/deliveries", None),
    ):
        answer = await house.ask(method, path, body, key="sk_other")  # another partner's key
        assert answer.status_code == 404, path


async def test_a_key_of_one_store_hears_of_that_store_only(house: House) -> None:
    webhook, _ = await made(house, {"url": URL}, key="sk_other")
    assert webhook["storeSlug"] == OTHER_VENUE.slug
    answer = await house.post("/webhooks", {"url": URL, "storeSlug": VENUE.slug}, key="sk_other")
    assert answer.json()["code"] == "LOCATION_FORBIDDEN"


async def test_an_order_is_told_with_the_view_of_the_api_and_a_signature(house: House, receiver: Receiver) -> None:
    webhook, secret = await made(house, {"url": receiver.url})
    order = await house.order("kiosk")
    await send(house)
    [message] = receiver.verified(secret)
    shown = (await house.get(f"/orders/{order['id']}")).json()["order"]
    assert message == {"type": "order.created", "timestamp": shown["createdAt"], "data": {"order": shown}}
    assert shown["customer"]["name"] == "Alice"
    await house.post(f"/orders/{order['id']}/cancel", {"reason": "changed my mind"})
    await send(house)
    assert receiver.verified(secret)[1]["type"] == "order.cancelled"
    log = (await house.get(f"/webhooks/{webhook['id']}/deliveries")).json()
    assert [entry["type"] for entry in log["deliveries"]] == ["order.cancelled", "order.created"]
    first = log["deliveries"][1]
    assert (first["state"], first["status"], first["attempts"], first["orderId"]) == ("delivered", 204, 1, order["id"])
    assert receiver.messages[0][0]["webhook-id"] == first["eventId"]


async def test_a_key_that_may_not_read_orders_is_told_no_customer_data(house: House, receiver: Receiver) -> None:
    await house.hub.database.write(
        lambda connection: connection.execute(text("UPDATE api_keys SET scopes = 'write' WHERE name = 'full'"))
    )
    _, secret = await made(house, {"url": receiver.url})
    await house.order("kiosk")
    await send(house)
    [message] = receiver.verified(secret)
    assert "Alice" not in json.dumps(message)
    assert not {"customer", "tables", "notes"} & message["data"]["order"].keys()


async def test_a_sold_out_item_and_a_new_menu_are_told(house: House, receiver: Receiver) -> None:
    _, secret = await made(house, {"url": receiver.url, "storeSlug": VENUE.slug})
    await house.ask("PATCH", f"/menu/items/{PLOV.id}", {"available": False})
    await send(house)
    [message] = receiver.verified(secret)
    assert message["type"] == "item.availability_changed"
    assert message["data"] == {
        "storeSlug": "demo",
        "locationId": VENUE.id,
        "itemId": PLOV.id,
        "name": "Plov",
        "available": False,
    }


async def test_what_failed_is_replayed_under_its_id_and_counted_first(house: House, receiver: Receiver) -> None:
    webhook, secret = await made(house, {"url": receiver.url})
    receiver.status = 410
    order = await house.order("kiosk")
    await send(house)
    one = f"/webhooks/{webhook['id']}"
    shown = (await house.get(one)).json()["webhook"]
    assert (shown["enabled"], shown["disabledReason"]) == (False, "the endpoint answered 410 Gone")
    since = {"from": "2020-01-01T00:00:00Z"}
    assert (await house.post(f"{one}/replay", since)).json()["code"] == "WEBHOOK_DISABLED"
    receiver.status = 200
    assert (await house.ask("PATCH", one, {"enabled": True})).json()["webhook"]["disabledReason"] is None
    assert (await house.post(f"{one}/replay", since | {"dryRun": True})).json() == {"events": 1, "nextFrom": None}
    await send(house)
    assert len(receiver.messages) == 1
    assert (await house.post(f"{one}/replay", since)).json() == {"events": 1, "nextFrom": None}
    await send(house)
    assert len(receiver.verified(secret)) == 2
    ids = {headers["webhook-id"] for headers, _ in receiver.messages}
    assert len(ids) == 1
    assert (await house.post(f"{one}/replay", {"eventId": ids.pop()})).json()["events"] == 1
    assert (await house.post(f"{one}/replay", {"eventId": "evt_unknown"})).status_code == 404
    assert (await house.post(f"{one}/replay", {})).json()["field"] == "eventId"
    assert order["id"] in receiver.messages[1][1].decode()


async def test_a_rotated_secret_signs_beside_the_old_one(house: House, receiver: Receiver) -> None:
    webhook, old = await made(house, {"url": receiver.url})
    answer = (await house.post(f"/webhooks/{webhook['id']}/rotate", {})).json()
    assert answer["webhook"]["oldSecretUntil"] is not None
    await house.order("kiosk")
    await send(house)
    assert receiver.verified(old) == receiver.verified(answer["secret"])


async def test_a_webhook_that_is_deleted_is_told_nothing_and_one_that_is_changed_what_it_wants_now(
    house: House, receiver: Receiver
) -> None:
    webhook, _ = await made(house, {"url": receiver.url})
    changed = await house.ask("PATCH", f"/webhooks/{webhook['id']}", {"events": ["menu.updated"], "description": "m"})
    assert (changed.json()["webhook"]["events"], changed.json()["webhook"]["description"]) == (["menu.updated"], "m")
    await house.order("kiosk")
    gone = await house.ask("DELETE", f"/webhooks/{webhook['id']}")
    assert gone.json() == {"deleted": webhook["id"]}
    assert (await house.get(f"/webhooks/{webhook['id']}")).status_code == 404
    await house.order("kiosk")
    await send(house)
    assert receiver.messages == []


async def test_only_so_many_webhooks_can_be_made(house: House) -> None:
    for _ in range(20):
        await made(house, {"url": URL})
    assert (await house.post("/webhooks", {"url": URL})).json()["code"] == "TOO_MANY_WEBHOOKS"


async def test_a_try_is_part_of_the_order_s_history(house: House, receiver: Receiver) -> None:
    await made(house, {"url": receiver.url})
    order = await house.order("kiosk")
    await send(house)
    await house.hub.recorder.flush()
    entries = (await house.get(f"/orders/{order['id']}/trace")).json()["entries"]
    assert ("webhook.order.created", 204) in [(entry["kind"], entry["status"]) for entry in entries]


async def test_without_a_key_for_secrets_webhooks_are_not_to_be_had(new_house: NewHouse, postgres: Server) -> None:
    async with new_house(postgres.create_database(), keeps_secrets=False) as house:
        answer = await house.post("/webhooks", {"url": URL})
        assert answer.status_code == 503
        assert "OPENPOS_SECRET_KEY" in answer.json()["error"]


async def test_an_order_that_failed_says_why(house: House, receiver: Receiver) -> None:
    _, secret = await made(house, {"url": receiver.url, "events": ["order.delivery_failed"]})
    await house.order()
    stuck = house.hub.stuck
    await house.hub.database.write(
        lambda connection: connection.execute(text("UPDATE deliveries SET deliver_by_ms = 1"))
    )
    assert await stuck.give_up_overdue() == 1
    await send(house)
    [message] = receiver.verified(secret)
    assert message["type"] == "order.delivery_failed"
    assert message["data"]["failures"][0]["code"] == "DEADLINE_PASSED"
