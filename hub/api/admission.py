"""Who may come in: the caller of a request, its limits, and which browsers' pages and host names are let through."""

from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from hub.errors import Forbidden, HubError, TooManyRequests, Unauthorized, Unavailable
from hub.model.venue import RateLimit
from hub.services.directory import Directory
from hub.services.key_uses import KeyUses
from hub.services.keys import authenticate
from hub.services.limits import Allowance, RequestLimits, RequestRules
from hub.services.oauth.grants import is_access_token
from hub.services.requests import Caller

_IN_SCOPE = "openpos.admission"
_HEADERS_IN_SCOPE = "openpos.headers"
_ANY = "*"


class Tokens(Protocol):
    """Knows access tokens."""

    async def caller(self, token: str) -> Caller:
        """Who calls with a token. Raises `Unauthorized`."""
        ...


class Admission:
    """One request at the door."""

    __slots__ = ("_caller", "_desk", "_subject", "allowance", "problem")

    def __init__(self, desk: "Desk", caller: Caller, subject: str, problem: HubError | None) -> None:
        self._desk = desk
        self._caller = caller
        self._subject = subject
        self.problem = problem
        self.allowance: Allowance | None = None
        """Where the caller stands after this request; None before it was counted."""

    @property
    def caller(self) -> Caller:
        """Who calls. Raises `Unauthorized` for a key that is none, `TooManyRequests` when the limit is used up, and
        `Unavailable` when it could not be found out."""
        self.check_limit()
        if self.problem is not None:
            raise self.problem
        return self._caller

    def check_key(self) -> None:
        """Raises `Unauthorized` unless the caller showed a key that is one."""
        if self.problem is not None or self._caller.is_anonymous:
            raise self.problem or Unauthorized("Missing or invalid API key")

    def check_limit(self) -> None:
        """Raises `TooManyRequests` when the caller's limit is used up."""
        if self.allowance is not None and self.allowance.retry_after_seconds:
            raise _too_many(self.allowance)

    async def count(self) -> None:
        """Counts this request."""
        self.allowance = await self._desk.limits.take(self._subject, self._desk.rules.of(self._caller))

    async def count_public_order(self) -> None:
        """Counts something that an anonymous caller wants to have stored. Raises `TooManyRequests`."""
        subject, rules = f"orders {self._subject}", self._desk.rules.of_public_orders()
        allowance = await self._desk.limits.take(subject, rules)
        if self.allowance is None or allowance.remaining <= self.allowance.remaining:
            self.allowance = allowance
        self.check_limit()

    async def count_apart(self, what: str, limits: Sequence[RateLimit]) -> None:
        """Counts something apart from this caller's requests. Raises `TooManyRequests`."""
        allowance = await self._desk.limits.take(f"{what} {self._subject}", limits)
        if allowance.retry_after_seconds:
            raise _too_many(allowance)

    def do_not_count(self) -> None:
        """Takes the count of this request back, for a message that asked for nothing."""
        if self.allowance is not None:
            self._desk.limits.give_back(self._subject, self.allowance)
        self.look()

    def look(self) -> None:
        """Says where the caller stands without counting."""
        self.allowance = self._desk.limits.look(self._subject, self._desk.rules.of(self._caller))


class Desk:
    """Tells callers apart, by key or by address, and knows their limits."""

    def __init__(
        self,
        *,
        directory: Directory,
        limits: RequestLimits,
        rules: RequestRules,
        uses: KeyUses,
        tokens: Tokens | None = None,
        token_path: str = "",
    ) -> None:
        self._directory = directory
        self._tokens = tokens
        self._token_path = token_path
        self._uses = uses
        self.limits = limits
        self.rules = rules

    def admit(self, authorization: str | None, address: str) -> Admission:
        """The caller as its key says; one whose key is none is counted by its address like an anonymous one."""
        try:
            caller = authenticate(self._directory, authorization, address)
        except Unauthorized as problem:
            return Admission(self, authenticate(self._directory, None, address), _place(address), problem)
        if caller.is_anonymous:
            return Admission(self, caller, _place(address), None)
        self._uses.note(caller.id)
        return Admission(self, caller, caller.id, None)

    def takes_token(self, authorization: str | None, path: str) -> bool:
        """Whether this is an access token at the one address that takes them."""
        return (
            self._tokens is not None
            and authorization is not None
            and path == self._token_path
            and is_access_token(_credentials(authorization))
        )

    async def admit_with_token(self, authorization: str, address: str) -> Admission:
        """The caller as its access token says; its requests count as those of the key behind it."""
        assert self._tokens is not None
        try:
            caller = await self._tokens.caller(_credentials(authorization))
        except (Unauthorized, Unavailable) as problem:
            return Admission(self, authenticate(self._directory, None, address), _place(address), problem)
        self._uses.note(caller.id)
        return Admission(self, caller, caller.id, None)


class Visitors:
    """Which host names are ours, and which other sites' pages may call us."""

    def __init__(self, *, hosts: Collection[str], origins: Collection[str]) -> None:
        self._hosts = {host.lower() for host in hosts}
        self._origins = {origin.lower().rstrip("/") for origin in origins}

    def check_host(self, host: str) -> None:
        """Raises `Forbidden` for a name that is not ours.

        A page of another site can have its own name point to this machine (DNS rebinding), but it cannot make an
        address do so; addresses and localhost are therefore always ours.
        """
        name = _name_of(host)
        if name in self._hosts or name == "localhost" or _is_address(name):
            return
        raise Forbidden(
            f"the host name {name[:100]!r} is not known here; the operator adds it to OPENPOS_HOSTS",
            code="HOST_FORBIDDEN",
        )

    def check_origin(self, origin: str, host: str) -> bool:
        """Whether answers must tell the browser that this origin may read them; raises `Forbidden` for a stranger."""
        origin = origin.lower()
        if origin in self._origins or _ANY in self._origins:
            return True
        self.check_host(host)
        if origin.startswith(("http://", "https://")) and urlsplit(origin).netloc == host.lower():
            return False
        raise Forbidden(
            f"pages of {origin[:100]!r} may not call this hub; the operator adds them to OPENPOS_ORIGINS",
            code="ORIGIN_FORBIDDEN",
        )


def admission_of(scope: Mapping[str, Any]) -> Admission:
    """The admission of the request with this scope."""
    return cast(Admission, scope[_IN_SCOPE])


def headers_of(scope: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers of the request with this scope, by their names in small letters."""
    return cast(Mapping[str, str], scope[_HEADERS_IN_SCOPE])


def put_admission(scope: dict[str, Any], admission: Admission, headers: Mapping[str, str]) -> None:
    """Lets the request's handler find its admission, and its headers in the form in which they were read."""
    scope[_IN_SCOPE] = admission
    scope[_HEADERS_IN_SCOPE] = headers


def _too_many(allowance: Allowance) -> TooManyRequests:
    wait = allowance.retry_after_seconds
    return TooManyRequests(
        f"Too many requests: the limit of {allowance.limit} is used up; wait {wait} s", retry_after_seconds=wait
    )


def _place(address: str) -> str:
    """What an anonymous caller is counted by; who has one IPv6 address has 2^64 of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"address {address[:64]}"
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return f"address {ip_address(int(parsed) >> 64 << 64)}/64"
    return f"address {getattr(parsed, 'ipv4_mapped', None) or parsed}"


def _credentials(authorization: str) -> str:
    kind, _, credentials = authorization.partition(" ")
    return credentials.strip() if kind.lower() == "bearer" else ""


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
