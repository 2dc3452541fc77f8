"""Reading what OAuth is sent: parameters in a query or a form, each at most once."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from litestar.types import Receive
from msgspec import Struct

from hub.api.body import read_form
from hub.services.keys import SCOPES
from hub.services.oauth.refusal import OAuthRefused

MOST_BYTES = 16_384
_MOST_FIELDS = 40
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """What a program asks somebody for. The client and its redirect_uri are looked at elsewhere."""

    client_id: str
    redirect_uri: str
    challenge: str
    state: str
    scopes: tuple[str, ...]
    resource: str

    def fields(self) -> dict[str, str]:
        """The parameters once more, for the page's form."""
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "state": self.state,
            "scope": " ".join(self.scopes),
            "resource": self.resource,
        }

    def answered(self, answer: Mapping[str, str]) -> str:
        """The program's address with an answer, as a person's browser is sent there."""
        state = {"state": self.state} if self.state else {}
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode({**answer, **state})}"


def read_parameters(text: str) -> dict[str, str]:
    """The parameters of a query or form. Raises `OAuthRefused` when one comes twice, or when they cannot be read."""
    if len(text) > MOST_BYTES:
        raise OAuthRefused("invalid_request", "the request is too long")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError) as problem:
        raise OAuthRefused("invalid_request", "the parameters cannot be read") from problem
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise OAuthRefused("invalid_request", "a parameter comes twice")
    return parameters


async def read_form_parameters(headers: Mapping[str, str], receive: Receive) -> dict[str, str]:
    """The parameters of a posted form. Raises `OAuthRefused` or what reading a body raises."""
    content = await read_form(headers, receive, MOST_BYTES)
    try:
        return read_parameters(content.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise OAuthRefused("invalid_request", "the parameters cannot be read") from problem


def read_authorization(parameters: Mapping[str, str], resource: str) -> AuthorizationRequest:
    """What is asked for, checked but for the client. Raises `OAuthRefused`."""
    if parameters.get("response_type") != "code":
        raise OAuthRefused("unsupported_response_type", "response_type: must be code")
    if parameters.get("response_mode", "query") != "query":
        raise OAuthRefused("invalid_request", "response_mode: must be query")
    if parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(
        parameters.get("code_challenge", "")
    ):
        raise OAuthRefused("invalid_request", "code_challenge: this hub wants PKCE with S256")
    if parameters.get("resource", "") not in ("", resource):
        raise OAuthRefused("invalid_target", f"resource: there is only {resource}")
    asked = parameters.get("scope", "").split()
    scopes = tuple(dict.fromkeys(scope for scope in asked if scope in SCOPES))
    if asked and not scopes:
        raise OAuthRefused("invalid_scope", f"scope: there are {', '.join(SCOPES)}")
    return AuthorizationRequest(
        client_id=parameters.get("client_id", ""),
        redirect_uri=parameters.get("redirect_uri", ""),
        challenge=parameters["code_challenge"],
        state=parameters.get("state", ""),
        scopes=scopes,
        resource=resource,
    )


def required(parameters: Mapping[str, str], name: str) -> str:
    """A parameter that must be there. Raises `OAuthRefused`."""
    value = parameters.get(name, "")
    if not value:
        raise OAuthRefused("invalid_request", f"{name}: is missing")
    return value


def verifier_of(parameters: Mapping[str, str]) -> str:
    """The code verifier. Raises `OAuthRefused` for one that cannot be one."""
    verifier = required(parameters, "code_verifier")
    if not _VERIFIER.fullmatch(verifier):
        raise OAuthRefused("invalid_grant", "code_verifier: 43 to 128 letters, digits, and - . _ ~ (RFC 7636)")
    return verifier
