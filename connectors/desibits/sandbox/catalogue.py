"""What the restaurant behind the Desibits sandbox has: read from the seed, looked up by id."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]


class Catalogue:
    """The seed with its look-ups. Raises `KeyError` for a seed that lacks a section."""

    def __init__(self, seed: Mapping[str, Any]) -> None:
        restaurant = seed["restaurant"]
        self.branch: int = restaurant["branch"]
        self.zone = ZoneInfo(restaurant["timezone"])
        self.order_types: dict[int, Row] = _by_id(seed["order_types"])
        self.tables: dict[int, Row] = _by_id(seed["tables"])
        self.menu_items: dict[int, Row] = _by_id(seed["menu_items"])
        self.customers: dict[int, Row] = _by_id(seed["customers"])
        self.drivers: dict[int, Row] = _by_id(seed["delivery_drivers"])
        self.delivery_platforms: list[Row] = seed["delivery_platforms"]
        self.payment_methods: list[Row] = seed["payment_methods"]
        self.printers: list[Row] = seed["printers"]
        self.coupons: list[Row] = seed["coupons"]
        self.kitchens: list[Row] = [self._kitchen(row) for row in seed["kitchens"]]
        self._tokens: list[str] = seed["tokens"]

    def knows(self, token: str) -> bool:
        """True for a token of this restaurant."""
        shown = token.encode("utf-8", "surrogateescape")
        # Every token is compared, so that the time taken says nothing.
        return sum(hmac.compare_digest(shown, known.encode()) for known in self._tokens) > 0

    def is_dine_in(self, order_type_id: int) -> bool:
        """True for the type of order that is eaten at a table."""
        return bool(self.order_types[order_type_id]["type"] == "dine_in")

    def is_delivery(self, order_type_id: int) -> bool:
        """True for the type of order that a driver takes."""
        return bool(self.order_types[order_type_id]["type"] == "delivery")

    def payment_codes(self) -> list[str]:
        """The words that a payment names its method by."""
        return [method["code"] for method in self.payment_methods]

    def _kitchen(self, row: Row) -> Row:
        items = [self.menu_items[number] for number in row["menu_item_ids"]]
        shown = [{"id": item["id"], "name": item["name"], "price": item["price"]} for item in items]
        return {"id": row["id"], "name": row["name"], "menu_items": shown}


def _by_id(rows: Iterable[Row]) -> dict[int, Row]:
    return {row["id"]: row for row in rows}
