"""OAuth's routes. Neither bodies nor queries of theirs are recorded: they hold keys, codes and tokens."""

import hmac
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import litestar
import msgspec
from litestar import HttpMethod
from litestar.handlers import HTTPRouteHandler, route
from litestar.response.base import ASGIResponse
from msgspec import Struct

from hub.api.admission import admission_of, headers_of
from hub.api.body import read_body
from hub.api.json import decode
from hub.api.oauth import documents
from hub.api.oauth.forms import (
    MOST_BYTES,
    AuthorizationRequest,
    read_authorization,
    read_form_parameters,
    read_parameters,
    required,
    verifier_of,
)
from hub.api.oauth.page import consent_page, page_headers, refusal_page
from hub.api.replies import error_reply, internal_error_reply
from hub.errors import HubError, Unauthorized
from hub.model.oauth import OAuthClient
from hub.model.venue import RateLimit
from hub.services.directory import Directory
from hub.services.keys import authenticate, hash_of
from hub.services.oauth.clients import Clients
from hub.services.oauth.grants import ACCESS_SECONDS, Grants, Issued, in_both
from hub.services.oauth.redirects import is_own_redirect
from hub.services.oauth.refusal import OAuthRefused
from hub.trace.inbound import InboundTrace

_REGISTRATIONS = (RateLimit(10, 60), RateLimit(200, 86_400))
_TRIES = (RateLimit(10, 60), RateLimit(100, 86_400))
_log = logging.getLogger(__name__)


_Make = Callable[[litestar.Request[Any, Any, Any]], Awaitable[ASGIResponse]]


class Registration(Struct, frozen=True):
    """What a program says of itself (RFC 7591); the rest of it is not needed."""

    redirect_uris: list[str]
    client_name: str = ""
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)


class OAuthEndpoints:
    """The routes. `issuer` is this hub's public address."""

    def __init__(
        self,
        *,
        issuer: str,
        mcp_path: str,
        clients: Clients,
        grants: Grants,
        directory: Directory,
        trace: InboundTrace,
        now_ms: Callable[[], int],
        new_secret: Callable[[], str],
    ) -> None:
        self._issuer = issuer
        self._clients = clients
        self._grants = grants
        self._directory = directory
        self._trace = trace
        self._now_ms = now_ms
        self._new_secret = new_secret
        self._documents = {
            **dict.fromkeys(documents.resource_paths(mcp_path), documents.resource_document(issuer, grants.resource)),
            **dict.fromkeys(documents.SERVER_PATHS, documents.server_document(issuer)),
        }
        secure = issuer.startswith("https://")
        self._cookie_name = "__Host-openpos-consent" if secure else "openpos-consent"
        self._cookie_rules = "Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths."""
        return (*self._documents, documents.AUTHORIZE, documents.TOKEN, documents.REVOKE, documents.REGISTER)

    def routes(self) -> list[HTTPRouteHandler]:
        """The route handlers."""
        made = [self._document_route(path, document) for path, document in self._documents.items()]
        for path, method, name, answer in (
            (documents.AUTHORIZE, HttpMethod.GET, "oauth.ask", self._ask),
            (documents.AUTHORIZE, HttpMethod.POST, "oauth.decide", self._decide),
            (documents.TOKEN, HttpMethod.POST, "oauth.token", self._give_token),
            (documents.REVOKE, HttpMethod.POST, "oauth.revoke", self._revoke),
            (documents.REGISTER, HttpMethod.POST, "oauth.register", self._register),
        ):
            made.append(self._route(path, method, name, answer))
        return made

    def _document_route(self, path: str, document: Mapping[str, Any]) -> HTTPRouteHandler:
        content = msgspec.json.encode(document)

        async def answer(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            return ASGIResponse(body=content, media_type="application/json")

        return route(path, http_method=HttpMethod.GET, name=f"oauth{path}")(answer)

    def _route(self, path: str, method: HttpMethod, name: str, make: _Make) -> HTTPRouteHandler:
        is_page = path == documents.AUTHORIZE

        async def answer(request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
            started, at_ms, error = time.perf_counter(), self._now_ms(), ""
            try:
                made = await make(request)
            except HubError as problem:
                error = f"{type(problem).__name__}: {problem.message}"
                made = _refusal_as_page(problem) if is_page else _refusal_as_json(problem)
            except Exception as problem:
                _log.exception("%s failed", name)
                error, reply = f"{type(problem).__name__}: {problem}", internal_error_reply()
                made = ASGIResponse(
                    body=reply.content.encode(), status_code=reply.status, media_type="application/json"
                )
            self._trace.record(
                at_ms=at_ms,
                milliseconds=(time.perf_counter() - started) * 1000,
                operation=name,
                method=method.value,
                url=path,
                request_headers={"user-agent": request.headers.get("user-agent", "")},
                request_body=b"",
                status=made.status_code,
                response_headers={},
                response_body=b"",
                order_id="",
                error=error,
            )
            return made

        return route(path, http_method=method, name=name, status_code=200)(answer)

    async def _ask(self, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        parameters = read_parameters(request.scope["query_string"].decode("latin-1"))
        asked, client = await self._understand(parameters)
        mine = self._cookie_of(request)
        return self._consent(asked, client, mine or self._new_secret(), is_new=mine is None)

    async def _decide(self, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        form = await read_form_parameters(headers_of(request.scope), request.receive)
        asked, client = await self._understand(form)
        mine = self._cookie_of(request)
        if mine is None or not hmac.compare_digest(mine, form.get("proof", "")):
            return self._consent(
                asked, client, mine or self._new_secret(), is_new=mine is None,
                problem="Your browser did not send this page's cookie back. Try once more.", status=403,
            )  # fmt: skip
        if form.get("decision") != "allow":
            return _redirect(asked.answered({"error": "access_denied", "iss": self._issuer}))
        admission = admission_of(request.scope)
        await admission.count_apart("consent", _TRIES)
        typed = form.get("api_key", "").strip()
        try:
            key = authenticate(self._directory, f"Bearer {typed}", "")
        except Unauthorized:
            return self._consent(asked, client, mine, problem="That is not a working API key.", status=403)
        held = sorted(key.scopes)
        scopes = in_both(asked.scopes or held, held)
        if not scopes:
            return self._consent(
                asked, client, mine, problem="This API key may do nothing of what is asked for.", status=403
            )
        code = await self._grants.allow(
            client_id=client.id,
            key_hash=hash_of(typed),
            scopes=scopes,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
        )
        return _redirect(asked.answered({"code": code, "iss": self._issuer}))

    async def _understand(self, parameters: Mapping[str, str]) -> tuple[AuthorizationRequest, OAuthClient]:
        """What is asked for, and by whom. Whatever is wrong is said here and not to an address a stranger gave."""
        client = await self._clients.find(required(parameters, "client_id"))
        if not is_own_redirect(required(parameters, "redirect_uri"), client.redirect_uris):
            raise OAuthRefused("invalid_request", "redirect_uri: is none of those the program registered")
        return read_authorization(parameters, self._grants.resource), client

    def _consent(
        self,
        asked: AuthorizationRequest,
        client: OAuthClient,
        proof: str,
        *,
        is_new: bool = False,
        problem: str = "",
        status: int = 200,
    ) -> ASGIResponse:
        page = consent_page(
            client_name=client.name,
            redirect_uri=asked.redirect_uri,
            scopes=asked.scopes,
            fields={**asked.fields(), "proof": proof},
            problem=problem,
        )
        headers = page_headers(asked.redirect_uri)
        if is_new:
            headers["Set-Cookie"] = f"{self._cookie_name}={proof}; {self._cookie_rules}"
        return _page(page, status, headers)

    def _cookie_of(self, request: litestar.Request[Any, Any, Any]) -> str | None:
        pattern = rf"(?:^|;\s*){re.escape(self._cookie_name)}=([A-Za-z0-9_-]{{43}})(?:;|$)"
        found = re.search(pattern, request.headers.get("cookie", ""))
        return None if found is None else found[1]

    async def _give_token(self, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        form = await read_form_parameters(headers_of(request.scope), request.receive)
        client_id, resource = required(form, "client_id"), form.get("resource", "")
        if required(form, "grant_type") == "authorization_code":
            issued = await self._grants.redeem(
                code=required(form, "code"),
                client_id=client_id,
                redirect_uri=required(form, "redirect_uri"),
                verifier=verifier_of(form),
                resource=resource,
            )
        elif form["grant_type"] == "refresh_token":
            issued = await self._grants.refresh(
                token=required(form, "refresh_token"),
                client_id=client_id,
                scopes=form.get("scope", "").split(),
                resource=resource,
            )
        else:
            raise OAuthRefused("unsupported_grant_type", "grant_type: authorization_code or refresh_token")
        return _json(_token_answer(issued))

    async def _revoke(self, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        form = await read_form_parameters(headers_of(request.scope), request.receive)
        await self._grants.revoke(required(form, "token"), required(form, "client_id"))
        return _json({})

    async def _register(self, request: litestar.Request[Any, Any, Any]) -> ASGIResponse:
        await admission_of(request.scope).count_apart("register", _REGISTRATIONS)
        content = await read_body(headers_of(request.scope), request.receive, MOST_BYTES)
        try:
            asked = decode(content, Registration)
        except HubError as problem:
            raise OAuthRefused("invalid_client_metadata", problem.message) from problem
        if "authorization_code" not in asked.grant_types or "code" not in asked.response_types:
            raise OAuthRefused("invalid_client_metadata", "grant_types: only authorization_code can be had here")
        client = await self._clients.register(asked.client_name, asked.redirect_uris)
        answer = {
            "client_id": client.id,
            "client_id_issued_at": client.created_at_ms // 1000,
            "client_name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return _json(answer, 201)


def _token_answer(issued: Issued) -> dict[str, Any]:
    return {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "refresh_token": issued.refresh_token,
        "scope": " ".join(issued.scopes),
    }


def _json(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> ASGIResponse:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    body = msgspec.json.encode(content)
    return ASGIResponse(body=body, status_code=status, headers=kept, media_type="application/json")


def _page(page: str, status: int, headers: Mapping[str, str]) -> ASGIResponse:
    return ASGIResponse(
        body=page.encode(), status_code=status, headers=dict(headers), media_type="text/html", encoding="utf-8"
    )


def _redirect(address: str) -> ASGIResponse:
    return ASGIResponse(status_code=303, headers={"Location": address, "Cache-Control": "no-store"})


def _refusal_as_json(problem: HubError) -> ASGIResponse:
    """As OAuth writes errors; other than its own are a passing trouble of the server's."""
    if isinstance(problem, OAuthRefused):
        status = 401 if problem.error == "invalid_client" else 400
        return _json({"error": problem.error, "error_description": problem.message}, status)
    reply = error_reply(problem)
    words = problem.message if problem.status != 500 else "Server error, please retry"
    word = "invalid_request" if problem.status < 500 and problem.status != 429 else "temporarily_unavailable"
    return _json({"error": word, "error_description": words}, reply.status, reply.headers)


def _refusal_as_page(problem: HubError) -> ASGIResponse:
    reply = error_reply(problem)
    words = problem.message if problem.status != 500 else "Something is wrong here; try again later."
    return _page(refusal_page(words), reply.status, {**page_headers(), **reply.headers})
