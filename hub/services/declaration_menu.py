"""The menu part of a declaration: checked, and turned into the model's menu."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from hub.model.ids import derived_id
from hub.model.menu import Category, Item, Menu, ModifierGroup, ModifierOption, Tax
from hub.model.money import exponent
from hub.services.declaration_entries import GroupEntry, ItemEntry, MenuEntry, OptionEntry, TaxEntry, model_of
from hub.services.declaration_lines import Place

_LARGEST_PRICE_CENTS = 10**12
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


class MenuBuilder:
    """Builds the menu of one venue; ids are derived from the venue's slug and the keys, so they stay the same.

    What is wrong is added to `problems`, with its place; the menu may be used only when nothing was.
    """

    def __init__(self, slug: str, currency: str, problems: list[str]) -> None:
        self._slug = slug
        self._currency = currency
        self._problems = problems

    def menu(self, entry: MenuEntry, place: Place) -> Menu:
        """The menu declared at `place`."""
        for name in ("categories", "modifier_groups", "items"):
            check_unique((part.key for part in getattr(entry, name)), place.at(name), "key", self._problems)
        groups = {
            group.key: self._group(group, place.at("modifier_groups", index))
            for index, group in enumerate(entry.modifier_groups)
        }
        categories = {
            category.key: Category(id=derived_id("cat", self._slug, category.key), name=category.name, position=index)
            for index, category in enumerate(entry.categories)
        }
        items = [
            self._item(item, categories, groups, place.at("items", index)) for index, item in enumerate(entry.items)
        ]
        return Menu(categories=tuple(categories.values()), items=tuple(items))

    def _item(
        self, entry: ItemEntry, categories: Mapping[str, Category], groups: Mapping[str, ModifierGroup], place: Place
    ) -> Item:
        category = categories.get(entry.category)
        if category is None:
            self._problems.append(f"{place.at('category')}: there is no category {entry.category!r}")
        for index, key in enumerate(entry.modifier_groups):
            if key not in groups:
                self._problems.append(f"{place.at('modifier_groups', index)}: there is no modifier group {key!r}")
        return Item(
            id=derived_id("item", self._slug, entry.key),
            name=entry.name,
            price_cents=self._cents(entry.price, place.at("price")),
            category_id="" if category is None else category.id,
            description=entry.description,
            image_url=entry.image_url,
            modifier_groups=tuple(groups[key] for key in dict.fromkeys(entry.modifier_groups) if key in groups),
            tax=checked_tax(entry.tax, place.at("tax"), self._problems),
            available=entry.available,
            discountable=entry.discountable,
            dietary=entry.dietary,
            allergens=entry.allergens,
            vendor=self._vendor(entry.vendor, place.at("vendor")),
        )

    def _group(self, entry: GroupEntry, place: Place) -> ModifierGroup:
        check_unique((option.key for option in entry.options), place.at("options"), "key", self._problems)
        if entry.max_select and entry.min_select > entry.max_select:
            self._problems.append(f"{place.at('min_select')}: is more than max_select, which is {entry.max_select}")
        limits = [option.max_quantity for option in entry.options]
        if entry.min_select > sum(limits) and 0 not in limits:
            self._problems.append(f"{place.at('min_select')}: the options allow {sum(limits)} at most")
        return ModifierGroup(
            id=derived_id("modgroup", self._slug, entry.key),
            name=entry.name,
            min_select=entry.min_select,
            max_select=entry.max_select,
            options=tuple(
                self._option(option, entry.key, place.at("options", index))
                for index, option in enumerate(entry.options)
            ),
        )

    def _option(self, entry: OptionEntry, group_key: str, place: Place) -> ModifierOption:
        return ModifierOption(
            id=derived_id("mod", self._slug, group_key, entry.key),
            name=entry.name,
            price_cents=self._cents(entry.price, place.at("price")),
            max_quantity=entry.max_quantity,
            available=entry.available,
            vendor=self._vendor(entry.vendor, place.at("vendor")),
        )

    def _cents(self, price: Decimal, place: Place) -> int:
        decimals = exponent(self._currency)
        if not price.is_finite() or price < 0 or abs(price.adjusted()) > 15 or len(price.as_tuple().digits) > 20:
            self._problems.append(f"{place}: {price} is not a price")
            return 0
        cents = price.scaleb(decimals)
        if cents != cents.to_integral_value():
            self._problems.append(f"{place}: {price} has more decimals than {self._currency}, which has {decimals}")
        elif cents > _LARGEST_PRICE_CENTS:
            self._problems.append(f"{place}: {price} is more than the hub can handle")
        return int(cents)

    def _vendor(self, vendor: Mapping[str, Any], place: Place) -> dict[str, Any]:
        # Fractions become text: the connector gets them exact, and never as a float.
        return as_stored(vendor, msgspec.json.Encoder(decimal_format="string"), place, self._problems)


def check_unique(values: Iterable[str], place: Place, field: str, problems: list[str]) -> None:
    """Adds a problem for each value of a list at `place` that came before."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            problems.append(f"{place.at(index, field)}: {value!r} is used twice")
        seen.add(value)


def check_percent(text: str, place: Place, problems: list[str]) -> None:
    """Adds a problem unless the text is a percentage from 0 to 100 with at most four decimals."""
    if not _PERCENT.fullmatch(text) or Decimal(text) > 100:
        problems.append(f'{place}: {text!r} is not a percentage; write it like "18" or "7.5"')


def checked_tax(entry: TaxEntry | None, place: Place, problems: list[str]) -> Tax | None:
    """The tax rule of an entry, if there is one."""
    if entry is None:
        return None
    check_percent(entry.rate, place.at("rate"), problems)
    return model_of(entry, Tax)


def as_stored(
    values: Mapping[str, Any], encoder: msgspec.json.Encoder, place: Place, problems: list[str]
) -> dict[str, Any]:
    """Free-form values as they come back from the database, so that a second look finds no difference."""
    try:
        stored: dict[str, Any] = msgspec.json.decode(encoder.encode(values))
    except msgspec.DecodeError:  # `nan` and `inf`, which TOML has and JSON has not
        problems.append(f"{place}: holds something that is not a number")
        return {}
    return stored
