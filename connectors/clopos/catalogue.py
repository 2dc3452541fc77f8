"""Clopos' catalogue as a canonical menu: what can be sold, with its variants, modifiers, taxes and stop list.

Sources: https://developer.clopos.com/api-reference/products/get-all-products, /products/get-product-by-id,
/products/get-stop-list and /categories/get-categories, read 2026-11-21.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct

from connectors.clopos.wire import Row
from hub.contract.amounts import find_cents, read_cents, read_decimal
from hub.errors import VendorMalformed
from hub.model.ids import derived_id
from hub.model.menu import Category, Item, Menu, ModifierGroup, ModifierOption, Tax
from hub.model.money import exponent

_SOLD_AS_THEY_ARE = frozenset({"DISH", "GOODS", "TIMER"})
_VARIANT = "MODIFICATION"
_SINGLE_CHOICE = 1  # a modifier group's `type`: 1 is one of them, 0 is several
_LAST = 1 << 30
_OTHER = "Other"


class CatalogueSetup(Struct, frozen=True, kw_only=True):
    """What a menu needs to know of the link; `full_products` keeps type, image and meta beside each item."""

    link_id: str
    currency: str
    full_products: bool


# Every order that is read back names the same products again.
@lru_cache(maxsize=10_000)
def item_id(link_id: str, product_id: str) -> str:
    """Our id of a product or variant."""
    return derived_id("item", link_id, product_id)


@lru_cache(maxsize=10_000)
def modifier_id(link_id: str, modificator_id: str) -> str:
    """Our id of one option of a modifier group."""
    return derived_id("mod", link_id, modificator_id)


def menu_from_clopos(
    categories: Iterable[Row], products: Iterable[Row], stop_list: Iterable[Row], setup: CatalogueSetup
) -> Menu:
    """The menu: active and visible products only, in the order of their categories, never ingredients.

    Products without a category, or with one that is not in the list, stand in one of their own at the end.
    """
    categories = list(categories)
    sections = [
        Category(id=_category_id(setup, row["id"]), name=str(row.get("name") or ""), position=position)
        for position, row in enumerate(_visible_categories(categories))
    ]
    places = {section.id: section.position for section in sections}
    listed = [_category_id(setup, category_id) for category_id in _listed_ids(categories)]
    homes = {category_id: category_id if category_id in places else "" for category_id in listed}
    other = Category(id=_category_id(setup, _OTHER), name=_OTHER, position=len(sections))
    sold_out = {row.get("id") for row in stop_list if _is_sold_out(row)}
    rows: dict[Any, Row] = {}
    for row in _sellable(products):
        rows.setdefault(row["id"], row)
    priced = [(row, find_cents(row.get("price"), setup.currency)) for row in rows.values()]
    placed = [
        (row, _item(row, cents, homes.get(_category_id(setup, row.get("category_id")), other.id), sold_out, setup))
        for row, cents in priced
        if cents is not None
    ]
    if any(item.category_id == other.id for _, item in placed):
        sections.append(other)
    placed.sort(key=lambda pair: (places.get(pair[1].category_id, _LAST), _position(pair[0])))
    return Menu(categories=tuple(sections), items=tuple(item for _, item in placed))


def _listed_ids(rows: Iterable[Row]) -> Iterator[Any]:
    """The ids of all categories, shown or not: what stands in a hidden one is hidden on purpose."""
    for row in rows:
        yield row["id"]
        children = row.get("children")
        if isinstance(children, list):
            yield from _listed_ids(children)


def _visible_categories(rows: Iterable[Row]) -> Iterator[Row]:
    # The tree nests children in their parents; a list without nesting passes through as it is.
    for row in sorted(rows, key=_position):
        if row.get("type", "PRODUCT") != "PRODUCT" or not _is_active(row):
            continue
        yield row
        children = row.get("children")
        if isinstance(children, list):
            yield from _visible_categories(children)


def _sellable(products: Iterable[Row]) -> Iterator[Row]:
    """Products that can stand in an order. Of goods with variants only the variants can be sold."""
    for product in products:
        kind = product.get("type")
        if not _is_active(product) or kind not in (*_SOLD_AS_THEY_ARE, _VARIANT):
            continue
        variants = product.get("modifications") if kind == "GOODS" else None
        if not isinstance(variants, list) or not variants:
            if not (kind == "GOODS" and product.get("has_modifications")):
                yield product
            continue
        for variant in variants:
            if _is_active(variant):
                yield _with_parent(variant, product)


def _with_parent(variant: Row, parent: Row) -> Row:
    inherited = ("category_id", "station_id", "discountable", "taxes", "description", "image", "media", "position")
    row = {name: parent.get(name) for name in inherited}
    row.update({name: value for name, value in variant.items() if value is not None})
    row["type"] = variant.get("type") or _VARIANT
    row["name"] = variant.get("full_name") or f"{parent.get('name')} {variant.get('name')}"
    return row


def _item(row: Row, price_cents: int, category_id: str, sold_out: set[Any], setup: CatalogueSetup) -> Item:
    image = _image(row)
    return Item(
        id=item_id(setup.link_id, str(row["id"])),
        name=str(row.get("name") or row.get("full_name") or row["id"]),
        price_cents=price_cents,
        category_id=category_id,
        description=str(row.get("description") or ""),
        image_url=str((image or {}).get("original") or ""),
        modifier_groups=tuple(_groups(row, sold_out, setup)),
        tax=_tax(row.get("taxes")),
        available=row["id"] not in sold_out,
        discountable=row.get("discountable") is not False,
        vendor={"id": row["id"], "product": _order_product(row, price_cents, image, setup)},
    )


def _order_product(row: Row, cents: int, image: Row | None, setup: CatalogueSetup) -> Row:
    """What goes back to Clopos with each line. Whole prices are numbers, others decimal strings: no float is stored."""
    product = {
        "id": row["id"],
        "name": str(row.get("name") or row["id"]),
        "category_id": row.get("category_id"),
        "station_id": row.get("station_id"),
    }
    if setup.full_products:
        return {**product, "type": row.get("type"), "image": image, "meta": _storable(row.get("meta"))}
    whole, rest = divmod(cents, 10 ** exponent(setup.currency))
    return {**product, "price": str(Decimal(cents).scaleb(-exponent(setup.currency))) if rest else whole}


def _groups(row: Row, sold_out: set[Any], setup: CatalogueSetup) -> Iterator[ModifierGroup]:
    groups = row.get("modificator_groups") if row.get("type") == "DISH" else None
    for group in groups if isinstance(groups, list) else ():
        options = tuple(_options(group.get("modificators"), sold_out, setup))
        if not options:
            continue
        yield ModifierGroup(
            id=derived_id("modgroup", setup.link_id, str(group["id"])),
            name=str(group.get("name") or ""),
            min_select=_whole(group.get("min_select")),
            max_select=1 if group.get("type") == _SINGLE_CHOICE else _whole(group.get("max_select")),
            options=options,
        )


def _options(rows: Any, sold_out: set[Any], setup: CatalogueSetup) -> Iterator[ModifierOption]:
    for row in rows if isinstance(rows, list) else ():
        ingredient = row.get("ingredient")
        ingredient_id = ingredient.get("id") if isinstance(ingredient, Mapping) else None
        name = str(row.get("name") or row["id"])
        try:
            price_cents = read_cents(row.get("price"), setup.currency) or 0
        except VendorMalformed:  # no choice for anybody, and no reason to do without the rest of the menu
            continue
        yield ModifierOption(
            id=modifier_id(setup.link_id, str(row["id"])),
            name=name,
            price_cents=price_cents,
            max_quantity=max(1, _whole(row.get("max_count"))),
            available=row.get("status") not in (0, False) and (ingredient_id is None or ingredient_id not in sold_out),
            vendor={"id": row["id"], "name": name},
        )


def _tax(rows: Any) -> Tax | None:
    """The item's taxes as one; Clopos' prices are taken to include them. Several rates add up."""
    taxes = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    rates = [rate for rate in (read_decimal(row.get("rate")) for row in taxes) if rate]
    if not rates:
        return None
    name = " + ".join(str(row.get("name") or "Tax") for row in taxes)
    return Tax(name=name, rate=str(sum(rates, Decimal(0))), inclusive=True)


def _image(row: Row) -> Row | None:
    image = row.get("image")
    if isinstance(image, Mapping):
        return dict(image)
    media: Sequence[Any] = row["media"] if isinstance(row.get("media"), list) else ()
    urls = media[0].get("urls") if media and isinstance(media[0], Mapping) else None
    return dict(urls) if isinstance(urls, Mapping) else None


def _storable(value: Any) -> Any:
    # The menu is stored as JSON, where a Decimal would come back as text in any case.
    if isinstance(value, Mapping):
        return {name: _storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


def _is_active(row: Row) -> bool:
    return row.get("status") not in (0, False) and not row.get("hidden") and not row.get("deleted_at")


def _is_sold_out(row: Row) -> bool:
    limit = read_decimal(row.get("limit"))
    return limit is not None and limit <= 0


def _category_id(setup: CatalogueSetup, vendor_id: Any) -> str:
    return derived_id("category", setup.link_id, str(vendor_id))


def _position(row: Row) -> int:
    position = row.get("position")
    return position if isinstance(position, int) else _LAST


def _whole(value: Any) -> int:
    number = read_decimal(value)
    return 0 if number is None else int(number)
