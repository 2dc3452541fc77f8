"""Desibits over HTTP: one method per endpoint, and lists read to their end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from connectors.desibits.fields import mapping
from connectors.desibits.refusals import refusal
from connectors.desibits.settings import CONNECTOR, DesibitsSettings
from connectors.desibits.wire import (
    CouponCheck,
    DiscountBody,
    NewCustomer,
    NewOrder,
    NewPayment,
    OrderUpdate,
    Row,
    SplitPayment,
)
from hub.contract.connector import LinkContext
from hub.contract.http import Answer
from hub.errors import VendorMalformed, VendorRejected

_PREFIX: Final = "/api/v1/pos"
_MAX_PAGES: Final = 50
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Listing:
    """The rows of a list; `complete` when it was read to its end."""

    rows: tuple[Row, ...]
    complete: bool


class DesibitsClient:
    """Calls Desibits for one link. Methods raise the errors of `VendorHttp`.

    `safe` writes set a state or look first, so that repeating them does no harm and silence is no riddle.
    """

    def __init__(self, context: LinkContext, settings: DesibitsSettings) -> None:
        self._http = context.http.explaining(refusal)
        self._headers = {"authorization": f"Bearer {settings.token}"}

    async def create_order(self, order: NewOrder) -> Row:
        """`POST /orders`. Desibits has no idempotency key: never repeated here."""
        return await self._write("create_order", "POST", "/orders", order)

    async def fetch_order(self, order_id: str) -> Row:
        """`GET /orders/{id}`."""
        row = await self._row("fetch_order", f"/orders/{_segment(order_id)}")
        if not row:
            raise VendorMalformed("fetch_order: no order in the answer", connector=CONNECTOR)
        return row

    async def fetch_orders(self, *, date: str, status: str = "", table_id: str = "") -> Listing:
        """`GET /orders` of one day (`YYYY-MM-DD`), of one status and table if given."""
        query = {"date": date, "status": status, "table_id": table_id}
        return await self._list("list_orders", "/orders", {name: value for name, value in query.items() if value})

    async def update_order(self, order_id: str, update: OrderUpdate) -> Row:
        """`PUT /orders/{id}`: replaces the items or the notes."""
        return await self._write("update_order", "PUT", f"/orders/{_segment(order_id)}", update, safe=True)

    async def set_order_status(self, order_id: str, status: str) -> Row:
        """`PUT /orders/{id}/status`."""
        path = f"/orders/{_segment(order_id)}/status"
        return await self._write("set_order_status", "PUT", path, {"status": status}, safe=True)

    async def cancel_order(self, order_id: str, reason: str) -> Row:
        """`POST /orders/{id}/cancel`."""
        path = f"/orders/{_segment(order_id)}/cancel"
        return await self._write("cancel_order", "POST", path, {"reason": reason}, safe=True)

    async def create_payment(self, order_id: str, payment: NewPayment) -> Row:
        """`POST /orders/{id}/payment`."""
        return await self._write("create_payment", "POST", f"/orders/{_segment(order_id)}/payment", payment)

    async def split_payment(self, order_id: str, split: SplitPayment) -> Row:
        """`POST /orders/{id}/split-payment`."""
        return await self._write("split_payment", "POST", f"/orders/{_segment(order_id)}/split-payment", split)

    async def fetch_payment_status(self, order_id: str) -> Row:
        """`GET /orders/{id}/payment-status`."""
        return await self._row("fetch_payment_status", f"/orders/{_segment(order_id)}/payment-status")

    async def fetch_payment_methods(self) -> Listing:
        """`GET /payment-methods`."""
        return await self._list("payment_methods", "/payment-methods")

    async def create_ticket(self, order_id: str) -> Row:
        """`POST /orders/{id}/kot`: a kitchen ticket for what has none yet. Never repeated here."""
        return await self._write("create_ticket", "POST", f"/orders/{_segment(order_id)}/kot")

    async def print_ticket(self, ticket_id: str, *, again: bool) -> Row:
        """`POST /kot/{id}/print`, or `/reprint`."""
        return await self._write(
            "print_ticket", "POST", f"/kot/{_segment(ticket_id)}/{'reprint' if again else 'print'}"
        )

    async def set_ticket_status(self, ticket_id: str, status: str) -> Row:
        """`PUT /kot/{id}/status`."""
        path = f"/kot/{_segment(ticket_id)}/status"
        return await self._write("set_ticket_status", "PUT", path, {"status": status}, safe=True)

    async def fetch_kitchens(self) -> Listing:
        """`GET /kitchens`: the kitchens with their menu items."""
        return await self._list("kitchens", "/kitchens")

    async def search_customers(self, query: str) -> Listing:
        """`GET /customers`: by name, phone or email."""
        return await self._list("search_customers", "/customers", {"search": query})

    async def fetch_customer(self, customer_id: str) -> Row:
        """`GET /customers/{id}`."""
        return await self._row("fetch_customer", f"/customers/{_segment(customer_id)}")

    async def create_customer(self, customer: NewCustomer, *, looked_first: bool = False) -> Row:
        """`POST /customers`. `looked_first`: a repetition would find the customer instead of adding a second one."""
        return await self._write("create_customer", "POST", "/customers", customer, safe=looked_first)

    async def fetch_drivers(self) -> Listing:
        """`GET /delivery-drivers`."""
        return await self._list("drivers", "/delivery-drivers")

    async def assign_driver(self, order_id: str, driver_id: int | str) -> Row:
        """`POST /orders/{id}/assign-driver`."""
        path = f"/orders/{_segment(order_id)}/assign-driver"
        return await self._write("assign_driver", "POST", path, {"driver_id": driver_id}, safe=True)

    async def fetch_delivery_platforms(self) -> Listing:
        """`GET /delivery-platforms`."""
        return await self._list("delivery_platforms", "/delivery-platforms")

    async def set_delivery_status(self, order_id: str, status: str) -> Row:
        """`PUT /orders/{id}/delivery-status`."""
        path = f"/orders/{_segment(order_id)}/delivery-status"
        return await self._write("set_delivery_status", "PUT", path, {"status": status}, safe=True)

    async def fetch_coupons(self) -> Listing:
        """`GET /coupons`: those that are active."""
        return await self._list("coupons", "/coupons")

    async def validate_coupon(self, check: CouponCheck) -> Row:
        """`POST /coupons/validate`: a question, so repeating it does no harm."""
        return await self._write("validate_coupon", "POST", "/coupons/validate", check, safe=True)

    async def apply_discount(self, order_id: str, discount: DiscountBody) -> Row:
        """`POST /orders/{id}/discount`."""
        return await self._write("apply_discount", "POST", f"/orders/{_segment(order_id)}/discount", discount)

    async def fetch_order_types(self) -> Listing:
        """`GET /order-types`."""
        return await self._list("order_types", "/order-types")

    async def fetch_tables(self) -> Listing:
        """`GET /tables`."""
        return await self._list("tables", "/tables")

    async def fetch_table(self, table_id: str) -> Row:
        """`GET /tables/{id}`."""
        return await self._row("fetch_table", f"/tables/{_segment(table_id)}")

    async def set_table_status(self, table_id: str, status: str) -> Row:
        """`PUT /tables/{id}/status`."""
        path = f"/tables/{_segment(table_id)}/status"
        return await self._write("set_table_status", "PUT", path, {"status": status}, safe=True)

    async def print_bill(self, order_id: str, *, invoice: bool) -> Row:
        """`POST /orders/{id}/print-bill`, or `/print-invoice`."""
        what = "invoice" if invoice else "bill"
        return await self._write(f"print_{what}", "POST", f"/orders/{_segment(order_id)}/print-{what}")

    async def fetch_printers(self) -> Listing:
        """`GET /printers`."""
        return await self._list("printers", "/printers")

    async def _row(self, operation: str, path: str) -> Row:
        return _object(await self._http.read(operation, _PREFIX + path, headers=self._headers))

    async def _write(self, operation: str, method: str, path: str, body: Any = None, *, safe: bool = False) -> Row:
        answer = await self._http.send(operation, method, _PREFIX + path, headers=self._headers, body=body, safe=safe)
        return _object(answer)

    async def _list(self, operation: str, path: str, query: Mapping[str, str] | None = None) -> Listing:
        """Reads pages as long as an answer says that there are more; Desibits documents no paging."""
        found: dict[Any, Row] = {}
        asked = dict(query or {})
        for page in range(_MAX_PAGES):
            answer = await self._http.read(operation, _PREFIX + path, query=asked, headers=self._headers)
            before = len(found)
            for index, row in enumerate(_rows(operation, answer.data)):
                found.setdefault(row.get("id") or (page, index), row)
            further = next_page(answer.data)
            if further is None:
                return Listing(tuple(found.values()), True)
            if page and len(found) == before:  # the same page again
                break
            asked.update(further)
        return Listing(tuple(found.values()), False)


def next_page(data: Any) -> Mapping[str, str] | None:
    """The query of the page after this one, or None when an answer tells of none.

    Understands `links.next`, `next_page_url` and `current_page` below `last_page`, beside the rows, around them or in
    `meta`. Only the query of an address is used: where calls go is for the link's settings to say.
    """
    body = mapping(data)
    for place in (body, mapping(body.get("data")), mapping(body.get("meta")), mapping(body.get("pagination"))):
        address = place.get("next_page_url") or mapping(place.get("links")).get("next")
        if isinstance(address, str) and (query := dict(parse_qsl(urlsplit(address).query))):
            return query
        current, last = place.get("current_page"), place.get("last_page")
        if isinstance(current, int) and isinstance(last, int) and current < last:
            return {"page": str(current + 1)}
    return None


def _segment(vendor_id: str) -> str:
    """An id as part of a path; one that could lead elsewhere belongs to nothing."""
    if not _ID.fullmatch(vendor_id):
        raise VendorRejected(f"{vendor_id[:64]!r} is no id of Desibits", connector=CONNECTOR)
    return vendor_id


def _rows(operation: str, data: Any) -> list[Row]:
    """The rows of a list: in `data`, one level deeper around which some servers put the paging, or bare."""
    found = data.get("data") if isinstance(data, Mapping) else data
    if isinstance(found, Mapping):
        found = found.get("data")
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise VendorMalformed(f"{operation}: the answer holds no list", connector=CONNECTOR)
    return [dict(row) for row in found]


def _object(answer: Answer) -> Row:
    return dict(mapping(mapping(answer.data).get("data")))
