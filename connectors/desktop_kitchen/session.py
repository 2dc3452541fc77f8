"""Works as one employee: logs in with a PIN, keeps the token for all processes, and never hammers with a wrong PIN."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from connectors.desktop_kitchen.refusals import TOKEN, explained, meaning
from connectors.desktop_kitchen.settings import DesktopKitchenSettings
from connectors.desktop_kitchen.values import read_id
from connectors.desktop_kitchen.wire import Row
from hub.contract.connector import LinkContext
from hub.contract.http import VendorHttp
from hub.errors import ConnectorError, VendorAuthFailed, VendorMalformed, VendorRateLimited

_TOKEN_MS: Final = 24 * 3_600_000  # an employee's token lasts 24 hours; nothing renews it but another login
_RENEW_BEFORE_MS: Final = 3_600_000
_AFTER_A_WRONG_PIN_MS: Final = 60_000
_EMPLOYEE, _LOGIN = "employee", "login"

_T = TypeVar("_T")
Headers = Mapping[str, str]


class Session:
    """The hub's employee at one restaurant."""

    def __init__(self, context: LinkContext, settings: DesktopKitchenSettings, http: VendorHttp) -> None:
        self._context = context
        self._settings = settings
        self._http = http
        self._logging_in = asyncio.Lock()
        self._tenant = {"x-tenant-id": settings.tenant} if settings.tenant_by == "header" else {}

    async def call(self, call: Callable[[Headers], Awaitable[_T]], *, signed: bool) -> _T:
        """Makes a call; when its token is refused, so that nothing was done, logs in and calls once more.

        `signed` calls need a token; most reads do not, and carry one only if there is one.
        """
        token = await self._stored_token()
        if token is None and signed:
            token = await self._new_token(None)
        try:
            return await call(await self._headers(token))
        except ConnectorError as refused:
            if not self._is_about_the_token(refused):
                raise explained(refused, self._context.tables) from refused
        token = await self._new_token(token)
        try:
            return await call(await self._headers(token))
        except ConnectorError as refused:
            raise explained(refused, self._context.tables) from refused

    async def employee_id(self) -> int:
        """The number of the employee that orders are filed under."""
        if self._settings.employee_id is not None:
            return self._settings.employee_id
        known = await self._known_employee()
        if known is None:
            await self._new_token(await self._stored_token())
            known = await self._known_employee()
        if known is None:
            raise self._malformed("no employee id in the answer")
        return int(known)

    async def log_in(self) -> Row:
        """`POST /employees/login`: a new token, kept for all processes; gives the employee as the POS knows them.

        Raises `VendorAuthFailed` when the PIN is refused; a refused or locked PIN is not sent again for a while.
        """
        await self._respect_hold()
        try:
            # Logging in twice does no harm, so silence here says nothing about any order.
            answer = await self._http.send(
                "login",
                "POST",
                "/employees/login",
                headers=self._tenant,
                body={"pin": self._settings.pin},
                safe=True,
            )
        except VendorRateLimited as locked:
            await self._hold(int(locked.retry_after_seconds * 1000), "locked")
            raise
        except ConnectorError as refused:
            if isinstance(refused, VendorAuthFailed):
                await self._hold(_AFTER_A_WRONG_PIN_MS, "refused")
            raise explained(refused, self._context.tables) from refused
        data: Row = dict(answer.data) if isinstance(answer.data, Mapping) else {}
        token, employee = data.get("token"), read_id(data.get("id"))
        if not isinstance(token, str) or not token or employee is None:
            raise self._malformed("no token or no employee id in the answer")
        self._http.hide(token)
        link_id = self._context.link.id
        await self._context.refs.save_ref(link_id, _EMPLOYEE, self._settings.tenant, employee)
        await self._context.tokens.save_token(link_id, token, self._context.clock.now_ms() + _TOKEN_MS)
        return data

    def _is_about_the_token(self, refused: ConnectorError) -> bool:
        if self._settings.legacy_employee_header or not isinstance(refused, VendorAuthFailed):
            return False
        return meaning(refused, self._context.tables) == TOKEN or (refused.code == "401" and not refused.reason)

    async def _headers(self, token: str | None) -> Headers:
        """The headers of a call. The employee's number is sent besides: the documentation asks for nothing else."""
        headers = dict(self._tenant)
        employee = self._settings.employee_id or await self._known_employee()
        if employee is not None:
            headers["x-employee-id"] = str(employee)
        if token:
            headers["authorization"] = f"Bearer {token}"
        return headers

    async def _stored_token(self) -> str | None:
        if self._settings.legacy_employee_header:
            return ""  # no token, and none is needed
        stored = await self._context.tokens.load_token(self._context.link.id)
        if stored is None or stored[1] - _RENEW_BEFORE_MS <= self._context.clock.now_ms():
            return None
        self._http.hide(stored[0])
        return stored[0]

    async def _new_token(self, refused_token: str | None) -> str:
        """A token other than the one refused; calls that wait for the same login share its result."""
        async with self._logging_in:
            token = await self._stored_token()
            if token is None or token == refused_token:
                token = str((await self.log_in())["token"])
            return token

    async def _known_employee(self) -> str | None:
        return await self._context.refs.load_ref(self._context.link.id, _EMPLOYEE, self._settings.tenant)

    async def _hold(self, milliseconds: int, why: str) -> None:
        until_ms = self._context.clock.now_ms() + milliseconds
        await self._context.refs.save_ref(self._context.link.id, _LOGIN, "not_before", f"{until_ms} {why}")

    async def _respect_hold(self) -> None:
        """Several orders, processes or people may want to log in at once; only the first may find out it is wrong."""
        stored = await self._context.refs.load_ref(self._context.link.id, _LOGIN, "not_before")
        until_ms, _, why = (stored or "0").partition(" ")
        seconds = (int(until_ms) - self._context.clock.now_ms()) / 1000
        if seconds <= 0:
            return
        connector = self._context.link.connector
        if why == "locked":
            raise VendorRateLimited(
                f"login: the POS takes no PIN for another {seconds:.0f} s",
                retry_after_seconds=seconds,
                whole_link=False,
                connector=connector,
                operation="login",
            )
        raise VendorAuthFailed(
            f"login: the PIN was refused a moment ago; it is tried again in {seconds:.0f} s at the earliest",
            connector=connector,
            operation="login",
        )

    def _malformed(self, what: str) -> VendorMalformed:
        return VendorMalformed(f"login: {what}", connector=self._context.link.connector, operation="login")
