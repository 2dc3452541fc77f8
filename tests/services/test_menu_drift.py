"""Each way in which a menu and the POS's menu can differ is told, as an error where orders will fail."""

from typing import Any

import pytest
from msgspec import structs

from hub.model.menu import Item, Menu, ModifierGroup, ModifierOption
from hub.services.directory import Catalog
from hub.services.menu_drift import DriftRow, Severity, compare_ids, compare_menus

HOT = ModifierOption(id="mod_1", name="Hot", price_cents=50, vendor={"id": 11})
SAUCE = ModifierGroup(id="grp_1", name="Sauce", min_select=0, max_select=2, options=(HOT,))
PLOV = Item(id="item_1", name="Plov", price_cents=1800, modifier_groups=(SAUCE,), vendor={"id": 5})


def compared(ours: Item | None, theirs: Item | None, sold_out: frozenset[str] = frozenset()) -> list[DriftRow]:
    catalog = Catalog(1, Menu(items=() if ours is None else (ours,)), sold_out)
    return list(compare_menus(catalog, Menu(items=() if theirs is None else (theirs,)), "AZN"))


def with_group(**changes: Any) -> Item:
    return structs.replace(PLOV, modifier_groups=(structs.replace(SAUCE, **changes),))


def with_option(**changes: Any) -> Item:
    return with_group(options=(structs.replace(HOT, **changes),))


def test_two_menus_that_are_one_have_no_rows() -> None:
    assert compared(PLOV, PLOV) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "severity", "found"),
    [
        (PLOV, None, "ITEM_NOT_AT_POS", Severity.ERROR, "the POS does not know it"),
        (None, PLOV, "ITEM_NOT_HERE", Severity.WARNING, "the POS sells it and the hub does not know it"),
        (
            PLOV,
            structs.replace(PLOV, price_cents=1900),
            "PRICE_DIFFERS",
            Severity.WARNING,
            "₼18.00 here, ₼19.00 at the POS",
        ),
        (
            PLOV,
            structs.replace(PLOV, name="Pilaf"),
            "NAME_DIFFERS",
            Severity.WARNING,
            "'Plov' here, 'Pilaf' at the POS",
        ),
        (
            PLOV,
            structs.replace(PLOV, available=False),
            "SOLD_OUT_AT_POS",
            Severity.WARNING,
            "sold out at the POS, on sale here",
        ),
        (
            PLOV,
            with_group(min_select=1),
            "MODIFIER_MINIMUM_DIFFERS",
            Severity.ERROR,
            "at least 0 here, at least 1 at the POS",
        ),
        (
            with_group(min_select=1),
            PLOV,
            "MODIFIER_MINIMUM_DIFFERS",
            Severity.WARNING,
            "at least 1 here, at least 0 at the POS",
        ),
        (
            PLOV,
            with_group(max_select=1),
            "MODIFIER_MAXIMUM_DIFFERS",
            Severity.ERROR,
            "at most 2 here, at most 1 at the POS",
        ),
        (
            with_group(max_select=0),
            PLOV,
            "MODIFIER_MAXIMUM_DIFFERS",
            Severity.ERROR,
            "at most any here, at most 2 at the POS",
        ),
        (
            PLOV,
            with_group(max_select=0),
            "MODIFIER_MAXIMUM_DIFFERS",
            Severity.WARNING,
            "at most 2 here, at most any at the POS",
        ),
        (
            PLOV,
            structs.replace(PLOV, modifier_groups=()),
            "MODIFIER_NOT_AT_POS",
            Severity.ERROR,
            "the POS has no such modifier group",
        ),
        (PLOV, with_group(options=()), "MODIFIER_NOT_AT_POS", Severity.ERROR, "the POS has no such option"),
        (
            structs.replace(PLOV, modifier_groups=()),
            with_group(min_select=1),
            "MODIFIER_REQUIRED_AT_POS",
            Severity.ERROR,
            "the POS wants 1 of it and the hub does not know it",
        ),
        (PLOV, with_option(price_cents=60), "PRICE_DIFFERS", Severity.WARNING, "₼0.50 here, ₼0.60 at the POS"),
        (PLOV, with_option(name="Fiery"), "NAME_DIFFERS", Severity.WARNING, "'Hot' here, 'Fiery' at the POS"),
    ],
)
def test_a_difference_is_told(
    ours: Item | None, theirs: Item | None, kind: str, severity: Severity, found: str
) -> None:
    [row] = compared(ours, theirs)
    assert (row.kind, row.severity, row.found) == (kind, severity, found)
    assert row.effect and row.action and row.subject.startswith("Plov")


def test_an_item_sold_out_here_only_is_told() -> None:
    [row] = compared(PLOV, PLOV, frozenset({PLOV.id}))
    assert (row.kind, row.severity) == ("SOLD_OUT_HERE", Severity.WARNING)
    assert compared(PLOV, structs.replace(PLOV, available=False), frozenset({PLOV.id})) == []


def test_a_declared_menu_meets_the_pos_by_the_pos_s_ids() -> None:
    theirs = structs.replace(
        PLOV,
        id="item_of_the_pos",
        modifier_groups=(structs.replace(SAUCE, id="other", options=(structs.replace(HOT, id="other"),)),),
    )
    assert compared(PLOV, theirs) == []
    assert [row.kind for row in compared(structs.replace(PLOV, vendor={}), theirs)] == [
        "ITEM_NOT_AT_POS",
        "ITEM_NOT_HERE",
    ]


def test_retired_items_do_not_count() -> None:
    assert compared(structs.replace(PLOV, retired=True), None) == []


def test_a_pos_without_a_menu_is_asked_for_ids() -> None:
    unmapped = structs.replace(PLOV, id="item_2", name="Soup", vendor={})
    gone = structs.replace(PLOV, id="item_3", name="Tea", vendor={"menu_item_id": 15})
    catalog = Catalog(1, Menu(items=(PLOV, unmapped, gone, structs.replace(gone, retired=True))), frozenset())
    assert [(row.subject, row.found) for row in compare_ids(catalog, ["5", "6"])] == [
        ("Soup", "the hub does not know the POS's id of it"),
        ("Tea", "the POS does not know it"),
    ]
    assert [row.subject for row in compare_ids(catalog, None)] == ["Soup"]
