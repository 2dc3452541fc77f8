"""Desktop Kitchen's menu as a canonical one, and items on their way back to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import structs

from connectors.desktop_kitchen.notes import CONNECTOR
from connectors.desktop_kitchen.values import read_count, read_id, to_amount
from connectors.desktop_kitchen.wire import MenuItem, Row
from hub.contract.amounts import find_cents, read_cents
from hub.errors import UnmappedValue, VendorMalformed
from hub.model.ids import derived_id
from hub.model.menu import Category, Item, Menu, ModifierGroup, ModifierOption, Tax

IVA = Tax(name="IVA", rate="16", inclusive=True)
"""Every price includes it; the server takes it out of the total."""

_LAST = 1 << 30
_OTHER = "Other"


def item_id(link_id: str, vendor_id: str) -> str:
    """Our id of a menu item."""
    return derived_id("item", link_id, vendor_id)


def modifier_id(link_id: str, vendor_id: str) -> str:
    """Our id of one option of a modifier group."""
    return derived_id("mod", link_id, vendor_id)


def category_id(link_id: str, vendor_id: str) -> str:
    """Our id of a category."""
    return derived_id("category", link_id, vendor_id)


def menu_from_desktop_kitchen(
    categories: Iterable[Row], items: Iterable[Row], groups: Mapping[str, Sequence[Row]], *, link_id: str, currency: str
) -> Menu:
    """The menu in the order of its categories; `groups` are an item's modifier groups by its vendor id.

    Items that are switched off stay, as sold out: that is what the POS's switch means. So do those of a category
    that is off. Items without a category, or with one that is not in the list, stand in one of their own at the end;
    those without a readable price or id are left out.
    """
    rows = sorted((row for row in categories if read_id(row.get("id"))), key=_position)
    ids = {category_id(link_id, read_id(row["id"]) or ""): row for row in rows}
    shown = {own_id: row for own_id, row in ids.items() if _is_active(row)}
    sections = [
        Category(id=own_id, name=str(row.get("name") or ""), position=position)
        for position, (own_id, row) in enumerate(shown.items())
    ]
    places = {section.id: section.position for section in sections}
    other = Category(id=category_id(link_id, _OTHER), name=_OTHER, position=len(sections))
    read = [item_from_desktop_kitchen(row, groups, link_id=link_id, currency=currency) for row in items]
    known = {
        item.id: item
        if item.category_id in shown
        else structs.replace(item, category_id="", available=False)
        if item.category_id in ids
        else structs.replace(item, category_id=other.id)
        for item in read
        if item is not None
    }
    if any(item.category_id == other.id for item in known.values()):
        sections.append(other)
    placed = sorted(known.values(), key=lambda item: places.get(item.category_id, _LAST))
    return Menu(categories=tuple(sections), items=tuple(placed))


def item_from_desktop_kitchen(
    row: Row, groups: Mapping[str, Sequence[Row]], *, link_id: str, currency: str
) -> Item | None:
    """One item, or None when it has no readable id or price."""
    vendor_id, price = read_id(row.get("id")), find_cents(row.get("price"), currency)
    if vendor_id is None or price is None:
        return None
    category = read_id(row.get("category_id"))
    image = str(row.get("image_url") or "")
    return Item(
        id=item_id(link_id, vendor_id),
        name=str(row.get("name") or vendor_id),
        price_cents=price,
        category_id=category_id(link_id, category) if category else "",
        description=str(row.get("description") or ""),
        image_url=image if image.startswith(("https://", "http://")) else "",
        modifier_groups=tuple(_groups(groups.get(vendor_id, ()), link_id, currency)),
        tax=IVA,
        available=_is_active(row),
        vendor={"id": int(vendor_id)} | ({"category_id": int(category)} if category else {}),
    )


def item_to_desktop_kitchen(item: Item, categories: Iterable[Row], *, link_id: str, currency: str) -> MenuItem:
    """The body that creates or changes an item. Raises `UnmappedValue` when its category is not one of the POS's."""
    ids = [vendor_id for row in categories if (vendor_id := read_id(row.get("id"))) is not None]
    unnamed = item.category_id in ("", category_id(link_id, _OTHER))
    own = read_id(item.vendor.get("category_id")) if unnamed else None
    category = own or next((one for one in ids if category_id(link_id, one) == item.category_id), None)
    if category is None:
        raise UnmappedValue(
            f"{item.name!r}: its category {item.category_id!r} is not one of the POS's",
            connector=CONNECTOR,
            field="category_id",
        )
    body: MenuItem = {
        "category_id": int(category),
        "name": item.name,
        "price": to_amount(item.price_cents, currency),
        "description": item.description,
    }
    if item.image_url:
        body["image_url"] = item.image_url
    return body


def _groups(rows: Sequence[Row], link_id: str, currency: str) -> Iterator[ModifierGroup]:
    for row in sorted(rows, key=_position):
        options = tuple(_options(row.get("modifiers"), link_id, currency))
        group_id = read_id(row.get("id"))
        if not _is_active(row) or not options or group_id is None:
            continue
        least = read_count(row.get("min_selections")) or 0
        single = row.get("selection_type") == "single"
        yield ModifierGroup(
            id=derived_id("modgroup", link_id, group_id),
            name=str(row.get("name") or ""),
            min_select=max(least, 1) if row.get("required") in (True, 1) else least,
            max_select=1 if single else read_count(row.get("max_selections")) or 0,
            options=options,
        )


def _options(rows: object, link_id: str, currency: str) -> Iterator[ModifierOption]:
    given = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    for row in sorted(given, key=_position):
        vendor_id = read_id(row.get("id"))
        if vendor_id is None:
            continue
        try:
            price_cents = read_cents(row.get("price_adjustment"), currency) or 0
        except VendorMalformed:  # no choice for anybody, and no reason to do without the rest of the menu
            continue
        yield ModifierOption(
            id=modifier_id(link_id, vendor_id),
            name=str(row.get("name") or vendor_id),
            price_cents=price_cents,
            available=_is_active(row),
            vendor={"id": int(vendor_id)},
        )


def _is_active(row: Row) -> bool:
    return row.get("active") not in (False, 0)


def _position(row: Row) -> int:
    position = read_count(row.get("sort_order"))
    return _LAST if position is None else position
