"""Whatever is sent, the answer is a refusal that names the field; never a 500, and nothing is kept of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.counter import Counter, counter, nothing_is_kept
from tests.journeys.raw_http import chunks, exchange, post
from tests.journeys.site import bearer

JSON = "Content-Type: application/json"
MEGABYTE = 1_000_000
Change = Callable[[dict[str, Any]], Any]


__all__ = ["counter", "nothing_is_kept"]


def with_item(**values: Any) -> Change:
    """An order whose one line is changed."""
    return lambda body: body | {"items": [body["items"][0] | values]}


def having(**values: Any) -> Change:
    """An order with other values."""
    return lambda body: body | values


def without(name: str) -> Change:
    """An order that lacks a field."""
    return lambda body: {key: value for key, value in body.items() if key != name}


CHANGES: dict[str, tuple[Change, str]] = {
    "an unknown item": (with_item(itemId="item_xxx"), "items[0].itemId"),
    "an item that is SQL": (with_item(itemId="' OR 1=1; DROP TABLE orders; --"), "items[0].itemId"),
    "an empty item id": (with_item(itemId=""), "items[0].itemId"),
    "an item id that is a number": (with_item(itemId=1), "items[0].itemId"),
    "an item id that is null": (with_item(itemId=None), "items[0].itemId"),
    "a second item that is unknown": (
        lambda body: body | {"items": [*body["items"], {"itemId": "item_y"}]},
        "items[1].itemId",
    ),
    "a negative quantity": (with_item(quantity=-1), "items[0].quantity"),
    "a quantity of zero": (with_item(quantity=0), "items[0].quantity"),
    "a fractional quantity": (with_item(quantity=1.5), "items[0].quantity"),
    "a quantity with a point": (with_item(quantity=2.0), "items[0].quantity"),
    "a quantity that is true": (with_item(quantity=True), "items[0].quantity"),
    "a quantity in quotes": (with_item(quantity="2"), "items[0].quantity"),
    "a table that is null": (having(tables=[None], notes=None), "tables[0]"),
    "a quantity that is a list": (with_item(quantity=[1]), "items[0].quantity"),
    "a hundred of one item": (with_item(quantity=100), "items[0].quantity"),
    "a quantity beyond 64 bits": (with_item(quantity=2**64 + 1), "items[0].quantity"),
    "a quantity of 400 digits": (with_item(quantity=10**400), "items[0].quantity"),
    "notes that are a number": (with_item(notes=1), "items[0].notes"),
    "notes that are too long": (with_item(notes="x" * 1001), "items[0].notes"),
    "modifiers that are a string": (with_item(modifiers="x"), "items[0].modifiers"),
    "a modifier that is unknown": (with_item(modifiers=["mod_x"]), "items[0].modifiers[0]"),
    "a modifier that is a number": (with_item(modifiers=[1]), "items[0].modifiers"),
    "a modifier without its id": (with_item(modifiers=[{"quantity": 1}]), "items[0].modifiers"),
    "a modifier of negative quantity": (
        with_item(modifiers=[{"optionId": "x", "quantity": -1}]),
        "items[0].modifiers",
    ),
    "51 modifiers": (with_item(modifiers=["x"] * 51), "items[0].modifiers"),
    "no items": (having(items=[]), "items"),
    "101 items": (lambda body: body | {"items": body["items"] * 101}, "items"),
    "items that are one object": (lambda body: body | {"items": body["items"][0]}, "items"),
    "items that are a string": (having(items="x"), "items"),
    "items that are null": (having(items=None), "items"),
    "an item that is a string": (having(items=["item_x"]), "items"),
    "items left out": (without("items"), "items"),
    "the order type left out": (without("orderType"), "orderType"),
    "an unknown order type": (having(orderType="teleport"), "orderType"),
    "an order type that is a number": (having(orderType=1), "orderType"),
    "an empty order type": (having(orderType=""), "orderType"),
    "an order type with a null byte": (having(orderType="pickup\0"), "orderType"),
    "the store left out": (without("storeSlug"), "storeSlug"),
    "an empty store": (having(storeSlug=""), "storeSlug"),
    "a store that is a number": (having(storeSlug=1), "storeSlug"),
    "a store that is a list": (having(storeSlug=["demo-restaurant"]), "storeSlug"),
    "a store with a null byte": (having(storeSlug="demo-restaurant\0"), "storeSlug"),
    "a customer that is a string": (having(customer="Alice"), "customer"),
    "a customer without a name": (having(customer={"phone": "1"}), "customer.name"),
    "a customer with an empty name": (having(customer={"name": ""}), "customer.name"),
    "a customer whose name is too long": (having(customer={"name": "x" * 201}), "customer.name"),
    "a customer's name with a null byte": (having(customer={"name": "Al\0ice"}), "customer.name"),
    "a phone that is a number": (having(customer={"name": "A", "phone": 5551234}), "customer.phone"),
    "a phone that is too long": (having(customer={"name": "A", "phone": "1" * 41}), "customer.phone"),
    "an email that is too long": (having(customer={"name": "A", "email": "a" * 255}), "customer.email"),
    "notes with a null byte": (having(notes="a\0b"), "notes"),
    "an address with a null byte": (having(deliveryAddress="a\0b"), "deliveryAddress"),
    "a table with a null byte": (having(tables=["1", "2\0"]), "tables[1]"),
    "21 tables": (having(tables=["1"] * 21), "tables"),
    "an own number with a null byte": (having(externalId="a\0"), "externalId"),
    "an own number that is too long": (having(externalId="a" * 201), "externalId"),
    "an own number that is a number": (having(externalId=17), "externalId"),
    "a party of nobody": (having(partySize=0), "partySize"),
    "a party of half a guest": (having(partySize=2.5), "partySize"),
    "a party of a million": (having(partySize=10**6), "partySize"),
    "a time that is none": (having(scheduledFor="tomorrow"), "scheduledFor"),
    "a time without an offset": (having(scheduledFor="2036-02-09T19:30:00"), "scheduledFor"),
    "a time that is past": (having(scheduledFor="2020-02-09T19:30:00Z"), "scheduledFor"),
    "a day that does not exist": (having(scheduledFor="2036-02-30T19:30:00Z"), "scheduledFor"),
    "a year of five digits": (having(scheduledFor="99999-02-09T19:30:00Z"), "scheduledFor"),
    "the last moment there is": (having(scheduledFor="9999-12-31T23:59:59-23:59"), "scheduledFor"),
    "the first moment there is": (having(scheduledFor="0001-01-01T00:00:00+23:59"), "scheduledFor"),
    "a time that is a number": (having(scheduledFor=1795000000), "scheduledFor"),
    "a time with a null byte": (having(scheduledFor="2036-02-09T19:30:00Z\0"), "scheduledFor"),
    "a declared total below zero": (having(declaredTotal=-1), "declaredTotal"),
    "a declared total with cents": (having(declaredTotal=9.8), "declaredTotal"),
    "a declared total in quotes": (having(declaredTotal="980"), "declaredTotal"),
    "a declared total beyond all money": (having(declaredTotal=10**30), "declaredTotal"),
    "a declared total beyond 64 bits": (having(declaredTotal=2**63), "declaredTotal"),
    "a discount that is a number": (having(discount=10), "discount"),
    "a discount of an unknown kind": (having(discount={"type": "gift", "value": 1}), "discount.type"),
    "a discount without a value": (having(discount={"type": "percent"}), "discount.value"),
    "a discount that is no number": (having(discount={"type": "percent", "value": "NaN"}), "discount.value"),
    "a discount without end": (having(discount={"type": "amount", "value": "Infinity"}), "discount.value"),
    "a discount below zero": (having(discount={"type": "percent", "value": -5}), "discount.value"),
    "a discount of nothing": (having(discount={"type": "percent", "value": 0}), "discount.value"),
    "a discount above everything": (having(discount={"type": "percent", "value": 101}), "discount.value"),
    "a discount of three decimals": (having(discount={"type": "percent", "value": 1.234}), "discount.value"),
    "a discount of half a cent": (having(discount={"type": "amount", "value": 0.5}), "discount.value"),
    "a discount above the order": (having(discount={"type": "amount", "value": 100_000}), "discount.value"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_spoiled_order_is_refused_by_the_name_of_the_field(counter: Counter, name: str) -> None:
    change, field = CHANGES[name]
    answer = counter.server.post(change(counter.body()), bearer(idempotency_key="bad"))
    assert answer.status_code in (400, 404), answer.text
    told = answer.json()
    assert isinstance(told["error"], str) and told["error"]
    assert told.get("field", "").startswith(field), answer.text
    assert field in told["error"], answer.text


@pytest.mark.parametrize(
    "slug", ["nowhere", "дом", "店", "🍕", "demo restaurant", "../etc/passwd", "'; --", "x" * 5000]
)
def test_an_unknown_store_is_not_found(counter: Counter, slug: str) -> None:
    for answer in (
        counter.server.post(counter.body() | {"storeSlug": slug}),
        counter.server.post(without("storeSlug")(counter.body()) | {"locationId": slug}),
        counter.server.client.get(f"/api/v1/stores/{slug.replace('/', '%2f')[:500]}/menu"),
    ):
        assert answer.status_code == 404, answer.text
        assert "store" in answer.json()["error"]


def test_a_sold_out_item_is_refused(counter: Counter) -> None:
    answer = counter.server.post(with_item(itemId=counter.sold_out)(counter.body()))
    assert (answer.status_code, answer.json()["code"]) == (400, "ITEM_SOLD_OUT")
    assert answer.json()["field"] == "items[0].itemId"


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ([], "MODIFIER_REQUIRED"),
        (["Acısız", "Orta acı"], "MODIFIER_LIMIT"),
        (["Acısız", "Acısız"], "MODIFIER_LIMIT"),
        (["Acısız", *["Turşu"] * 4], "MODIFIER_LIMIT"),
    ],
)
def test_modifiers_that_do_not_fit_are_refused(counter: Counter, chosen: list[str], code: str) -> None:
    options = [counter.options[name] for name in chosen]
    answer = counter.server.post(with_item(itemId=counter.with_choice, modifiers=options)(counter.body()))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["field"].startswith("items[0].modifiers")


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n ",
    "null": b"null",
    "an array": b"[]",
    "an array of orders": b'[{"storeSlug": "demo-restaurant"}]',
    "a string": b'"order"',
    "a number": b"17",
    "an empty object": b"{}",
    "broken JSON": b'{"storeSlug": "demo-restaurant", "items": [',
    "two objects": b"{}{}",
    "a trailing comma": b'{"storeSlug": "demo-restaurant",}',
    "single quotes": b"{'storeSlug': 'demo-restaurant'}",
    "XML": b"<order/>",
    "a form": b"storeSlug=demo-restaurant&items=1",
    "bytes that are no UTF-8": b'{"notes": "\xff\xfe"}',
    "UTF-16": json.dumps({"storeSlug": "demo-restaurant"}).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a null byte": b'{"notes": "a\x00b"}',
    "only null bytes": b"\x00" * 64,
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "deep arrays in an unknown field": b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep arrays in items": b'{"items": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number without end": b'{"declaredTotal": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_order_is_refused(counter: Counter, name: str) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    answer = counter.server.client.post("/api/v1/orders", content=BODIES[name], headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"]


NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1E999999999", "0x10", "01", "1.", ".5", "1_0"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["quantity", "declaredTotal", "value"])
def test_a_number_that_is_none_is_refused(counter: Counter, field: str, number: str) -> None:
    body = counter.body() | {"declaredTotal": 1, "discount": {"type": "percent", "value": 5}}
    body["items"][0]["quantity"] = 3
    placeholder = {"quantity": '"quantity": 3', "declaredTotal": '"declaredTotal": 1', "value": '"value": 5'}[field]
    text = json.dumps(body).replace(placeholder, f'"{field}": {number}')
    headers = bearer() | {"Content-Type": "application/json"}
    answer = counter.server.client.post("/api/v1/orders", content=text.encode(), headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"]


@pytest.mark.parametrize("half", ["\\ud800", "\\udc00", "\\ud800x", "\\udc00\\ud800"])
@pytest.mark.parametrize("name", ["notes", "externalId", "storeSlug"])
def test_half_a_character_is_refused(counter: Counter, name: str, half: str) -> None:
    text = json.dumps(counter.body() | {name: "PLACE"}).replace("PLACE", half)
    headers = bearer() | {"Content-Type": "application/json"}
    answer = counter.server.client.post("/api/v1/orders", content=text.encode(), headers=headers)
    assert answer.status_code in (400, 404), answer.text


def test_of_two_values_for_one_name_a_bad_last_one_is_refused(counter: Counter) -> None:
    text = json.dumps(counter.body()).replace('"quantity": 1', '"quantity": 1, "quantity": -1')
    answer = counter.server.client.post(
        "/api/v1/orders", content=text.encode(), headers=bearer() | {"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["field"] == "items[0].quantity"


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html", "x", ","],
)
def test_another_content_type_is_refused(counter: Counter, kind: str) -> None:
    content = json.dumps(counter.body()).encode()
    answer = counter.server.client.post("/api/v1/orders", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert answer.json()["field"] == "Content-Type"


def ten_megabytes(counter: Counter) -> bytes:
    """A valid order with ten megabytes of notes."""
    return json.dumps(counter.body() | {"notes": "x" * 10 * MEGABYTE}).encode()


def test_ten_megabytes_are_refused(counter: Counter) -> None:
    body = ten_megabytes(counter)
    status, answer = exchange(counter.server.port, [post(body, JSON, f"Content-Length: {len(body)}")])
    assert status == 413, answer[:500]
    assert '"field":"body"' in answer


def test_ten_megabytes_in_chunks_are_refused(counter: Counter) -> None:
    body = ten_megabytes(counter)
    head = post(b"", JSON, "Transfer-Encoding: chunked")
    status, answer = exchange(counter.server.port, [head, *chunks(body)])
    assert status == 413, answer[:500]
    assert '"field":"body"' in answer


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: abc",),
        ("Content-Length: -1",),
        ("Content-Length: 1e3",),
        ("Content-Length: 99999999999999999999",),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Transfer-Encoding: chunked", "X: \0"),
        ("Content-Length: 2", "Idempotency-Key: a\0b"),
        ("Content-Length: 2", "Idempotency-Key: a\x7f"),
        ("Content-Length: 2", "Authorization: Bearer \0"),
    ],
)
def test_headers_that_are_none_are_refused(counter: Counter, headers: tuple[str, ...]) -> None:
    status, answer = exchange(counter.server.port, [post(b"{}", JSON, *headers)])
    assert status in (400, 413), answer[:500]


def test_a_chunk_that_is_none_is_refused(counter: Counter) -> None:
    status, answer = exchange(
        counter.server.port, [post(b"", JSON, "Transfer-Encoding: chunked"), b"zz\r\n{}\r\n0\r\n\r\n"]
    )
    assert status in (0, 400), answer[:500]
