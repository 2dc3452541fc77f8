"""What a store's POS counts: ways to pay, coupons, stock and sales."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from hub.api.at_store import DoneAnswer, done, id_at_pos, listed, reading, single, venue_of, writing
from hub.api.derived import answer_of
from hub.api.json import encode
from hub.api.operation import Reply, Request, Services
from hub.api.views import MoneyView, money
from hub.errors import InvalidRequest
from hub.model.payment import PaymentMethod

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Word = Annotated[str, Meta(max_length=100)]
_PERIODS = ("daily", "weekly", "monthly")
_MOST_STOCK = 10**9
_STOCK_DECIMALS = 3
_Quantity = Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class PaymentMethodView(Struct, frozen=True, rename="camel", kw_only=True):
    """A way to pay; `code` is the venue's own word."""

    code: str
    name: str
    method: PaymentMethod


class CouponView(Struct, frozen=True, rename="camel", kw_only=True):
    """A coupon; `type` and `value` as the POS writes them."""

    code: str
    name: str
    type: str
    value: str
    valid: bool
    detail: str


class StockView(Struct, frozen=True, rename="camel", kw_only=True):
    """Something in the inventory; quantities are decimals in `unit`."""

    id: str
    name: str
    quantity: str
    unit: str
    low_below: str
    category: str


class SalesView(Struct, frozen=True, rename="camel", kw_only=True):
    """What was sold in a period; null where the POS does not say."""

    period: str
    orders: int | None
    revenue: MoneyView | None
    tips: MoneyView | None
    tax: MoneyView | None


class ItemSalesView(Struct, frozen=True, rename="camel", kw_only=True):
    """How often an item was sold."""

    name: str
    quantity: int
    revenue: MoneyView | None


class CouponBody(Struct, frozen=True, rename="camel", kw_only=True):
    """A coupon to check, and the total in cents it would be used for."""

    code: _Name
    total: Annotated[int, Meta(ge=0, le=10**12)] = 0


class StockBody(Struct, frozen=True, rename="camel", kw_only=True):
    """Something to add to the inventory."""

    name: _Name
    quantity: _Quantity = Decimal(0)
    unit: _Word = ""
    low_below: _Quantity | None = None
    category: _Word = ""


class StockLevelBody(Struct, frozen=True, rename="camel", kw_only=True):
    """What is there now."""

    quantity: _Quantity


async def get_payment_methods(services: Services, request: Request) -> Reply:
    """The ways to pay at the store."""
    methods = await services.pos_desk.payment_methods(venue_of(services, request).id)
    return listed("paymentMethods", methods, PaymentMethodView)


async def get_coupons(services: Services, request: Request) -> Reply:
    """The coupons that work now."""
    return listed("coupons", await services.pos_desk.coupons(venue_of(services, request).id), CouponView)


async def validate_coupon(services: Services, request: Request) -> Reply:
    """Whether a coupon may be used for a total; nothing is changed."""
    body: CouponBody = request.body
    venue = venue_of(services, request)
    return single("coupon", await services.pos_desk.validate_coupon(venue.id, body.code, body.total), CouponView)


async def get_stock(services: Services, request: Request) -> Reply:
    """The POS's inventory."""
    return listed("stock", await services.pos_desk.stock(venue_of(services, request).id), StockView)


async def add_stock_item(services: Services, request: Request) -> Reply:
    """Add something to the inventory."""
    body: StockBody = request.body
    item = await services.pos_desk.add_stock_item(
        venue_of(services, request).id,
        name=body.name,
        quantity=_decimal(body.quantity, "quantity"),
        unit=body.unit,
        low_below="" if body.low_below is None else _decimal(body.low_below, "lowBelow"),
        category=body.category,
    )
    return single("item", item, StockView)


async def set_stock(services: Services, request: Request) -> Reply:
    """Set what is there of something."""
    body: StockLevelBody = request.body
    venue, item_id = venue_of(services, request), id_at_pos(request, "item")
    await services.pos_desk.set_stock(venue.id, item_id, _decimal(body.quantity, "quantity"))
    return done()


async def get_sales_report(services: Services, request: Request) -> Reply:
    """What was sold in a day, week or month."""
    venue = venue_of(services, request)
    report = await services.pos_desk.sales_report(venue.id, _period(request), _day(request))
    view = SalesView(
        period=report.period,
        orders=report.orders,
        revenue=_money(report.revenue_cents, venue.currency),
        tips=_money(report.tip_cents, venue.currency),
        tax=_money(report.tax_cents, venue.currency),
    )
    return Reply(encode({"sales": view}))


async def get_item_report(services: Services, request: Request) -> Reply:
    """What sold best in a day, week or month."""
    venue = venue_of(services, request)
    rows = await services.pos_desk.item_report(venue.id, _period(request), _day(request))
    views = [
        ItemSalesView(name=row.name, quantity=row.quantity, revenue=_money(row.revenue_cents, venue.currency))
        for row in rows
    ]
    return Reply(encode({"items": views}))


def _money(cents: int | None, currency: str) -> MoneyView | None:
    return None if cents is None else money(cents, currency)


def _decimal(value: Decimal, field: str) -> str:
    """A quantity as a decimal string. Raises `InvalidRequest`."""
    digits = value.as_tuple().exponent
    if not value.is_finite() or not 0 <= value <= _MOST_STOCK or not isinstance(digits, int):
        raise InvalidRequest(f"{field}: must be from 0 to {_MOST_STOCK}", field=field, code="BODY_INVALID")
    if digits < -_STOCK_DECIMALS:
        raise InvalidRequest(f"{field}: {_STOCK_DECIMALS} decimals at most", field=field, code="BODY_INVALID")
    return f"{value.normalize():f}"


def _period(request: Request) -> str:
    period = request.query.get("period", "") or "daily"
    if period not in _PERIODS:
        raise InvalidRequest(f"period: must be one of {', '.join(_PERIODS)}", field="period")
    return period


def _day(request: Request) -> date | None:
    text = request.query.get("on", "")
    if not text:
        return None
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as problem:
        raise InvalidRequest("on: write a day as 2026-02-09", field="on") from problem


_LEVEL, _IN = "stock/{item:str}", ("period", "on")
_COUPONS, _STOCK = answer_of("CouponsAnswer", coupons=list[CouponView]), answer_of("StockAnswer", stock=list[StockView])
OPERATIONS = (
    reading(
        "get_pos_payment_methods",
        "payment-methods",
        "The ways to pay at the store.",
        get_payment_methods,
        answer_of("PaymentMethodsAnswer", payment_methods=list[PaymentMethodView]),
    ),
    reading("get_pos_coupons", "coupons", "The coupons that work now.", get_coupons, _COUPONS),
    writing(
        "validate_pos_coupon",
        "coupons/validate",
        "Whether a coupon may be used for a total in cents.",
        validate_coupon,
        CouponBody,
        answer_of("CouponAnswer", coupon=CouponView),
        scope="orders:read",
        repeatable=True,
    ),
    reading("get_pos_stock", "stock", "The POS's inventory.", get_stock, _STOCK, scope="menu:read"),
    writing(
        "add_pos_stock_item",
        "stock",
        "Add something to the inventory.",
        add_stock_item,
        StockBody,
        answer_of("StockItemAnswer", item=StockView),
    ),
    writing(
        "set_pos_stock",
        _LEVEL,
        "Set what is there of something.",
        set_stock,
        StockLevelBody,
        DoneAnswer,
        method="PATCH",
        repeatable=True,
    ),
    reading(
        "get_pos_sales",
        "reports/sales",
        "What was sold in a day, week or month.",
        get_sales_report,
        answer_of("SalesAnswer", sales=SalesView),
        query=_IN,
    ),
    reading(
        "get_pos_item_sales",
        "reports/items",
        "What sold best in a day, week or month.",
        get_item_report,
        answer_of("ItemSalesAnswer", items=list[ItemSalesView]),
        query=_IN,
    ),
)
