"""One canonical order at all three POS systems: what each received, word for word, and what each gives back."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from msgspec import structs

from hub.app import Hub
from hub.model.fidelity import parts_of
from hub.model.ids import order_mark
from hub.model.order import Order, PosOrder
from hub.services.comparison import known_line
from hub.settings import read_settings
from tests.journeys.conftest import POSTGRES, NewStage
from tests.journeys.running import wait_for
from tests.journeys.trio import CLOPOS, DESIBITS, DESKTOP_KITCHEN, Trio, fates

# Two lines, one with two priced modifiers and a note of its own, in the words of each venue's menu.
ITEMS: Mapping[str, list[dict[str, Any]]] = {
    CLOPOS: [
        {
            "item": "Toyuq dönər dürüm",
            "quantity": 2,
            "options": {"Çox acı": 1, "Əlavə pendir": 2},
            "notes": "soğansız",
        },
        {"item": "Ayran"},
    ],
    DESIBITS: [
        {"item": "Butter Chicken", "quantity": 2, "options": {"Hot": 1, "Garlic Naan": 2}, "notes": "soğansız"},
        {"item": "Masala Chai", "options": {"Oat milk": 1}},
    ],
    DESKTOP_KITCHEN: [
        {"item": "Taco al Pastor", "quantity": 2, "options": {"Harina": 1, "Guacamole": 1}, "notes": "soğansız"},
        {"item": "Agua de Horchata", "options": {"Grande": 1}},
    ],
}
GUEST = {"name": "Şəhla Əliyeva", "phone": "+994 50 123 45 67", "email": "sehla@example.az"}
ORDER = {
    "customer": GUEST,
    "notes": "Ad günü; tort olacaq",
    "discount": {"type": "percent", "value": 10, "reason": "regular guest"},
}
AT_A_TABLE = {"orderType": "dine_in", "tables": ["T1"], "partySize": 4}


def clopos_products(*, full: bool) -> list[dict[str, Any]]:
    """The lines in one of the two forms Clopos documents: `full` names the modifiers and what they cost."""
    hot, cheese = {"modificator_id": 303, "count": 1}, {"modificator_id": 311, "count": 2}
    durum = {"id": 2, "name": "Toyuq dönər dürüm", "category_id": 1, "station_id": 1}
    ayran = {"id": 9, "name": "Ayran", "category_id": 3, "station_id": 2}
    told: list[dict[str, Any]] = [hot, cheese]
    if full:
        durum |= {"type": "DISH", "image": None, "meta": []}
        ayran |= {"type": "GOODS", "image": None, "meta": []}
        told = [
            {"modificator": {"id": 303, "name": "Çox acı", "price": 0.2}, "count": 1},
            {"modificator": {"id": 311, "name": "Əlavə pendir", "price": 1.5}, "count": 2},
        ]
    else:
        durum |= {"price": 6.5}
        ayran |= {"price": 1.8}
    shared = {"status": "completed"}
    return [
        {
            "product_id": 2,
            "count": 2,
            "product_modificators": [hot, cheese],
            "meta": {
                "price": 6.5,
                "order_product": shared
                | {"product": durum, "count": 2, "product_modificators": told, "product_hash": "MjEzMDMsMjIzMTE="},
            },
        },
        {
            "product_id": 9,
            "count": 1,
            "product_modificators": [],
            "meta": {
                "price": 1.8,
                "order_product": shared
                | {"product": ayran, "count": 1, "product_modificators": [], "product_hash": "9"},
            },
        },
    ]


def clopos_body(mark: str, *, at_table: bool, full: bool) -> dict[str, Any]:
    """What Clopos documents for `POST /orders`, version 1."""
    more = "Table T1 | Party of 4 | " if at_table else ""
    return {
        "customer_id": 10,
        "payload": {
            "service": {
                "sale_type_id": 1 if at_table else 3,
                "sale_type_name": "In" if at_table else "Takeaway",
                "venue_id": 1,
                "venue_name": "Main",
            },
            "customer": {
                "id": 10,
                "name": "Şəhla Əliyeva",
                "customer_discount_type": 1,
                "phone": "+994501234567",
                "address": None,
            },
            "products": clopos_products(full=full),
            "meta": {
                "comment": f"Ad günü; tort olacaq | 2× Toyuq dönər dürüm: soğansız | {more}{mark}",
                "discount": {"discount_type": 1, "discount_value": 10},
                "orderTotal": "19.0800",
                "apply_service_charge": True,
                "customer_discount_type": 1,
                "service_charge_value": 0,
            },
        },
    }


def desibits_body(mark: str, *, at_table: bool) -> dict[str, Any]:
    """What Desibits documents for `POST /orders`: no modifiers, so an option is a line or a part of note and price."""
    return {
        "order_type_id": 2 if at_table else 1,
        "items": [
            {"menu_item_id": 15, "quantity": 2, "price": 12.99, "note": f"soğansız | Hot {mark}"},
            {"menu_item_id": 18, "quantity": 4, "price": 2.75, "note": f"with Butter Chicken {mark}+"},
            {"menu_item_id": 22, "quantity": 1, "price": 2.7, "note": "Oat milk"},
        ],
        "notes": f"Ad günü; tort olacaq | {'Party of 4 | ' if at_table else ''}{mark}",
        **({"table_id": 3} if at_table else {}),
        "customer_id": 13,
        "discount_type": "percent",
        "discount_value": 10,
    }


def desktop_kitchen_body(mark: str, order_id: str, *, at_table: bool) -> dict[str, Any]:
    """What Desktop Kitchen takes at `POST /api/orders`: no guest, no table, no money; all of it is one note."""
    words = "DINE IN TABLE T1 4 GUESTS" if at_table else "PICKUP"
    note = f"[{mark} {words} Şəhla Əliyeva +994 50 123 45 67] Ad günü; tort olacaq | soğansız"
    return {
        "employee_id": 1,
        "items": [
            {"menu_item_id": 1, "quantity": 2, "modifiers": [8, 6], "notes": note},
            {"menu_item_id": 10, "quantity": 1, "modifiers": [9]},
        ],
        "offline_temp_id": f"hub:{order_id}",
    }


# What the report names as there in another form, and what as not there at all.
OTHER_FORM = {
    CLOPOS: ["checks[0].lines[0].note"],
    DESIBITS: [
        "checks[0].lines[0].modifiers[0]",
        "checks[0].lines[0].modifiers[1]",
        "checks[0].lines[1].modifiers[0]",
    ],
    DESKTOP_KITCHEN: ["order_type", "customer.name", "customer.phone", "note"],
}
OTHER_FORM_AT_A_TABLE = {
    CLOPOS: ["tables", "party_size"],
    DESIBITS: ["party_size"],
    DESKTOP_KITCHEN: ["tables", "party_size"],
}
NOT_THERE = {
    CLOPOS: ["customer.email"],
    DESIBITS: [],
    DESKTOP_KITCHEN: ["checks[0].discounts[0]", "customer.email"],
}
# What reads back otherwise than it was ordered, as (path, as ordered, as read back), and the part of the report that
# says why. Everything else reads back as it was ordered.
READS_BACK: Mapping[str, list[tuple[str, str, str, str]]] = {
    CLOPOS: [
        ("checks[0].lines[0].note", "soğansız", "", "checks[0].lines[0].note"),
        (
            "note",
            "Ad günü; tort olacaq",
            "Ad günü; tort olacaq | 2× Toyuq dönər dürüm: soğansız",
            "checks[0].lines[0].note",
        ),
        ("customer.phone", "+994 50 123 45 67", "", ""),  # the order shows its guest by number
        ("customer.email", "sehla@example.az", "", "customer.email"),
    ],
    DESIBITS: [
        ("checks[0].lines[0].modifiers[0]", "Hot", "2 x Garlic Naan", "checks[0].lines[0].modifiers[0]"),
        ("checks[0].lines[0].modifiers[1]", "2 x Garlic Naan", "", "checks[0].lines[0].modifiers[1]"),
        ("checks[0].lines[0].note", "soğansız", "soğansız | Hot", "checks[0].lines[0].modifiers[0]"),
        ("checks[0].lines[1].unit_cents", "₹2.10", "₹2.70", "checks[0].lines[1].modifiers[0]"),
        ("checks[0].lines[1].modifiers[0]", "Oat milk", "", "checks[0].lines[1].modifiers[0]"),
        ("checks[0].lines[1].note", "", "Oat milk", "checks[0].lines[1].modifiers[0]"),
    ],
    DESKTOP_KITCHEN: [
        ("checks[0].lines[0].note", "soğansız", "Ad günü; tort olacaq | soğansız", "note"),
        ("checks[0].discounts[0]", "MX$17.30", "", "checks[0].discounts[0]"),
        ("customer.name", "Şəhla Əliyeva", "", "customer.name"),
        ("customer.phone", "+994 50 123 45 67", "", "customer.phone"),
        ("customer.email", "sehla@example.az", "", "customer.email"),
        ("note", "Ad günü; tort olacaq", "", "note"),
        # The discount is not there, so the whole price and its tax are the POS's.
        ("totals.tax_cents", "MX$21.48", "MX$23.86", "checks[0].discounts[0]"),
        ("totals.total_cents", "MX$155.70", "MX$173.00", "checks[0].discounts[0]"),
    ],
}
READS_BACK_AT_A_TABLE: Mapping[str, list[tuple[str, str, str, str]]] = {
    CLOPOS: [
        ("tables", "T1", "", "tables"),
        ("party_size", "4", "", "party_size"),
        (
            "note",
            "Ad günü; tort olacaq",
            "Ad günü; tort olacaq | 2× Toyuq dönər dürüm: soğansız | Table T1 | Party of 4",
            "tables",
        ),
    ],
    DESIBITS: [
        ("party_size", "4", "", "party_size"),
        ("note", "Ad günü; tort olacaq", "Ad günü; tort olacaq | Party of 4", "party_size"),
    ],
    DESKTOP_KITCHEN: [("tables", "T1", "", "tables"), ("party_size", "4", "", "party_size")],
}
# Computed here, at the POS, and the difference; in minor units.
MONEY = {CLOPOS: (1908, 1908, 0), DESIBITS: (3571, 3571, 0), DESKTOP_KITCHEN: (15570, 17300, 1730)}


@pytest.fixture(scope="module")
def trio(new_shared_stage: NewStage) -> Trio:
    # Of the two forms Clopos documents, only this one tells what modifiers cost when the order is read back.
    return Trio(new_shared_stage(), configs={CLOPOS: {"order_product": "full"}})


@pytest.mark.parametrize("at_table", [False, True], ids=["pickup", "at a table"])
@pytest.mark.parametrize("connector", [CLOPOS, DESIBITS, DESKTOP_KITCHEN])
def test_the_order_arrives_as_documented_and_reads_back(trio: Trio, connector: str, at_table: bool) -> None:
    check_order(trio, connector, at_table=at_table)


@pytest.mark.long
def test_the_same_on_postgresql(new_stage: NewStage) -> None:
    trio = Trio(new_stage(POSTGRES))
    for connector in trio.pos:
        check_order(trio, connector, at_table=True, full=False)


def check_order(trio: Trio, connector: str, *, at_table: bool, full: bool = True) -> None:
    """Places the order, and compares what arrived, what reads back, the fidelity report and the money."""
    placed = trio.server.placed(trio.body(connector, ITEMS[connector], **ORDER, **(AT_A_TABLE if at_table else {})))
    order_id, mark = placed["id"], order_mark(placed["id"])
    ordered = msgspec.convert(trio.stored(order_id), Order)
    trio.server.wait_until(order_id, "confirmed")
    arrived = trio.pos[connector].order(order_id)
    expected = {
        CLOPOS: lambda: clopos_body(mark, at_table=at_table, full=full),
        DESIBITS: lambda: desibits_body(mark, at_table=at_table),
        DESKTOP_KITCHEN: lambda: desktop_kitchen_body(mark, order_id, at_table=at_table),
    }[connector]()
    if connector == CLOPOS:  # its ids of guests go on from test to test
        expected["customer_id"] = expected["payload"]["customer"]["id"] = arrived["body"]["customer_id"]
    assert arrived["body"] == expected
    check_money(trio, connector, order_id)
    report = trio.fidelity(order_id)
    more = OTHER_FORM_AT_A_TABLE[connector] if at_table else []
    assert sorted(fates(report, "flattened")) == sorted([*OTHER_FORM[connector], *more])
    assert sorted(fates(report, "lost")) == NOT_THERE[connector]
    assert fates(report, "rounded", "pending") == {} and report["others"] == []
    differs = [*READS_BACK[connector], *(READS_BACK_AT_A_TABLE[connector] if at_table else [])]
    told = asyncio.run(read_back(trio, order_id, str(trio.server.injection(order_id)["posOrderId"])))
    expected_back = {path: (ours, theirs) for path, ours, theirs, _ in differs}
    if connector == CLOPOS and not full:  # its short form does not tell what modifiers cost, so no line is trusted
        assert told.checks == () and told.total_cents == ordered.totals.total_cents
        told = structs.replace(told, checks=ordered.checks)
        del expected_back["checks[0].lines[0].note"]
    assert differences(ordered, told) == expected_back
    assert {reason for *_, reason in differs if reason} <= set(fates(report, "flattened", "lost"))
    assert told.mark == mark


def check_money(trio: Trio, connector: str, order_id: str) -> None:
    """The totals agree to the minor unit, or the audit shows by how much they do not."""
    computed, at_pos, difference = MONEY[connector]

    def audit() -> dict[str, int] | None:
        shown = trio.server.order(order_id)["moneyAudit"]
        return {name: shown[name]["cents"] for name in ("computed", "pos", "difference")} if shown["pos"] else None

    found = wait_for(audit, "the POS's total is known")
    assert found == {"computed": computed, "pos": at_pos, "difference": difference}
    order = trio.wait_for(order_id, total=money_view(at_pos, connector))
    assert order["due"]["cents"] == at_pos


def money_view(cents: int, connector: str) -> dict[str, Any]:
    """An amount as the API shows it."""
    sign, currency = {CLOPOS: ("₼", "AZN"), DESIBITS: ("₹", "INR"), DESKTOP_KITCHEN: ("MX$", "MXN")}[connector]
    shown = f"{cents // 100}.{cents % 100:02}"
    return {"cents": cents, "dollars": cents / 100, "display": f"{sign}{shown}", "currency": currency}


async def read_back(trio: Trio, order_id: str, pos_order_id: str) -> PosOrder:
    """The order as the POS tells it, read by a hub that keeps nothing of it, in the hub's own words."""
    hub = Hub(read_settings(trio.site.environment))
    try:
        await hub.prepare()
        record = await hub.orders.load(order_id)
        [state] = record.injection
        assert state.ref is not None and state.ref.id == pos_order_id
        told = await hub.connections.pos(state.link_id).fetch_order(state.ref)
        items = (await hub.directory.catalog(record.order.venue_id)).items
        checks = tuple(
            structs.replace(check, lines=tuple(known_line(line, items) for line in check.lines))
            for check in told.checks
        )
        return structs.replace(told, checks=checks)
    finally:
        await hub.stop()


def differences(ordered: Order, told: PosOrder) -> dict[str, tuple[str, str]]:
    """Every part of the order that reads back otherwise: its path, as it was ordered and as it reads back."""
    [check] = told.checks
    assert told.total_cents == check.totals.total_cents
    as_told = structs.replace(
        ordered,
        order_type=told.order_type,
        checks=(check,),
        customer=told.customer,
        note=told.note,
        tables=told.tables,
        party_size=told.party_size,
    )
    ours, theirs = ({part.path: part.value for part in parts_of(order)} for order in (ordered, as_told))
    paths = [*ours, *(path for path in theirs if path not in ours)]
    return {path: (ours.get(path, ""), theirs.get(path, "")) for path in paths if ours.get(path) != theirs.get(path)}
