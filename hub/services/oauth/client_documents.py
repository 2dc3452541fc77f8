"""Programs that are described by a document at their own address (client id metadata documents)."""

import asyncio
from collections import OrderedDict
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct

from hub.contract.ports import Clock
from hub.model.oauth import OAuthClient
from hub.services.oauth.redirects import checked_redirects
from hub.services.oauth.refusal import OAuthRefused

_LONGEST_ADDRESS = 500
_MOST_BYTES = 8_192
_SECONDS = 5.0
_KEPT_MS = 600_000
_MOST_KEPT = 200
_LONGEST_NAME = 100


class _Document(Struct, frozen=True):
    client_id: str
    redirect_uris: list[str]
    client_name: str = ""
    token_endpoint_auth_method: str = "none"


class ClientDocuments:
    """Fetches such documents, and remembers them for ten minutes."""

    def __init__(self, transport: httpx.AsyncBaseTransport, clock: Clock) -> None:
        self._http = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        self._clock = clock
        self._kept: OrderedDict[str, tuple[int, OAuthClient]] = OrderedDict()

    async def find(self, address: str) -> OAuthClient:
        """The program at this address. Raises `OAuthRefused`."""
        now_ms = self._clock.now_ms()
        kept = self._kept.get(address)
        if kept is not None and now_ms - kept[0] < _KEPT_MS:
            return kept[1]
        _check_address(address)
        client = _read(address, await self._fetch(address), now_ms)
        self._kept[address] = (now_ms, client)
        self._kept.move_to_end(address)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return client

    async def close(self) -> None:
        """Lets go of connections."""
        await self._http.aclose()

    async def _fetch(self, address: str) -> bytes:
        content = b""
        try:
            async with (
                asyncio.timeout(_SECONDS),
                self._http.stream("GET", address, headers={"Accept": "application/json"}) as answer,
            ):
                if answer.status_code != 200:
                    raise _refused(f"its address answers {answer.status_code}")
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > _MOST_BYTES:
                        raise _refused("its document is too long")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as problem:
            raise _refused("its address cannot be reached") from problem
        return content


def is_document_address(client_id: str) -> bool:
    """Whether a client id is the address of a document."""
    return client_id.startswith("https://")


def _check_address(address: str) -> None:
    """Raises `OAuthRefused` unless the address is https, with a name and a path, and nothing else."""
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname or ""
    except ValueError as problem:
        raise _refused("it is no address") from problem
    plain = address.isascii() and address.isprintable() and len(address) <= _LONGEST_ADDRESS
    if not plain or "@" in parts.netloc or "#" in address or parts.path in ("", "/") or "/." in parts.path:
        raise _refused("it is no address of a document")
    if port not in (None, 443) or _is_ip_address(host) or "." not in host:
        raise _refused("it must be at a public name")


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdecimal()  # 127.1 and the like
    return True


def _read(address: str, content: bytes, now_ms: int) -> OAuthClient:
    try:
        document = msgspec.json.decode(content, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise _refused("its document cannot be understood") from problem
    if document.client_id != address:
        raise _refused("its document is about another client_id")
    if document.token_endpoint_auth_method != "none":
        raise _refused("it wants to prove who it is, which this hub cannot check")
    name = "".join(sign for sign in document.client_name if sign.isprintable())[:_LONGEST_NAME]
    return OAuthClient(
        id=address,
        name=name or (urlsplit(address).hostname or ""),
        redirect_uris=checked_redirects(document.redirect_uris),
        created_at_ms=now_ms,
    )


def _refused(why: str) -> OAuthRefused:
    return OAuthRefused("invalid_client", f"client_id: {why}")
