"""The doors of the Clopos sandbox: tokens are issued here, and every other call shows one."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from connectors.clopos.sandbox.answers import Dialect, Refused, sentence_refused, slug_refused
from connectors.clopos.sandbox.catalogue import Catalogue
from hub.contract.sandbox import json_answer
from hub.contract.sandbox.ledger import Ledger, to_json

V1_FIELDS = ("client_id", "client_secret", "brand", "venue_id")
V2_FIELDS = ("client_id", "client_secret", "brand", "integrator_id")
# These two v2 pages show a 401 of shape b; the v2 errors page, for all others, shows shape c.
SLUG_401_ON_V2 = frozenset({"list_orders", "list_stations"})


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the token and the headers say."""

    dialect: Dialect
    brand: str
    venue_id: int
    key: str
    """What the rate limit counts by."""

    @property
    def scope(self) -> str:
        """Whose orders these are."""
        return f"{self.brand}/{self.venue_id}"


class Doors:
    """Issues tokens and recognises them. Tokens live in the ledger, so a restart does not end them."""

    def __init__(self, ledger: Ledger, token_seconds: int, new_token: Callable[[], str]) -> None:
        self._ledger = ledger
        self._token_seconds = token_seconds
        self._new_token = new_token

    def authenticate(self, dialect: Dialect, body: Any, catalogue: Catalogue, now: datetime) -> web.Response:
        """The answer to `POST /auth`; raises `Refused` for credentials that do not hold."""
        fields = body if isinstance(body, dict) else {}
        if dialect is Dialect.V1:
            return self._issue_v1(fields, catalogue, now)
        return self._issue_v2(fields, catalogue, now)

    def admit(self, request: web.Request, dialect: Dialect, operation: str, now: datetime) -> Caller:
        """The caller behind a request; raises `Refused` (401) when token or headers do not hold."""
        needed = ("x-token", "x-brand", "x-venue") if dialect is Dialect.V1 else ("x-token",)
        if any(not request.headers.get(name) for name in needed):
            raise _unauthorized(dialect, operation, "Headers are missing")
        issued = self._ledger.find_document("token", request.headers["x-token"])
        if issued is None or issued["dialect"] != dialect:
            raise _unauthorized(dialect, operation, "Invalid token")
        if issued["expires_at"] <= now.timestamp():
            raise _unauthorized(dialect, operation, "Token expired")
        venue = request.headers.get("x-venue", str(issued["venue_id"]))
        bound = (str(issued["venue_id"]), issued["brand"])
        if dialect is Dialect.V1 and (venue, request.headers["x-brand"]) != bound:
            raise _unauthorized(dialect, operation, "Token was issued for another brand or venue")
        return Caller(dialect, issued["brand"], int(venue) if venue.isdigit() else 0, issued["key"])

    def _issue_v1(self, fields: dict[str, Any], catalogue: Catalogue, now: datetime) -> web.Response:
        for name in V1_FIELDS:
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise slug_refused(400, "validation_failed", f"The {name} field is required and must be a string.")
        client = catalogue.find_client(fields["client_id"], fields["client_secret"], fields["brand"])
        venue = catalogue.find_venue(int(fields["venue_id"]) if fields["venue_id"].isdigit() else 0)
        if client is None or venue is None or client["disabled"]:
            raise slug_refused(400, "validation_failed", "Invalid credentials")
        token = f"oauth_{self._new_token()}"
        self._keep(token, Dialect.V1, client["brand"], venue["id"], client["client_id"], now)
        return json_answer(self._answer(token))

    def _issue_v2(self, fields: dict[str, Any], catalogue: Catalogue, now: datetime) -> web.Response:
        if any(not isinstance(fields.get(name), str) or not fields[name] for name in V2_FIELDS):
            sentence = "Missing client_id, client_secret, brand, or integrator_id"
            raise sentence_refused(400, "Authentication failed", sentence)
        integrator = catalogue.find_integrator(fields["integrator_id"])
        if integrator is None:
            raise sentence_refused(400, "Authentication failed", "Invalid integrator_id")
        client = catalogue.find_client(fields["client_id"], fields["client_secret"], fields["brand"])
        if client is None:
            raise sentence_refused(401, "Invalid client credentials")
        if client["disabled"]:
            raise sentence_refused(401, "Authentication failed", "Client is disabled")
        if integrator["test"] and not client["test"]:
            # Clopos errors page: this refusal comes with HTTP 200.
            sentence = "Integrator is in test mode. But brand is not in test mode"
            raise sentence_refused(200, "Authentication failed", sentence)
        return json_answer(self._answer_v2(client, integrator["id"], now))

    def _answer_v2(self, client: dict[str, Any], integrator_id: str, now: datetime) -> dict[str, Any]:
        issued_at = int(now.timestamp())
        claims = {
            "token": f"oauth_{self._new_token()}",
            "brand": client["brand"],
            "stage": "beta",
            "venue_id": client["venue_id"],
            "integrator_id": integrator_id,
            "iat": issued_at,
            "exp": issued_at + self._token_seconds,
        }
        signature = self._new_token().encode()
        parts = (to_json({"alg": "HS256", "typ": "JWT"}), to_json(claims), signature)
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        key = f"{integrator_id}/{client['brand']}"
        self._keep(token, Dialect.V2, client["brand"], client["venue_id"], key, now)
        return self._answer(token) | {"expires_at": claims["exp"]}

    def _keep(self, token: str, dialect: Dialect, brand: str, venue_id: int, key: str, now: datetime) -> None:
        expires_at = now.timestamp() + self._token_seconds
        issued = {"dialect": dialect, "brand": brand, "venue_id": venue_id, "key": key, "expires_at": expires_at}
        self._ledger.put_document("token", token, issued)

    def _answer(self, token: str) -> dict[str, Any]:
        return {
            "success": True,
            "token": token,
            "token_type": "Bearer",
            "expires_in": self._token_seconds,
            "message": "Authentication successful",
        }


def _unauthorized(dialect: Dialect, operation: str, sentence: str) -> Refused:
    if dialect is Dialect.V1 or operation in SLUG_401_ON_V2:
        return slug_refused(401, "unauthorized", sentence)
    return sentence_refused(401, "Authentication failed", sentence)
