"""Signed tokens (JWT, HS256) of the Desktop Kitchen sandbox, with the secret kept in its ledger."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from connectors.desktop_kitchen.sandbox.answers import Refused
from hub.contract.sandbox.ledger import Ledger, from_json, to_json


class Tokens:
    """Issues tokens and reads them back. They hold over a restart, for the secret does."""

    def __init__(self, ledger: Ledger, new_secret: Callable[[], str]) -> None:
        secret: str | None = ledger.find_document("secret", "jwt")
        if secret is None:
            secret = new_secret()
            ledger.put_document("secret", "jwt", secret)
        self._secret = secret.encode()

    def issue(self, claims: dict[str, Any], now: datetime, seconds: int) -> str:
        """A token with these claims and the times of issue and expiry."""
        issued_at = int(now.timestamp())
        payload = {**claims, "iat": issued_at, "exp": issued_at + seconds}
        signed = b".".join((_encode(to_json({"alg": "HS256", "typ": "JWT"})), _encode(to_json(payload))))
        return b".".join((signed, self._signature(signed))).decode()

    def read(self, token: str, now: datetime) -> dict[str, Any]:
        """The claims of a token; refuses (401) a forged and an expired one with different texts."""
        signed, _, signature = token.encode(errors="replace").rpartition(b".")
        if not hmac.compare_digest(signature, self._signature(signed)):
            raise Refused(401, "Invalid token")
        try:
            claims: dict[str, Any] = from_json(_decode(signed.partition(b".")[2]))
        except (msgspec.DecodeError, binascii.Error) as broken:
            raise Refused(401, "Invalid token") from broken
        if claims["exp"] <= now.timestamp():
            raise Refused(401, "Token expired")
        return claims

    def _signature(self, signed: bytes) -> bytes:
        return _encode(hmac.new(self._secret, signed, hashlib.sha256).digest())


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
