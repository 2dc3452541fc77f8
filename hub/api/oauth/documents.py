"""The two documents by which programs find out how to be let in (RFC 9728 and RFC 8414), and the addresses in them."""

from typing import Any

from hub.services.keys import SCOPES

AUTHORIZE, TOKEN, REVOKE, REGISTER = "/oauth/authorize", "/oauth/token", "/oauth/revoke", "/oauth/register"
_RESOURCE = "/.well-known/oauth-protected-resource"
SERVER_PATHS = (
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",  # where programs look that know OpenID better
)
ASKED_SCOPES = ("read", "write")
"""What programs ask for that know nothing better; a key gives no more than it has."""


def resource_paths(mcp_path: str) -> tuple[str, str]:
    """Where the resource's document is: with the path of the resource, and at the root for those who do not add it."""
    return _RESOURCE + mcp_path, _RESOURCE


def resource_document(issuer: str, resource: str) -> dict[str, Any]:
    """What is protected, and by whom."""
    return {
        "resource": resource,
        "resource_name": "OpenPOS hub",
        "authorization_servers": [issuer],
        "scopes_supported": list(ASKED_SCOPES),
        "bearer_methods_supported": ["header"],
    }


def server_document(issuer: str) -> dict[str, Any]:
    """How to get a token."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "revocation_endpoint": issuer + REVOKE,
        "registration_endpoint": issuer + REGISTER,
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }


def challenge(issuer: str, mcp_path: str) -> str:
    """What follows `Bearer` for a caller without a token (RFC 9728, 5.1)."""
    return f'realm="openpos", resource_metadata="{issuer}{_RESOURCE}{mcp_path}", scope="{" ".join(ASKED_SCOPES)}"'
