"""Checks an order against the catalogue, whichever dialect it came in: the part v1 and v2 have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.clopos.sandbox.answers import field_refused
from connectors.clopos.sandbox.auth import Caller
from connectors.clopos.sandbox.catalogue import Catalogue
from connectors.clopos.sandbox.fields import Fields
from connectors.clopos.sandbox.totals import PERCENT, SoldLine, Totals

DISCOUNT_TYPES = (0, 1, 2)
AUTO_FLAGS = ("auto_accept_terminal", "auto_order_accept", "auto_order_sent_to_station")


@dataclass(frozen=True)
class Chosen:
    """One modifier on a line, as it was sent."""

    modifier_id: int
    count: int
    path: str
    portion_size: Decimal = Decimal(1)


@dataclass(frozen=True)
class CheckedOrder:
    """An order that may be accepted: what will be stored, and what the vendor makes of it."""

    payload: dict[str, Any]
    totals: Totals
    accept_at_once: bool
    order_number: str | None = None


@dataclass(frozen=True)
class Shop:
    """What an order is checked against."""

    catalogue: Catalogue
    find_customer: Callable[[int], Mapping[str, Any] | None]
    caller: Caller

    def check_venue(self, fields: Fields, name: str) -> dict[str, Any]:
        """The venue of the order, which must be the one the call is made for."""
        venue_id = fields.integer(name)
        venue = self.catalogue.find_venue(venue_id)
        if venue is None:
            raise field_refused(fields.at(name), "must be an existing venue")
        if venue_id != self.caller.venue_id:
            raise field_refused(fields.at(name), f"must be the venue of the call ({self.caller.venue_id})")
        return venue

    def check_sale_type(self, fields: Fields, name: str) -> dict[str, Any]:
        """The sale type of the order, which must be switched on at the venue."""
        sale_type = self.catalogue.find_sale_type(fields.integer(name), self.caller.venue_id)
        if sale_type is None:
            raise field_refused(fields.at(name), "must be a sale type of this venue")
        return sale_type

    def check_customer(self, fields: Fields, name: str) -> int:
        """The id of an existing customer."""
        customer_id = fields.integer(name)
        if self.find_customer(customer_id) is None:
            raise field_refused(fields.at(name), "must be an existing customer")
        return customer_id

    def check_line(
        self, fields: Fields, count: int, chosen: Sequence[Chosen], portion_size: Decimal = Decimal(1)
    ) -> tuple[dict[str, Any], SoldLine]:
        """The product of a line, and what the line sells for by our own prices."""
        product_id = fields.integer("product_id")
        product = self.catalogue.find_product(product_id)
        if product is None:
            raise field_refused(fields.at("product_id"), "must be an existing product")
        if not self.catalogue.is_sellable(product):
            raise field_refused(fields.at("product_id"), "must be a product that can be sold")
        remaining = self.catalogue.remaining(product_id)
        if remaining is not None and count > remaining:
            # The pages do not say what an order for a stopped product gets; a refusal is the careful reading.
            raise field_refused(fields.at("count"), f"must be at most {remaining}: the product is on the stop list")
        unit = Decimal(product["price"]) * portion_size + self._modifiers(product_id, chosen, fields)
        line = SoldLine(unit, count, product["discountable"], not product["ignore_service_charge"])
        return product, line

    def _modifiers(self, product_id: int, chosen: Sequence[Chosen], fields: Fields) -> Decimal:
        known = self.catalogue.modifiers_of(product_id)
        per_group: dict[int, int] = {}
        price = Decimal(0)
        for one in chosen:
            modifier = known.get(one.modifier_id)
            if modifier is None or modifier.option["status"] != 1:
                raise field_refused(one.path, f"must be a modifier of product {product_id}")
            if one.count > modifier.option["max_count"]:
                raise field_refused(one.path, f"must not be taken more than {modifier.option['max_count']} times")
            group_id = modifier.group["id"]
            per_group[group_id] = per_group.get(group_id, 0) + one.count
            price += Decimal(modifier.option["price"]) * one.count * one.portion_size
        for group in self.catalogue.groups_of(product_id):
            taken = per_group.get(group["id"], 0)
            most = 1 if group["type"] == 1 else group["max_select"]
            if not group["min_select"] <= taken <= most:
                rule = f"must have {group['min_select']} to {most} of group {group['id']} ({group['name']})"
                raise field_refused(fields.path, rule)
        return price


def check_discount(value: Any, path: str) -> tuple[int, Decimal]:
    """Type (0 none, 1 percent, 2 amount) and value of a discount; a percentage is at most 100."""
    fields = Fields(value, path, required=(), optional=("discount_type", "discount_value"))
    kind = fields.choice("discount_type", DISCOUNT_TYPES, default=0)
    amount = fields.number("discount_value", default=0)
    if kind == PERCENT and amount > 100:
        raise field_refused(fields.at("discount_value"), "must be at most 100")
    return kind, amount


def check_auto_flags(fields: Fields) -> bool:
    """True when the order asks to be accepted without a clerk."""
    if fields.has("auto_accept_terminal"):
        fields.integer("auto_accept_terminal", least=1)
    fields.boolean("auto_order_sent_to_station", default=False)
    return fields.boolean("auto_order_accept", default=False)
