"""A venue's menu: categories, items, modifier groups and what is sold out."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field


class ModifierOption(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One option of a group; `price_cents` is added per unit."""

    id: str
    name: str
    price_cents: int = 0
    max_quantity: int = 1
    available: bool = True
    vendor: Mapping[str, Any] = field(default_factory=dict)


class ModifierGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Options that belong together; between `min_select` and `max_select` of them (0: no limit) must be chosen."""

    id: str
    name: str
    min_select: int = 0
    max_select: int = 0
    options: tuple[ModifierOption, ...] = ()


class Tax(Struct, frozen=True, kw_only=True):
    """A tax rule: `rate` is a percentage as a decimal string; `inclusive` tax is already inside the price."""

    name: str
    rate: str
    inclusive: bool


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something one can order. `available` is the POS's word; the hub's own 86 list stands above it."""

    id: str
    name: str
    price_cents: int
    category_id: str = ""
    description: str = ""
    image_url: str = ""
    modifier_groups: tuple[ModifierGroup, ...] = ()
    tax: Tax | None = None
    available: bool = True
    discountable: bool = True
    retired: bool = False
    """No longer on the menu, still known: old orders keep their meaning."""
    dietary: tuple[str, ...] = ()
    allergens: tuple[str, ...] = ()
    vendor: Mapping[str, Any] = field(default_factory=dict)
    """What the connector needs to order it. `id` is the vendor's own id, by which lines that come back are known."""


class Category(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A section of the menu."""

    id: str
    name: str
    position: int = 0


class Menu(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a venue sells, in the order a guest should read it."""

    categories: tuple[Category, ...] = ()
    items: tuple[Item, ...] = ()
