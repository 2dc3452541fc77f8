"""What the restaurant behind the Clopos sandbox has: read from the seed, looked up by id."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

SELLABLE = frozenset({"GOODS", "DISH", "TIMER", "MODIFICATION"})
RELATIONS = ("modificator_groups", "modifications", "category", "station", "taxes", "codes", "tags")
"""What `with[]` can embed in a product."""


@dataclass(frozen=True)
class Modifier:
    """An option of a product, with the group it stands in."""

    group: Mapping[str, Any]
    option: Mapping[str, Any]


class Catalogue:
    """The seed with its look-ups. Raises `KeyError` for a seed that lacks a section."""

    def __init__(self, seed: Mapping[str, Any]) -> None:
        self.venues: list[dict[str, Any]] = seed["venues"]
        self.users: list[dict[str, Any]] = seed["users"]
        self.categories: list[dict[str, Any]] = seed["categories"]
        self.stations: list[dict[str, Any]] = seed["stations"]
        self.groups: list[dict[str, Any]] = seed["modificator_groups"]
        self.stop_list: list[dict[str, Any]] = seed["stop_list"]
        self.sale_types: list[dict[str, Any]] = seed["sale_types"]
        self.payment_methods: list[dict[str, Any]] = seed["payment_methods"]
        self.customers: list[dict[str, Any]] = seed["customers"]
        self.customer_groups: list[dict[str, Any]] = seed["customer_groups"]
        self.price_lists: list[dict[str, Any]] = seed["price_lists"]
        self.prices: list[dict[str, Any]] = seed["prices"]
        self._clients: list[dict[str, Any]] = seed["clients"]
        self._integrators: list[dict[str, Any]] = seed["integrators"]
        self._defaults: dict[str, Any] = seed["product_defaults"]
        self._groups_by_id = {group["id"]: group for group in self.groups}
        self._raw = {product["id"]: product for product in seed["products"]}
        self.products = [self._product(raw) for raw in seed["products"]]
        self._products_by_id = {product["id"]: product for product in self.products}

    def find_client(self, client_id: str, secret: str, brand: str) -> dict[str, Any] | None:
        """The credential of a restaurant that these three values fit."""
        shown = (client_id, secret, brand)
        clients = (one for one in self._clients if (one["client_id"], one["client_secret"], one["brand"]) == shown)
        return next(clients, None)

    def find_integrator(self, integrator_id: str) -> dict[str, Any] | None:
        """The integrator with this id."""
        return next((one for one in self._integrators if one["id"] == integrator_id), None)

    def find_venue(self, venue_id: int) -> dict[str, Any] | None:
        """The venue with this id."""
        return _by_id(self.venues, venue_id)

    def find_sale_type(self, sale_type_id: int, venue_id: int) -> dict[str, Any] | None:
        """The sale type with this id, unless it is switched off at the venue (an empty map switches nothing off)."""
        sale_type = _by_id(self.sale_types, sale_type_id)
        switched = sale_type["status"] if sale_type else None
        off = isinstance(switched, dict) and not switched.get(str(venue_id), 0)
        return None if off else sale_type

    def find_product(self, product_id: int) -> dict[str, Any] | None:
        """The product with this id, of whatever type."""
        return self._products_by_id.get(product_id)

    def is_sellable(self, product: Mapping[str, Any]) -> bool:
        """True for what can stand on an order: no ingredient, nothing inactive, no parent of variants."""
        return product["type"] in SELLABLE and product["status"] == 1 and not product["has_modifications"]

    def groups_of(self, product_id: int) -> list[dict[str, Any]]:
        """The modifier groups of a product, in their order."""
        return [self._groups_by_id[number] for number in self._raw[product_id].get("modificator_group_ids", [])]

    def modifiers_of(self, product_id: int) -> dict[int, Modifier]:
        """The options of a product by id."""
        return {
            option["id"]: Modifier(group, option)
            for group in self.groups_of(product_id)
            for option in group["modificators"]
        }

    def remaining(self, product_id: int) -> Decimal | None:
        """How many pieces the stop list leaves of a product; None when it is not on the list."""
        return next((Decimal(row["limit"]) for row in self.stop_list if row["id"] == product_id), None)

    def expand(self, product: Mapping[str, Any], relations: Iterable[str]) -> dict[str, Any]:
        """A product with the relations asked for by `with[]`; unknown ones are left out."""
        known: dict[str, Callable[[], Any]] = {
            "modificator_groups": lambda: self.groups_of(product["id"]),
            "modifications": lambda: [one for one in self.products if one["parent_id"] == product["id"]],
            "category": lambda: _by_id(self.categories, product["category_id"]),
            "station": lambda: _by_id(self.stations, product["station_id"]),
            "taxes": list,
            "codes": list,
            "tags": list,
        }
        wanted = {name.partition(".")[0] for name in relations}
        return {**product, **{name: load() for name, load in known.items() if name in wanted}}

    def category_tree(self, parent_id: int | None, *, depth: int = 0, inactive: bool = False) -> list[dict[str, Any]]:
        """The categories below a parent (None: the roots) with their children."""
        return [
            {**category, "depth": depth, "children": self.category_tree(category["id"], depth=depth + 1)}
            for category in self.categories
            if category["parent_id"] == parent_id and (inactive or category["status"] == 1)
        ]

    def _product(self, raw: dict[str, Any]) -> dict[str, Any]:
        parent = self._raw.get(raw.get("parent_id"))
        names = {
            "parent_name": parent["name"] if parent else "",
            "full_name": f"{parent['name']} {raw['name']}" if parent else raw["name"],
            "has_modifications": any(other.get("parent_id") == raw["id"] for other in self._raw.values()),
        }
        own = {key: value for key, value in raw.items() if key != "modificator_group_ids"}
        return {**self._defaults, **names, **own}


def _by_id(rows: list[dict[str, Any]], number: int | None) -> dict[str, Any] | None:
    return next((row for row in rows if row["id"] == number), None)
