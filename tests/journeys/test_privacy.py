"""Who may see what, and that no secret is written down anywhere."""

import json
import re
from collections.abc import Iterator

import pytest

from hub.services.secrets import place_of_token
from hub.services.vault import Vault
from tests.journeys.conftest import POSTGRES, SQLITE, NewStage, Stage
from tests.journeys.running import wait_for
from tests.journeys.site import CLIENT_SECRET, KEY, READ_KEY, Server, bearer, key, order_body, venue
from tests.journeys.vendor import Vendor

BOUND_KEY = "sk_journeys-bound-key-0123456789abcdef"
MENU_KEY = "sk_journeys-menu-key-0123456789abcdef"
SECRET_KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="
OTHER = "other-restaurant"
GUEST = {"name": "Gülnarə Əliyeva", "phone": "+994501112233", "email": "gulnara@guest.example"}
PRIVATE = ["Gülnarə", "Əliyeva", "994501112233", "gulnara@", "Nizami 28", "ring twice", "near the window", "EXT-77"]


class House:
    """Two venues, a key for one of them, and a key that may read menus only."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.site = stage.site
        self.vendor: Vendor = stage.vendor()
        more = {"BOUND_KEY": BOUND_KEY, "MENU_KEY": MENU_KEY, "OPENPOS_SECRET_KEY": SECRET_KEY}
        self.site.environment_more = more
        self.site.apply(
            venue(self.vendor.url),
            venue(self.vendor.url, OTHER, "OT"),
            key("bound", "BOUND_KEY", ["read", "write"], OTHER),
            key("menus", "MENU_KEY", ["menu:read"]),
        )
        self.server: Server = self.site.serve()
        self.item = self.server.item_id()

    def place(self, **more: str) -> str:
        """An order full of personal data."""
        body = order_body(
            self.item,
            "near the window",
            customer=GUEST,
            orderType="delivery",
            deliveryAddress="Nizami 28",
            deliveryInstructions="ring twice",
            **more,
        )
        return str(self.server.placed(body)["id"])

    def get(self, path: str, key_: str | None = None) -> tuple[int, str]:
        """Status and text of an answer."""
        answer = self.server.client.get(f"/api/v1{path}", headers=bearer(key_) if key_ else {})
        return answer.status_code, answer.text


@pytest.fixture(scope="module", params=[SQLITE, POSTGRES])
def house(request: pytest.FixtureRequest, new_shared_stage: NewStage) -> Iterator[House]:
    stage = new_shared_stage(request.param)
    yield House(stage)
    stage.close()


def test_an_anonymous_reader_sees_no_customer_data(house: House) -> None:
    order_id = house.place(externalId="EXT-77")
    house.server.wait_until(order_id, "confirmed")
    number = house.server.order(order_id)["orderNumber"]
    for name in (order_id, number):
        status, shown = house.get(f"/orders/{name}")
        assert status == 200
        assert [word for word in PRIVATE if word in shown] == []
        assert json.loads(shown)["order"]["total"]["cents"] == 980
    status, shown = house.get(f"/orders/{order_id}", KEY)
    assert [word for word in PRIVATE if word not in shown] == []


def test_an_anonymous_caller_gets_no_customer_data_back(house: House) -> None:
    body = order_body(house.item, customer=GUEST)
    for _ in range(2):
        answer = house.server.post(body, {"Idempotency-Key": "anonymous-guest"})
        assert answer.status_code == 201
        assert [word for word in PRIVATE if word in answer.text] == []


def test_a_key_for_menus_reads_no_order(house: House) -> None:
    order_id = house.place()
    status, shown = house.get(f"/orders/{order_id}", MENU_KEY)
    assert status == 403
    assert [word for word in PRIVATE if word in shown] == []
    assert house.server.post(order_body(house.item), bearer(MENU_KEY)).status_code == 403


def test_a_key_that_only_reads_places_no_order(house: House) -> None:
    before = house.site.count("orders")
    assert house.server.post(order_body(house.item), bearer(READ_KEY)).status_code == 403
    assert house.site.count("orders") == before


def test_a_key_of_one_venue_reaches_nothing_of_another(house: House) -> None:
    order_id = house.place()
    number = house.server.order(order_id)["orderNumber"]
    for path in (f"/orders/{order_id}", f"/orders/{number}", "/stores/demo-restaurant", "/stores/demo-restaurant/menu"):
        status, shown = house.get(path, BOUND_KEY)
        assert status == 403, path
        assert [word for word in PRIVATE if word in shown] == []
    assert house.server.post(order_body(house.item), bearer(BOUND_KEY)).status_code == 403
    assert [store["slug"] for store in json.loads(house.get("/stores", BOUND_KEY)[1])["stores"]] == [OTHER]
    own = order_body(house.server.item_id(slug=OTHER), storeSlug=OTHER)
    assert house.server.placed(own, bearer(BOUND_KEY))["storeSlug"] == OTHER


def recorded(house: House) -> str:
    """Every recorded call, raw: the bytes of the calls database, or all rows of its tables."""
    if house.site.database_url is None:
        files = sorted(house.site.data.glob("calls.sqlite*"))
        assert files
        return "".join(file.read_bytes().decode("utf-8", "replace") for file in files)
    names = house.site.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'calls\\_%'")
    assert names
    return "".join(str(house.site.rows(f"SELECT * FROM {name}")) for (name,) in names)


def test_no_secret_is_in_the_recorded_calls_or_in_any_log(house: House) -> None:
    order_id = house.place()
    house.server.wait_until(order_id, "confirmed")
    client = house.server.client
    # Keys where they belong and where they do not; refused ones too.
    client.get("/api/v1/stores", headers=bearer(KEY))
    client.get("/api/v1/stores", headers={"X-API-Key": KEY, "Cookie": f"key={KEY}"})
    client.get("/api/v1/stores", headers={"Authorization": f"Bearer {KEY}x"})
    client.get("/api/v1/stores", headers={"Authorization": f"Basic {KEY}"})
    client.get(f"/api/v1/stores?api_key={KEY}")
    client.get(f"/api/v1/orders/{KEY}")
    client.post("/api/v1/orders", json={"storeSlug": "demo-restaurant", "api_key": KEY, "token": KEY})
    house.vendor.fail({"operation": "create_order", "fault": "status", "status": 401, "times": 1})
    renewed = house.place()
    house.server.wait_until(renewed, "confirmed")
    told = '{"error": "' + CLIENT_SECRET + '"}'
    house.vendor.fail({"operation": "create_order", "fault": "status", "status": 400, "body": told, "times": 1})
    refused = house.place()
    wait_for(lambda: house.vendor.fired() == 1, "the vendor tells our secret in an error")
    house.server.wait_until(refused, "failed")
    doctor = house.site.run("doctor")
    traced = house.site.run("trace", order_id, "--bodies")
    wait_for(lambda: refused in recorded(house), "the last call is recorded")

    kept = house.site.rows("SELECT link_id, token FROM link_tokens")
    assert len(kept) == 2
    tokens = [Vault([SECRET_KEY]).unseal(sealed, place=place_of_token(link_id)) for link_id, sealed in kept]
    secrets = [KEY, READ_KEY, BOUND_KEY, MENU_KEY, CLIENT_SECRET, SECRET_KEY, *tokens]
    written = {
        "the recorded calls": recorded(house),
        "the logs": house.site.logs(),
        "doctor": doctor.stdout + doctor.stderr,
        "trace": traced.stdout + traced.stderr,
        "the order": json.dumps(house.server.order(refused)),
        "the deliveries": str(house.site.rows("SELECT * FROM deliveries")),
    }
    leaks = [(place, secret[:12]) for place, text in written.items() for secret in secrets if secret in text]
    assert leaks == []
    # Tokens that are no longer kept have the same shape.
    assert re.findall(r"oauth_[0-9a-f]{16,}", written["the recorded calls"] + written["the logs"]) == []
    assert "[hidden]" in written["the recorded calls"]
    assert "Gülnarə" in written["the recorded calls"]


def test_keys_are_kept_as_hashes_only(house: House) -> None:
    stored = str(house.site.rows("SELECT * FROM api_keys"))
    assert [secret for secret in (KEY, READ_KEY, BOUND_KEY, MENU_KEY) if secret in stored] == []
    assert "sk_journ…" in stored or "sk_jour…" in stored
    documents = str(house.site.rows("SELECT document FROM links"))
    assert CLIENT_SECRET not in documents
    assert "env:CLOPOS_SECRET" in documents
