"""The list and look-up calls of the Clopos sandbox: venues, staff, menu, sale types, payment methods, prices."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from connectors.clopos.sandbox.answers import (
    Dialect,
    answer,
    bad_parameter,
    filters_of,
    list_answer,
    missing,
    page_of,
    passes,
    with_names,
)
from connectors.clopos.sandbox.auth import Caller
from connectors.clopos.sandbox.catalogue import Catalogue
from hub.contract.sandbox import Clock, json_answer

ALWAYS_SELECTED = ("id", "name", "type")
CATEGORY_TYPES = ("PRODUCT", "INGREDIENT", "ACCOUNTING")
V1_VENUE = ("id", "name", "address", "status", "phone", "email")
V2_VENUE = ("id", "name", "is_main", "media")
V2_STATION = ("id", "name", "status", "type", "printable", "created_at", "updated_at")


class Reads:
    """Answers from the catalogue; `catalogue` is asked anew for each call, so a new seed shows at once."""

    def __init__(self, catalogue: Callable[[], Catalogue], clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    async def venues(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /venues`; the two generations show different fields."""
        fields = V1_VENUE if caller.dialect is Dialect.V1 else V2_VENUE
        return self._list(request, caller, _pick(self._catalogue().venues, fields), maximum=100)

    async def users(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /users`."""
        return self._list(request, caller, self._catalogue().users, maximum=200)

    async def user(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /users/{id}`."""
        return self._one(request, caller, self._catalogue().users, "User")

    async def categories(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /categories`: a tree; `include_children=false` gives one level of it."""
        catalogue = self._catalogue()
        wanted = filters_of(request, caller.dialect)
        kinds = [request.query["type"]] if "type" in request.query else wanted.get("type", list(CATEGORY_TYPES))
        if not set(kinds) <= set(CATEGORY_TYPES):
            raise bad_parameter(caller.dialect, "type", kinds[0], ", ".join(CATEGORY_TYPES))
        parent = request.query.get("parent_id", "")
        inactive = request.query.get("include_inactive") in ("true", "True", "1")
        rows = catalogue.category_tree(int(parent) if parent.isdigit() else None, inactive=inactive)
        if request.query.get("include_children") in ("false", "False", "0"):
            rows = [{**row, "children": []} for row in rows]
        return self._list(request, caller, [row for row in rows if row["type"] in kinds], maximum=999)

    async def category(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /categories/{id}`."""
        return self._one(request, caller, self._catalogue().categories, "Category")

    async def stations(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /stations`, filtered by `status` and `can_print`."""
        rows = self._stations(caller)
        if "status" in request.query:
            rows = [row for row in rows if str(row["status"]) == request.query["status"]]
        if "can_print" in request.query:
            printing = request.query["can_print"] in ("true", "True", "1")
            rows = [row for row in rows if bool(row["printable"]) is printing]
        return self._list(request, caller, rows, maximum=200)

    async def station(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /stations/{id}`."""
        return self._one(request, caller, self._stations(caller), "Station")

    async def products(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /products`: ingredients too, unless a filter on `type` leaves them out."""
        catalogue = self._catalogue()
        wanted, relations = filters_of(request, caller.dialect), with_names(request)
        page = page_of(request, caller.dialect, maximum=100)
        rows = [product for product in catalogue.products if passes(product, wanted)]
        shown = [catalogue.expand(product, relations) for product in rows[page.offset : page.offset + page.limit]]
        if selects := request.query.get("selects"):
            shown = _pick(shown, (*ALWAYS_SELECTED, *selects.split(",")))
        return list_answer(shown, len(rows), page, self._clock(), paginated=False)

    async def product(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /products/{id}` with the relations asked for."""
        catalogue = self._catalogue()
        product = catalogue.find_product(int(request.match_info["id"]))
        if product is None:
            raise missing(caller.dialect, "Product")
        return answer(catalogue.expand(product, with_names(request)), self._clock())

    async def stop_list(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /products/stop-list`: what is sold out or limited; timestamps in milliseconds."""
        rows = self._catalogue().stop_list
        return answer(rows, self._clock(), total=len(rows))

    async def sale_types(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /sale-types`; `payment_method_id` is shown on v1 only."""
        rows = self._catalogue().sale_types
        if caller.dialect is Dialect.V2:
            rows = [{name: row[name] for name in row if name != "payment_method_id"} for row in rows]
        return answer(rows, self._clock(), total=len(rows))

    async def payment_methods(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /payment-methods`."""
        rows = self._catalogue().payment_methods
        return answer(rows, self._clock(), total=len(rows))

    async def customer_groups(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /customer-groups`."""
        return self._list(request, caller, self._catalogue().customer_groups, maximum=200)

    async def price_lists(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /price-lists` (v2): no `success` in the documented answer, and `pagination`."""
        catalogue = self._catalogue()
        rows: list[dict[str, Any]] = list(catalogue.price_lists)
        if "prices" in with_names(request):
            rows = [
                {**row, "prices": [price for price in catalogue.prices if price["list_id"] == row["id"]]}
                for row in rows
            ]
        return self._bare_list(request, caller, rows)

    async def prices(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /price-lists/prices` (v2), filtered by `id`, `product_id` or `list_id`."""
        wanted = filters_of(request, caller.dialect)
        return self._bare_list(request, caller, [row for row in self._catalogue().prices if passes(row, wanted)])

    def _stations(self, caller: Caller) -> list[dict[str, Any]]:
        rows = self._catalogue().stations
        return rows if caller.dialect is Dialect.V1 else _pick(rows, V2_STATION)

    def _list(
        self, request: web.Request, caller: Caller, rows: Sequence[Mapping[str, Any]], *, maximum: int
    ) -> web.Response:
        page = page_of(request, caller.dialect, maximum=maximum)
        shown = rows[page.offset : page.offset + page.limit]
        return list_answer(shown, len(rows), page, self._clock(), paginated=False)

    def _bare_list(self, request: web.Request, caller: Caller, rows: list[dict[str, Any]]) -> web.Response:
        page = page_of(request, caller.dialect, maximum=999)
        shown = rows[page.offset : page.offset + page.limit]
        return json_answer({"data": shown, "pagination": page.envelope(len(rows))})

    def _one(self, request: web.Request, caller: Caller, rows: Sequence[Mapping[str, Any]], what: str) -> web.Response:
        row = next((one for one in rows if one["id"] == int(request.match_info["id"])), None)
        if row is None:
            raise missing(caller.dialect, what)
        return answer(row, self._clock())


def _pick(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in fields if name in row} for row in rows]
