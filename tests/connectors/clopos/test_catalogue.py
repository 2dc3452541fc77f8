"""The catalogue as a menu."""

from decimal import Decimal
from typing import Any

import msgspec

from connectors.clopos.catalogue import CatalogueSetup, menu_from_clopos
from hub.model.decimals import decode_json
from hub.model.ids import derived_id
from hub.model.menu import Item, Menu, Tax
from tests.connectors.clopos.linked import LINK_ID, documented


def menu(*, full: bool = False, stop_list: Any = ()) -> Menu:
    setup = CatalogueSetup(link_id=LINK_ID, currency="AZN", full_products=full)
    return menu_from_clopos(
        documented("categories")["data"],
        decode_json(msgspec.json.encode(documented("products")["data"])),
        stop_list,
        setup,
    )


def item(name: str, of: Menu) -> Item:
    return next(one for one in of.items if one.name == name)


def test_only_what_can_be_sold_is_on_the_menu_in_the_order_of_its_categories() -> None:
    assert [section.name for section in menu().categories] == ["Dürüm", "Oyun", "Drinks"]
    assert [one.name for one in menu().items] == [
        "Mega Dürüm Menü Alana Çiğ Köfte Dürüm",
        "PS5",
        "Fanta 0.33",
        "Fanta 1 L",
        "Ayran",
    ]


def test_variants_are_items_of_their_own_with_their_parents_category_and_station() -> None:
    fanta = item("Fanta 1 L", menu())
    assert fanta.id == derived_id("item", LINK_ID, "421")
    assert fanta.price_cents == 425
    assert fanta.vendor["product"] == {
        "id": 421,
        "name": "Fanta 1 L",
        "category_id": 2,
        "station_id": 2,
        "price": "4.25",
    }


def test_modifier_groups_are_single_or_several_and_their_options_keep_the_vendors_number() -> None:
    sauce, extra = item("Mega Dürüm Menü Alana Çiğ Köfte Dürüm", menu()).modifier_groups
    assert (sauce.min_select, sauce.max_select, extra.min_select, extra.max_select) == (1, 1, 0, 3)
    (option,) = extra.options
    assert (option.price_cents, option.max_quantity, option.vendor) == (1500, 2, {"id": 201, "name": "S-bb"})


def test_the_stop_list_makes_products_and_modifiers_made_of_them_unavailable() -> None:
    stopped = menu(stop_list=documented("stop_list")["data"])
    assert item("Ayran", stopped).available is False
    assert item("PS5", stopped).available is True, "three are left"
    assert item("Mega Dürüm Menü Alana Çiğ Köfte Dürüm", stopped).modifier_groups[0].options[0].available is False


def test_taxes_are_inclusive_and_discountable_is_kept() -> None:
    assert item("Mega Dürüm Menü Alana Çiğ Köfte Dürüm", menu()).tax == Tax(name="ƏDV", rate="18", inclusive=True)
    assert item("Ayran", menu()).tax is None
    assert (item("PS5", menu()).discountable, item("Ayran", menu()).discountable) == (False, True)


def test_compact_vendor_data_is_the_documented_product() -> None:
    product = item("Mega Dürüm Menü Alana Çiğ Köfte Dürüm", menu()).vendor["product"]
    full = documented("create_order_v1")["payload"]["products"][0]["meta"]["order_product"]["product"]
    assert product == full


def test_full_vendor_data_is_the_product_of_the_first_example() -> None:
    product = item("Mega Dürüm Menü Alana Çiğ Köfte Dürüm", menu(full=True)).vendor["product"]
    first = documented("create_order_v1_first")["payload"]["products"][0]["meta"]["order_product"]["product"]
    assert product == first


def test_the_menu_survives_being_stored_as_json() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(menu(full=True)), type=Menu)
    assert stored == menu(full=True)


def test_a_product_without_a_price_is_left_out() -> None:
    setup = CatalogueSetup(link_id=LINK_ID, currency="AZN", full_products=False)
    rows = [{"id": 1, "type": "DISH", "name": "Open price", "status": 1, "price": None}]
    assert menu_from_clopos([], rows, [], setup).items == ()


def test_goods_that_have_variants_but_do_not_show_them_cannot_be_sold() -> None:
    setup = CatalogueSetup(link_id=LINK_ID, currency="AZN", full_products=False)
    rows = [{"id": 1, "type": "GOODS", "name": "Fanta", "status": 1, "price": 0, "has_modifications": True}]
    assert menu_from_clopos([], rows, [], setup).items == ()


def test_prices_that_cannot_be_are_not_taken_over() -> None:
    products = decode_json(msgspec.json.encode(documented("products")["data"]))
    ayran = next(row for row in products if row["name"] == "Ayran")
    dürüm = next(row for row in products if row["name"].startswith("Mega"))
    ayran["price"] = Decimal("1e20")
    dürüm["modificator_groups"][1]["modificators"][0]["price"] = "99999999999999999999"
    setup = CatalogueSetup(link_id=LINK_ID, currency="AZN", full_products=False)
    read = menu_from_clopos(documented("categories")["data"], products, (), setup)
    assert [one.name for one in read.items if one.name in ("Ayran", "PS5")] == ["PS5"]
    assert len(item(dürüm["name"], read).modifier_groups) == 1


def test_products_without_a_known_category_stand_in_one_of_their_own() -> None:
    setup = CatalogueSetup(link_id=LINK_ID, currency="AZN", full_products=False)
    products = decode_json(msgspec.json.encode(documented("products")["data"]))
    bare = menu_from_clopos([], products, (), setup)
    assert [section.name for section in bare.categories] == ["Other"]
    assert {one.category_id for one in bare.items} == {bare.categories[0].id} and len(bare.items) == 5
    for row in products:
        if row["name"] == "Ayran":
            row["category_id"] = None
    read = menu_from_clopos(documented("categories")["data"], products, (), setup)
    assert [section.name for section in read.categories] == ["Dürüm", "Oyun", "Drinks", "Other"]
    assert [one.name for one in read.items if one.category_id == read.categories[3].id] == ["Ayran"]


def test_what_stands_in_a_hidden_category_stays_hidden() -> None:
    setup = CatalogueSetup(link_id=LINK_ID, currency="AZN", full_products=False)
    hidden = [{**row, "hidden": True} for row in documented("categories")["data"]]
    read = menu_from_clopos(hidden, decode_json(msgspec.json.encode(documented("products")["data"])), (), setup)
    assert read.categories == () and {one.category_id for one in read.items} == {""}
