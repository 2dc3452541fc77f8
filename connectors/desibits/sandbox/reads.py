"""The lists of the Desibits sandbox that only the restaurant changes, its coupons, and the cashier's session."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, listing, refuse
from connectors.desibits.sandbox.book import Shop
from connectors.desibits.sandbox.fields import MOST, Fields
from connectors.desibits.sandbox.totals import DiscountType, discount_on

HUNDRED = Decimal(100)


class Reads:
    """Shows what the seed says."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def order_types(self, asked: Asked) -> web.Response:
        """`GET /order-types`."""
        return listing(list(self._shop.catalogue.order_types.values()), asked, self._shop.options)

    def kitchens(self, asked: Asked) -> web.Response:
        """`GET /kitchens`, each with the menu items it cooks."""
        return listing(self._shop.catalogue.kitchens, asked, self._shop.options)

    def drivers(self, asked: Asked) -> web.Response:
        """`GET /delivery-drivers`."""
        return listing(list(self._shop.catalogue.drivers.values()), asked, self._shop.options)

    def platforms(self, asked: Asked) -> web.Response:
        """`GET /delivery-platforms`."""
        return listing(self._shop.catalogue.delivery_platforms, asked, self._shop.options)

    def printers(self, asked: Asked) -> web.Response:
        """`GET /printers`."""
        return listing(self._shop.catalogue.printers, asked, self._shop.options)

    def coupons(self, asked: Asked) -> web.Response:
        """`GET /coupons`: those that hold today."""
        today = _today(self._shop)
        rows = [coupon for coupon in self._shop.catalogue.coupons if _holds(coupon, today)]
        return listing(rows, asked, self._shop.options)

    def validate_coupon(self, asked: Asked) -> web.Response:
        """`POST /coupons/validate` with `code` and, for the amount it takes off, `order_total`; uses nothing up."""
        code = asked.fields.text("code", required=True)
        total = asked.fields.amount("order_total")
        asked.fields.finish()
        assert code is not None
        coupon = find_coupon(self._shop, code, total)
        if total is None:
            return answer(coupon, "Coupon is valid")
        amount = discount_on(total, coupon["discount_type"], coupon["discount_value"])
        return answer({**coupon, "discount_amount": amount}, "Coupon is valid")

    def session(self, asked: Asked) -> web.Response:
        """`GET /session`: what the cashier's screen put aside, an empty object at first."""
        return answer(self._shop.ledger.find_document("session", self._shop.scope) or {})

    def save_session(self, asked: Asked) -> web.Response:
        """`POST /session/save`: keeps the body as it is."""
        self._shop.ledger.put_document("session", self._shop.scope, asked.fields.raw())
        return answer(message="Session saved successfully")

    def clear_session(self, asked: Asked) -> web.Response:
        """`DELETE /session/clear`."""
        self._shop.ledger.put_document("session", self._shop.scope, {})
        return answer(message="Session cleared successfully")


def find_coupon(shop: Shop, code: str, total: Decimal | None) -> Mapping[str, Any]:
    """The coupon with this code; raises `Refused` (400) when it does not hold for an order of this total."""
    known = (coupon for coupon in shop.catalogue.coupons if coupon["code"].casefold() == code.casefold())
    coupon = next(known, None)
    if coupon is None or not _holds(coupon, _today(shop)):
        raise refuse(400, "Invalid or expired coupon")
    if total is not None and total < coupon["min_order_amount"]:
        raise refuse(400, f"The order must be at least {coupon['min_order_amount']}")
    return coupon


def read_discount(fields: Fields, *, required: bool = False) -> dict[str, Any]:
    """The `discount_type` and `discount_value` of a body, both or none; what is wrong is noted in the fields."""
    kind = fields.one_of("discount_type", list(DiscountType), required=required)
    most = HUNDRED if kind == DiscountType.PERCENT else MOST
    value = fields.amount("discount_value", required=required or kind is not None, most=most)
    return {"discount_type": kind, "discount_value": value if kind is not None else None}


def _holds(coupon: Mapping[str, Any], today: date) -> bool:
    return bool(coupon["is_active"]) and date.fromisoformat(coupon["valid_until"]) >= today


def _today(shop: Shop) -> date:
    return shop.clock().astimezone(shop.catalogue.zone).date()
