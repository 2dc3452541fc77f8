"""Clopos over HTTP: one method per endpoint, the token each call needs, and lists read to their end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from connectors.clopos.dialect import Dialect
from connectors.clopos.refusals import CREDENTIALS, TOKEN, meaning, refusal
from connectors.clopos.settings import CloposSettings
from connectors.clopos.wire import NewCustomer, OrderV1, OrderV2, Row
from hub.contract.connector import LinkContext
from hub.contract.http import Answer
from hub.contract.retry import retry_read
from hub.errors import UnmappedValue, VendorAuthFailed, VendorMalformed, VendorRejected

RENEW_BEFORE_MS: Final = 120_000
_TOKEN_SECONDS: Final = 3600  # Clopos: `expires_in` is 3600; used where an answer leaves it out.
_MAX_PAGES: Final = 50
_PRODUCT_PARTS = ("taxes", "modifications", "modificator_groups", "media")


@dataclass(frozen=True)
class Listing:
    """The rows of a list; `complete` when it was read as far as it was asked for."""

    rows: tuple[Row, ...]
    complete: bool


class CloposClient:
    """Calls Clopos for one link. Methods raise the errors of `VendorHttp`."""

    def __init__(self, context: LinkContext, settings: CloposSettings, dialect: Dialect) -> None:
        self._context = context
        self._settings = settings
        self._dialect = dialect
        self._http = context.http.explaining(refusal)
        self._renewing = asyncio.Lock()
        values = msgspec.structs.asdict(settings)
        self._credentials = {name: str(values[name]) for name in dialect.credentials}
        self._headers = {header: str(values[name]) for header, name in dialect.headers.items() if values[name]}

    async def authenticate(self) -> str:
        """`POST /auth`: a new token, kept for all processes. Raises `VendorAuthFailed` when it is refused."""
        path = f"{self._dialect.path_prefix}/auth"
        try:
            answer = await retry_read(
                # Asking for a token twice does no harm, so silence here says nothing about any order.
                lambda: self._http.send("auth", "POST", path, headers={}, body=self._credentials, safe=True)
            )
        except VendorRejected as refused:
            raise self._auth_failed(refused) from refused
        data = answer.data if isinstance(answer.data, Mapping) else {}
        token = data.get("token")
        if not isinstance(token, str) or not token:
            raise self._malformed("auth", "no token in the answer")
        self._http.hide(token)
        await self._context.tokens.save_token(self._context.link.id, token, self._token_end_ms(data))
        return token

    async def fetch_venues(self) -> Listing:
        """`GET /venues`: the brand's branches."""
        return await self._list("venues", "/venues", limit=100)

    async def fetch_stations(self) -> Listing:
        """`GET /stations`: where products are prepared."""
        return await self._list("stations", "/stations", limit=200)

    async def fetch_sale_types(self) -> Listing:
        """`GET /sale-types`: the brand's ways of selling."""
        return await self._list("sale_types", "/sale-types", limit=100)

    async def fetch_payment_methods(self) -> Listing:
        """`GET /payment-methods`: the brand's tenders."""
        return await self._list("payment_methods", "/payment-methods", limit=100)

    async def fetch_customer_groups(self) -> Listing:
        """`GET /customer-groups`: groups of guests with their discounts."""
        return await self._list("customer_groups", "/customer-groups", limit=200)

    async def fetch_categories(self) -> Listing:
        """`GET /categories`: the category tree."""
        return await self._list("categories", "/categories", limit=999)

    async def fetch_products(self) -> Listing:
        """`GET /products`: the whole catalogue, ingredients among it."""
        parts = {f"with[{index}]": part for index, part in enumerate(_PRODUCT_PARTS)}
        return await self._list("products", "/products", limit=100, query=parts)

    async def probe_products(self) -> Listing:
        """`GET /products`: one product, to see that the catalogue can be read."""
        return await self._list("products", "/products", limit=1, max_pages=1)

    async def fetch_stop_list(self) -> Listing:
        """`GET /products/stop-list`: how much is left of products that are limited."""
        return Listing(_rows(await self._read("stop_list", "/products/stop-list", {})), True)

    async def fetch_customers(self, phone_digits: str) -> Listing:
        """`GET /customers`: those with this phone number, as far as Clopos' own search sees it."""
        query = {"filters[0][0]": "phones", "filters[0][1]": phone_digits}
        return await self._list("find_customer", "/customers", limit=100, query=query)

    async def fetch_customer(self, customer_id: int) -> Row:
        """`GET /customers/{id}`."""
        return _object(await self._read("fetch_customer", f"/customers/{customer_id}", {}))

    async def create_customer(self, customer: NewCustomer) -> Row:
        """`POST /customers`. A phone number is unique at Clopos, so a repetition is refused and does no harm."""
        answer = await self._write("create_customer", "POST", "/customers", customer, safe=True)
        return _object(answer)

    async def create_order(self, order: OrderV1 | OrderV2, *, idempotency_key: str) -> Row:
        """`POST /orders`. Never repeated here, except after the refusal of a token."""
        payload = order["payload"]["service"] if "payload" in order else order
        if payload["venue_id"] != self._settings.venue_id:
            raise UnmappedValue(
                f"the order is for venue {payload['venue_id']}, the link for {self._settings.venue_id}",
                connector=self._context.link.connector,
                field="venue_id",
            )
        key = {"idempotency-key": idempotency_key} if self._dialect.takes_key else {}
        return _object(await self._write("create_order", "POST", "/orders", order, extra=key))

    async def fetch_orders(
        self, *, days: tuple[str, str] | None = None, enough: Callable[[list[Row]], bool] | None = None
    ) -> Listing:
        """`GET /orders` in every status, until `enough` says that the rest is of no interest.

        `days` are the first and last day of creation, for the dialect that takes them.
        """
        query = {"date[0]": days[0], "date[1]": days[1]} if days and self._dialect.lists_by_date else {}
        return await self._list("list_orders", "/orders", limit=100, query=query, enough=enough)

    async def probe_orders(self) -> Listing:
        """`GET /orders`: one order, to see that orders can be read."""
        return await self._list("list_orders", "/orders", limit=1, max_pages=1)

    async def fetch_order(self, order_id: str) -> Row:
        """`GET /orders/{id}`."""
        row = _object(await self._read("fetch_order", f"/orders/{order_id}", {}))
        if not row:
            raise self._malformed("fetch_order", "no order in the answer")
        return row

    async def update_order(self, order_id: str, status: str) -> Row:
        """`PUT /orders/{id}`: sets the status, so a repetition does no harm."""
        return _object(await self._write("update_order", "PUT", f"/orders/{order_id}", {"status": status}, safe=True))

    async def _list(
        self,
        operation: str,
        path: str,
        *,
        limit: int,
        query: Mapping[str, str] | None = None,
        enough: Callable[[list[Row]], bool] | None = None,
        max_pages: int = _MAX_PAGES,
    ) -> Listing:
        """Reads pages until one is short, `total` is reached, or `enough`; never trusts one shape of paging."""
        rows: dict[Any, Row] = {}
        for page in range(1, max_pages + 1):
            answer = await self._read(operation, path, {**(query or {}), "page": page, "limit": limit})
            found = _rows(answer)
            before = len(rows)
            for index, row in enumerate(found):
                rows.setdefault(row.get("id") or (page, index), row)
            total = _total(answer.data)
            # More rows than asked for: this endpoint does not page at all.
            if (total is not None and len(rows) >= total) or (total is None and len(found) != limit):
                return Listing(tuple(rows.values()), True)
            if enough is not None and enough(list(rows.values())):
                return Listing(tuple(rows.values()), True)
            if len(rows) == before:  # the same page again, or an empty one although there should be more
                break
        return Listing(tuple(rows.values()), False)

    async def _read(self, operation: str, path: str, query: Mapping[str, Any]) -> Answer:
        full = self._dialect.path_prefix + path
        return await self._with_token(lambda headers: self._http.read(operation, full, query=query, headers=headers))

    async def _write(
        self,
        operation: str,
        method: str,
        path: str,
        body: Any,
        *,
        extra: Mapping[str, str] | None = None,
        safe: bool = False,
    ) -> Answer:
        full = self._dialect.path_prefix + path
        return await self._with_token(
            lambda headers: self._http.send(
                operation, method, full, headers={**headers, **extra} if extra else headers, body=body, safe=safe
            )
        )

    async def _with_token(self, call: Callable[[Mapping[str, str]], Awaitable[Answer]]) -> Answer:
        """Makes a call; when Clopos refuses the token, and so did nothing, renews it and calls once more."""
        token = await self._token()
        try:
            return await call({**self._headers, "x-token": token})
        except (VendorAuthFailed, VendorRejected) as refused:
            means = meaning(refused, self._context.tables)
            if means == CREDENTIALS:
                raise self._auth_failed(refused) from refused
            if means != TOKEN and not (means is None and refused.code == "401"):
                raise
        token = await self._renew(token)
        try:
            return await call({**self._headers, "x-token": token})
        except VendorRejected as refused:
            if meaning(refused, self._context.tables) in (TOKEN, CREDENTIALS):
                raise self._auth_failed(refused) from refused
            raise

    def _auth_failed(self, refused: VendorAuthFailed | VendorRejected) -> VendorAuthFailed:
        return VendorAuthFailed(
            refused.message,
            connector=refused.connector,
            operation=refused.operation,
            code=refused.code,
            reason=refused.reason,
        )

    async def _token(self) -> str:
        token = await self._stored_token()
        return token if token is not None else await self._renew(None)

    async def _renew(self, refused_token: str | None) -> str:
        """A token other than the one refused; calls that wait for the same renewal share its result."""
        async with self._renewing:
            token = await self._stored_token()
            return token if token is not None and token != refused_token else await self.authenticate()

    async def _stored_token(self) -> str | None:
        stored = await self._context.tokens.load_token(self._context.link.id)
        if stored is None or stored[1] - RENEW_BEFORE_MS <= self._context.clock.now_ms():
            return None
        self._http.hide(stored[0])
        return stored[0]

    def _token_end_ms(self, data: Mapping[str, Any]) -> int:
        ends_at, lasts = data.get("expires_at"), data.get("expires_in")
        if isinstance(ends_at, int):
            return ends_at * 1000
        return self._context.clock.now_ms() + 1000 * (lasts if isinstance(lasts, int) else _TOKEN_SECONDS)

    def _malformed(self, operation: str, what: str) -> VendorMalformed:
        connector = self._context.link.connector
        return VendorMalformed(f"{operation}: {what}", connector=connector, operation=operation)


def _rows(answer: Answer) -> tuple[Row, ...]:
    """The rows of a list: inside the envelope, or bare as some pages show it."""
    data = answer.data.get("data") if isinstance(answer.data, Mapping) else answer.data
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise VendorMalformed("the answer holds no list", connector="clopos")
    return tuple(data)


def _object(answer: Answer) -> Row:
    data = answer.data.get("data") if isinstance(answer.data, dict) else None
    return data if isinstance(data, dict) else {}


def _total(data: Any) -> int | None:
    if not isinstance(data, Mapping):
        return None
    pagination = data.get("pagination")
    total = data.get("total", pagination.get("total") if isinstance(pagination, Mapping) else None)
    return total if isinstance(total, int) else None
