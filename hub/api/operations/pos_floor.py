"""A store's POS as the staff sees it: what it can do, its own codes, tables, kitchens, printers and tickets."""

from typing import Literal

from msgspec import Struct

from hub.api.at_store import DoneAnswer, done, id_at_pos, listed, reading, single, venue_of, writing
from hub.api.derived import answer_of
from hub.api.json import encode
from hub.api.operation import Reply, Request, Services
from hub.model.table import TableStatus


class AbilitiesView(Struct, frozen=True, rename="camel", kw_only=True):
    """What a POS can do. `paused` says why nothing is sent to it at the moment."""

    store_slug: str
    pos: str | None
    paused: str | None
    capabilities: list[str]


class TableView(Struct, frozen=True, rename="camel", kw_only=True):
    """A table. `rawStatus` is the POS's own word."""

    id: str
    name: str
    seats: int | None
    area: str
    status: TableStatus
    raw_status: str


class KitchenView(Struct, frozen=True, rename="camel", kw_only=True):
    """A place where food is made, with the POS's ids of what it makes."""

    id: str
    name: str
    item_ids: tuple[str, ...]


class PrinterView(Struct, frozen=True, rename="camel", kw_only=True):
    """A printer of the POS."""

    id: str
    name: str
    detail: str


class CodeView(Struct, frozen=True, rename="camel", kw_only=True):
    """One of the venue's own codes at its POS, e.g. the sale type 2 named "Delivery"."""

    code_table: str
    code_id: str
    name: str
    detail: str


class TableBody(Struct, frozen=True, rename="camel", kw_only=True):
    """How a table is to be marked."""

    status: Literal["free", "occupied", "reserved", "blocked"]


class TicketBody(Struct, frozen=True, rename="camel", kw_only=True):
    """How far the kitchen is with a ticket."""

    status: Literal["sent", "in_kitchen", "ready", "served", "cancelled"]


class TicketPrintBody(Struct, frozen=True, rename="camel", kw_only=True):
    """Whether it was printed before."""

    again: bool = True


async def get_capabilities(services: Services, request: Request) -> Reply:
    """What the store's POS can do, from its connector."""
    venue = venue_of(services, request)
    link = services.directory.link_of(venue.id)
    view = AbilitiesView(
        store_slug=venue.slug,
        pos=None if link is None else link.connector,
        paused=None if link is None else link.paused_cause or None,
        capabilities=sorted(services.pos_desk.abilities(venue.id)),
    )
    return Reply(encode(view))


async def get_codes(services: Services, request: Request) -> Reply:
    """The store's own codes at its POS, as last read from there."""
    return listed("codes", await services.pos_desk.codes(venue_of(services, request).id), CodeView)


async def get_tables(services: Services, request: Request) -> Reply:
    """The tables as the POS has them now."""
    return listed("tables", await services.pos_desk.tables(venue_of(services, request).id), TableView)


async def get_table(services: Services, request: Request) -> Reply:
    """One table as the POS has it now."""
    venue, table_id = venue_of(services, request), id_at_pos(request, "table")
    return single("table", await services.pos_desk.table(venue.id, table_id), TableView)


async def set_table_status(services: Services, request: Request) -> Reply:
    """Mark a table at the POS."""
    body: TableBody = request.body
    venue, table_id = venue_of(services, request), id_at_pos(request, "table")
    await services.pos_desk.set_table_status(venue.id, table_id, TableStatus(body.status))
    return done()


async def get_kitchens(services: Services, request: Request) -> Reply:
    """The kitchens and what each one makes."""
    return listed("kitchens", await services.pos_desk.kitchens(venue_of(services, request).id), KitchenView)


async def get_printers(services: Services, request: Request) -> Reply:
    """The POS's printers."""
    return listed("printers", await services.pos_desk.printers(venue_of(services, request).id), PrinterView)


async def set_ticket_status(services: Services, request: Request) -> Reply:
    """Move one kitchen ticket on."""
    body: TicketBody = request.body
    venue, ticket_id = venue_of(services, request), id_at_pos(request, "ticket")
    await services.pos_desk.set_ticket_state(venue.id, ticket_id, body.status)
    return done()


async def print_ticket(services: Services, request: Request) -> Reply:
    """Print a kitchen ticket."""
    body: TicketPrintBody = request.body
    venue, ticket_id = venue_of(services, request), id_at_pos(request, "ticket")
    await services.pos_desk.print_ticket(venue.id, ticket_id, again=body.again)
    return done()


_TABLE, _TICKET = "tables/{table:str}", "tickets/{ticket:str}"
_TABLES = answer_of("TablesAnswer", tables=list[TableView])
OPERATIONS = (
    reading("get_pos_capabilities", "capabilities", "What the store's POS can do.", get_capabilities, AbilitiesView),
    reading(
        "get_pos_codes",
        "codes",
        "The store's own codes at its POS.",
        get_codes,
        answer_of("CodesAnswer", codes=list[CodeView]),
    ),
    reading("get_pos_tables", "tables", "The tables as the POS has them now.", get_tables, _TABLES),
    reading(
        "get_pos_table",
        _TABLE,
        "One table as the POS has it now.",
        get_table,
        answer_of("TableAnswer", table=TableView),
    ),
    writing(
        "set_pos_table_status",
        _TABLE,
        "Mark a table as free, occupied, reserved or blocked.",
        set_table_status,
        TableBody,
        DoneAnswer,
        method="PATCH",
        repeatable=True,
    ),
    reading(
        "get_pos_kitchens",
        "kitchens",
        "The kitchens and what each one makes.",
        get_kitchens,
        answer_of("KitchensAnswer", kitchens=list[KitchenView]),
    ),
    reading(
        "get_pos_printers",
        "printers",
        "The POS's printers.",
        get_printers,
        answer_of("PrintersAnswer", printers=list[PrinterView]),
    ),
    writing(
        "set_pos_ticket_status",
        _TICKET,
        "Move a kitchen ticket on.",
        set_ticket_status,
        TicketBody,
        DoneAnswer,
        method="PATCH",
        repeatable=True,
    ),
    writing(
        "print_pos_ticket", f"{_TICKET}/print", "Print a kitchen ticket.", print_ticket, TicketPrintBody, DoneAnswer
    ),
)
