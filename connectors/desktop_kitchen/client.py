"""Desktop Kitchen over HTTP: one method per endpoint, with the hub's employee behind every call."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.desktop_kitchen.refusals import refusal
from connectors.desktop_kitchen.session import Session
from connectors.desktop_kitchen.settings import DesktopKitchenSettings
from connectors.desktop_kitchen.values import read_id
from connectors.desktop_kitchen.wire import (
    CashPayment,
    MenuItem,
    NewOrder,
    NewRefund,
    NewStockItem,
    Number,
    PaidBy,
    Row,
    SplitPayment,
)
from hub.contract.connector import LinkContext
from hub.contract.http import Answer
from hub.contract.retry import retry_read
from hub.errors import VendorMalformed, VendorRejected

LONGEST_LIST: Final = 100
"""`GET /orders` never gives more rows, and has no pages."""

# Where the documentation and the server that it describes have different paths.
_ITEM_REPORT = {"served": "/reports/top-items", "documented": "/reports/items"}
_CUSTOMERS_A_PAGE = 200
_MOST_CUSTOMER_PAGES = 5


class _NotThere(VendorRejected):
    """There is no such order, or not yet."""


class DesktopKitchenClient:
    """Calls Desktop Kitchen for one link. Methods raise the errors of `VendorHttp`."""

    def __init__(self, context: LinkContext, settings: DesktopKitchenSettings) -> None:
        self._context = context
        self._settings = settings
        self._http = context.http.explaining(refusal)
        self.session = Session(context, settings, self._http)

    async def fetch_categories(self) -> tuple[Row, ...]:
        """`GET /menu/categories`."""
        return self._rows("fetch_categories", await self._read("fetch_categories", "/menu/categories"))

    async def fetch_items(self) -> tuple[Row, ...]:
        """`GET /menu/items`, those that are sold out among them."""
        answer = await self._read("fetch_items", "/menu/items", {"include_inactive": "1"})
        return self._rows("fetch_items", answer)

    async def fetch_groups(self) -> tuple[Row, ...]:
        """`GET /modifiers/groups`: all groups, without the items they belong to."""
        return self._rows("fetch_groups", await self._read("fetch_groups", "/modifiers/groups"))

    async def fetch_item_groups(self, item_id: str) -> tuple[Row, ...]:
        """`GET /modifiers/groups/item/:id`: the groups of one item."""
        path = f"/modifiers/groups/item/{_path_id('fetch_item_groups', item_id)}"
        return self._rows("fetch_item_groups", await self._read("fetch_item_groups", path))

    async def create_item(self, item: MenuItem) -> Row:
        """`POST /menu/items`."""
        return _object(await self._write("create_item", "POST", "/menu/items", item))

    async def update_item(self, item_id: str, item: MenuItem) -> None:
        """`PUT /menu/items/:id`: sets values, so a repetition does no harm."""
        path = f"/menu/items/{_path_id('update_item', item_id)}"
        await self._write("update_item", "PUT", path, item, safe=True)

    async def toggle_item(self, item_id: str) -> Row:
        """`PUT /menu/items/:id/toggle`: the opposite of what it was, so never to be repeated unseen."""
        path = f"/menu/items/{_path_id('toggle_item', item_id)}/toggle"
        return _object(await self._write("toggle_item", "PUT", path, None))

    async def create_order(self, order: NewOrder) -> Row:
        """`POST /orders`: 201, or 200 with the order that carried this `offline_temp_id` before."""
        return _object(await self._write("create_order", "POST", "/orders", order))

    async def fetch_order(self, order_id: str) -> Row:
        """`GET /orders/:id`."""
        row = await self._read_new("fetch_order", f"/orders/{_path_id('fetch_order', order_id)}")
        if read_id(row.get("id")) != order_id:
            raise self._malformed("fetch_order", "another order, or none, in the answer")
        return row

    async def fetch_orders(self, *, status: str = "") -> tuple[Row, ...]:
        """`GET /orders`, newest first and without their lines; see `LONGEST_LIST`."""
        query = {"status": status} if status else None
        return self._rows("list_orders", await self._read("list_orders", "/orders", query))

    async def fetch_kitchen(self) -> tuple[Row, ...]:
        """`GET /orders/kitchen/active`: every order that is pending, confirmed or preparing, with lines and notes."""
        return self._rows("list_kitchen", await self._read("list_kitchen", "/orders/kitchen/active"))

    async def set_status(self, order_id: str, status: str) -> None:
        """`PUT /orders/:id/status`: sets the status, so a repetition does no harm."""
        path = f"/orders/{_path_id('set_status', order_id)}/status"
        await self._write("set_status", "PUT", path, {"status": status}, safe=True)

    async def mark_paid(self, order_id: str, payment: PaidBy) -> None:
        """`PATCH /orders/:id/payment`: marks the whole order as paid and leaves its status alone."""
        path = f"/orders/{_path_id('mark_paid', order_id)}/payment"
        await self._write("mark_paid", "PATCH", path, payment)

    async def pay_cash(self, payment: CashPayment) -> None:
        """`POST /payments/cash`: also moves the order to preparing, whatever it was."""
        await self._write("pay", "POST", "/payments/cash", payment)

    async def pay_split(self, payment: SplitPayment) -> None:
        """`POST /payments/split`."""
        await self._write("pay", "POST", "/payments/split", payment)

    async def refund(self, refund: NewRefund) -> None:
        """`POST /payments/refund`."""
        await self._write("refund", "POST", "/payments/refund", refund)

    async def fetch_payment(self, order_id: str) -> Row:
        """`GET /payments/:order_id`: status, method, amount and what was given back."""
        row = await self._read_new("fetch_payment", f"/payments/{_path_id('fetch_payment', order_id)}")
        if not row.get("payment_status"):
            raise self._malformed("fetch_payment", "no payment status in the answer")
        return row

    async def fetch_employees(self) -> tuple[Row, ...]:
        """`GET /employees`."""
        return self._rows("fetch_employees", await self._read("fetch_employees", "/employees"))

    async def fetch_platforms(self) -> tuple[Row, ...]:
        """`GET /delivery/platforms`. The answer holds the platforms' webhook secrets; nothing keeps them."""
        return self._rows("fetch_platforms", await self._read("fetch_platforms", "/delivery/platforms"))

    async def fetch_customers(self, search: str) -> tuple[Row, ...]:
        """`GET /loyalty/customers`: the first thousand that the search finds."""
        found: list[Row] = []
        for page in range(1, _MOST_CUSTOMER_PAGES + 1):
            query = {"search": search, "page": str(page), "limit": str(_CUSTOMERS_A_PAGE)}
            answer = await self._read("search_customers", "/loyalty/customers", query, signed=True)
            rows = self._rows("search_customers", answer)
            found.extend(rows)
            if len(rows) < _CUSTOMERS_A_PAGE:
                break
        return tuple(found)

    async def fetch_stock(self) -> tuple[Row, ...]:
        """`GET /inventory`."""
        return self._rows("fetch_stock", await self._read("fetch_stock", "/inventory"))

    async def create_stock_item(self, item: NewStockItem) -> Row:
        """`POST /inventory`."""
        return _object(await self._write("create_stock_item", "POST", "/inventory", item))

    async def set_stock(self, item_id: str, quantity: Number) -> None:
        """`PUT /inventory/:id`: sets what is there, so a repetition does no harm."""
        path = f"/inventory/{_path_id('set_stock', item_id)}"
        await self._write("set_stock", "PUT", path, {"quantity": quantity}, safe=True)

    async def fetch_sales(self, period: str) -> Row:
        """`GET /reports/sales`."""
        return _object(await self._read("fetch_sales", "/reports/sales", {"period": period}, signed=True))

    async def fetch_item_sales(self, period: str) -> tuple[Row, ...]:
        """`GET /reports/top-items`, or where the documentation has it."""
        path = _ITEM_REPORT[self._settings.paths]
        answer = await self._read("fetch_item_sales", path, {"period": period}, signed=True)
        return self._rows("fetch_item_sales", answer)

    async def _read_new(self, operation: str, path: str) -> Row:
        """An object that may be so new that the server does not find it yet: it answers before it commits."""

        async def once() -> Row:
            try:
                return _object(await self._read(operation, path))
            except VendorRejected as refused:
                if refused.code != "404":
                    raise
                raise _NotThere(
                    refused.message, connector=refused.connector, operation=operation, code="404", reason=refused.reason
                ) from refused

        return await retry_read(once, attempts=2, error=_NotThere)

    async def _read(
        self, operation: str, path: str, query: Mapping[str, str] | None = None, *, signed: bool = False
    ) -> Answer:
        return await self.session.call(
            lambda headers: self._http.read(operation, path, query=query, headers=headers), signed=signed
        )

    async def _write(self, operation: str, method: str, path: str, body: Any, *, safe: bool = False) -> Answer:
        return await self.session.call(
            lambda headers: self._http.send(operation, method, path, headers=headers, body=body, safe=safe), signed=True
        )

    def _rows(self, operation: str, answer: Answer) -> tuple[Row, ...]:
        """The rows of a list: bare, or under `data` where a list has pages."""
        data = answer.data.get("data") if isinstance(answer.data, Mapping) else answer.data
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise self._malformed(operation, "the answer holds no list")
        return tuple(data)

    def _malformed(self, operation: str, what: str) -> VendorMalformed:
        connector = self._context.link.connector
        return VendorMalformed(f"{operation}: {what}", connector=connector, operation=operation)


def _object(answer: Answer) -> Row:
    return dict(answer.data) if isinstance(answer.data, Mapping) else {}


def _path_id(operation: str, given: str) -> str:
    """An id for a path. The server answers 500 to anything but a number, which would look like an outage."""
    number = read_id(given)
    if number is None:
        raise VendorRejected(f"{operation}: {given!r} is not an id of Desktop Kitchen's", operation=operation)
    return number
