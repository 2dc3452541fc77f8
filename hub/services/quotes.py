"""What an order would cost, without placing it; and the order that a quote is for."""

from collections.abc import Callable

import msgspec
from msgspec import Struct, structs

from hub.contract.ports import Clock
from hub.database import quotes as stored
from hub.database.engine import Database
from hub.database.quotes import StoredQuote
from hub.errors import NotFound
from hub.model.ids import NewId, parse_id
from hub.model.order import Customer, Delivery, Order
from hub.services.directory import Directory
from hub.services.keys import require_venue
from hub.services.orders import IDEMPOTENCY_DAYS, new_order
from hub.services.requests import Caller, OrderRequest

QUOTE_MINUTES = 15
_KEPT_MS = IDEMPOTENCY_DAYS * 86_400_000  # as long as a repeated order is recognised by its key
_ANYBODY = "anonymous"


class Quote(Struct, frozen=True, kw_only=True):
    """A price that holds until a time."""

    id: str
    order: Order
    """What would be ordered; it has no number, and its id is of no use."""
    expires_at_ms: int


class Additions(Struct, frozen=True, kw_only=True):
    """What may be said when ordering that the quote left open; it changes no price."""

    customer: Customer | None = None
    delivery: Delivery | None = None
    tables: tuple[str, ...] = ()
    party_size: int | None = None
    note: str = ""


class Quotes:
    """Makes quotes and finds them again."""

    def __init__(self, *, database: Database, directory: Directory, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._directory = directory
        self._clock = clock
        self._new_id = new_id

    async def make(self, request: OrderRequest, caller: Caller, *, render: Callable[[Quote], str]) -> str:
        """Prices an order as placing it would, and stores the quote. Returns what `render` made of it.

        Raises `InvalidRequest` naming the field, or `Forbidden`.
        """
        venue = self._directory.venue(request.venue_id)
        catalog = await self._directory.catalog(venue.id)
        now_ms = self._clock.now_ms()
        order = new_order(request, caller, venue, catalog, now_ms=now_ms, new_id=self._new_id)
        quote = Quote(id=self._new_id("quote"), order=order, expires_at_ms=now_ms + QUOTE_MINUTES * 60_000)
        wanted = structs.replace(
            request,
            origin_order_id=request.origin_order_id or quote.id,
            quoted_total_cents=order.totals.total_cents,
            quoted_until_ms=quote.expires_at_ms,
        )
        kept = StoredQuote(
            id=quote.id,
            venue_id=venue.id,
            principal=_principal(caller),
            order_document=msgspec.json.encode(wanted).decode(),
            answer=render(quote),
            expires_at_ms=quote.expires_at_ms,
            forget_at_ms=now_ms + _KEPT_MS,
        )
        await self._database.write(lambda connection: stored.insert_quote(connection, kept))
        return kept.answer

    async def load_order(self, quote_id: str, caller: Caller, additions: Additions) -> OrderRequest:
        """The order a quote is for, completed by what the caller adds.

        Raises `NotFound` for a quote of somebody else, and `Forbidden` when the caller's key is bound elsewhere.
        """
        wanted = parse_id("quote", quote_id) or ""
        found = await self._database.read(lambda connection: stored.find_quote(connection, wanted))
        if found is None or found.principal != _principal(caller):
            raise NotFound("quoteId: there is no such quote", field="quoteId", code="QUOTE_UNKNOWN")
        require_venue(caller, found.venue_id)
        request = msgspec.json.decode(found.order_document, type=OrderRequest)
        return structs.replace(
            request,
            customer=additions.customer or request.customer,
            delivery=additions.delivery or request.delivery,
            tables=additions.tables or request.tables,
            party_size=additions.party_size or request.party_size,
            note=additions.note or request.note,
        )

    async def forget(self) -> None:
        """Deletes quotes that are long over."""
        now_ms = self._clock.now_ms()
        while await self._database.write(lambda connection: stored.forget_quotes(connection, now_ms)):
            pass


def _principal(caller: Caller) -> str:
    """Who may order from a quote: the key it was made with; without a key, whoever knows its id."""
    return _ANYBODY if caller.is_anonymous else caller.id
