"""The drift report: what will fail tomorrow because a store and its POS no longer mean the same."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from hub.contract.base import Capability, PosConnector
from hub.contract.families import HasPayments
from hub.database import link_state
from hub.database.engine import Database
from hub.errors import ConfigurationError, ConnectorError
from hub.model.payment import PaymentMethod
from hub.model.venue import Link, Venue
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.menu_drift import DriftRow, Severity, compare_ids, compare_menus

_COMMON_METHODS = (PaymentMethod.CASH, PaymentMethod.CARD)


class DriftReport(Struct, frozen=True, kw_only=True):
    """What differs at one store; errors first. `compared` says what the POS told for it."""

    venue_id: str
    venue_slug: str
    pos: str
    """The connector's id; empty for a store without a POS, where nothing can drift."""
    compared: tuple[str, ...]
    rows: tuple[DriftRow, ...]

    @property
    def errors(self) -> int:
        """How many rows say that orders will fail."""
        return sum(row.severity is Severity.ERROR for row in self.rows)


class DriftReports:
    """Asks a POS for what it has now, and compares; nothing is changed on either side."""

    def __init__(self, *, database: Database, directory: Directory, connections: Connections) -> None:
        self._database = database
        self._directory = directory
        self._connections = connections

    async def check(self, venue: Venue) -> DriftReport:
        """The report of one store. A POS that does not answer is a row of it, never raised."""
        link = self._directory.link_of(venue.id)
        if link is None:
            return DriftReport(venue_id=venue.id, venue_slug=venue.slug, pos="", compared=(), rows=())
        compared: list[str] = []
        rows: list[DriftRow] = []
        if link.paused_cause:
            rows.append(_paused(link))
        try:
            connector = self._connections.pos(link.id)
            rows += await self._compare(venue, link, connector, compared)
        except ConfigurationError as problem:
            rows.append(_unanswered("the link's settings", problem.message, "run `openpos-hub doctor`"))
        rows.sort(key=lambda row: row.severity is not Severity.ERROR)
        return DriftReport(
            venue_id=venue.id, venue_slug=venue.slug, pos=link.connector, compared=tuple(compared), rows=tuple(rows)
        )

    async def _compare(
        self, venue: Venue, link: Link, connector: PosConnector, compared: list[str]
    ) -> Sequence[DriftRow]:
        rows: list[DriftRow] = []
        for name, steps in (
            ("menu", self._menu(venue, connector)),
            ("set-up", self._set_up(connector)),
            ("payment methods", self._payment_methods(connector)),
            ("codes", self._codes(link, connector)),
        ):
            try:
                found = [row async for row in steps]
            except ConnectorError as problem:
                rows.append(_unanswered(f"the POS's {name}", problem.message, "run `openpos-hub doctor`"))
                continue
            compared.append(name)
            rows += found
        return rows

    async def _menu(self, venue: Venue, connector: PosConnector) -> AsyncIterator[DriftRow]:
        catalog = await self._directory.catalog(venue.id)
        able = connector.capabilities
        if Capability.FETCH_MENU in able:
            for row in compare_menus(catalog, await connector.fetch_menu(), venue.currency):
                yield row
            return
        known = await connector.fetch_item_ids() if Capability.FETCH_ITEM_IDS in able else None
        for row in compare_ids(catalog, known):
            yield row

    async def _set_up(self, connector: PosConnector) -> AsyncIterator[DriftRow]:
        """What the link needs of the POS, its order types among it."""
        for step in await connector.probe():
            if not step.ok:
                yield DriftRow(
                    severity=Severity.ERROR,
                    kind="SET_UP_INCOMPLETE",
                    subject=step.name,
                    found=step.detail or "it does not work",
                    effect="orders that need it will be refused or wait for a person",
                    action="correct it at the POS or in the link's settings; `openpos-hub doctor` tries it again",
                )

    async def _payment_methods(self, connector: PosConnector) -> AsyncIterator[DriftRow]:
        if not isinstance(connector, HasPayments) or Capability.FETCH_PAYMENT_METHODS not in connector.capabilities:
            return
        methods = await connector.fetch_payment_methods()
        for method in methods:
            if method.method is PaymentMethod.OTHER:
                yield _payment(
                    method.name or method.code,
                    f"the hub has no word for the POS's {method.code!r}",
                    "payments by it come in as `other`",
                    f"send it as method `other` with code `{method.code}`",
                )
        for wanted in _COMMON_METHODS:
            if all(method.method is not wanted for method in methods):
                yield _payment(
                    wanted.value,
                    "the POS has no such way to pay",
                    f"payments by {wanted} that name no code cannot be recorded at the POS",
                    "send another method, or the POS's code with the payment",
                )

    async def _codes(self, link: Link, connector: PosConnector) -> AsyncIterator[DriftRow]:
        """Codes that the POS has changed since the hub read them."""
        if Capability.FETCH_CODES not in connector.capabilities:
            return

        def unit(connection: Connection) -> list[Any]:
            return link_state.load_codes(connection, link.id)

        now = {(code.table, code.id): code.name for code in await connector.fetch_codes()}
        for row in await self._database.read(unit):
            key = (row.code_table, row.code_id)
            if now.get(key) != row.name:
                found = f"now {now[key]!r}" if key in now else "the POS no longer has it"
                yield DriftRow(
                    severity=Severity.WARNING,
                    kind="CODE_CHANGED",
                    subject=f"{row.code_table} {row.code_id} ({row.name})",
                    found=found,
                    effect="orders that use it may be refused by the POS",
                    action="read the codes anew with `openpos-hub link sync`, and look at the link's settings",
                )


def _paused(link: Link) -> DriftRow:
    return DriftRow(
        severity=Severity.ERROR,
        kind=link.paused_cause,
        subject="the link",
        found="it is paused",
        effect="no order reaches the POS",
        action=f"`openpos-hub link resume {link.id}` when orders may go out again",
    )


def _unanswered(subject: str, found: str, action: str) -> DriftRow:
    return DriftRow(
        severity=Severity.ERROR,
        kind="POS_NOT_COMPARED",
        subject=subject,
        found=found,
        effect="nobody knows whether it still fits; orders may fail for the same reason",
        action=action,
    )


def _payment(subject: str, found: str, effect: str, action: str) -> DriftRow:
    return DriftRow(
        severity=Severity.WARNING,
        kind="PAYMENT_METHOD_UNMAPPED",
        subject=subject,
        found=found,
        effect=effect,
        action=action,
    )
