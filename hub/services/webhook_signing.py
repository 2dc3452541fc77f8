"""Secrets and signatures of webhooks, as the Standard Webhooks specification describes them."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"
SECRET_BYTES = 32  # Standard Webhooks: between 24 and 64


def new_secret(random_bytes: bytes) -> str:
    """A secret as its owner sees it."""
    return _PREFIX + base64.b64encode(random_bytes).decode()


def signed_headers(event_id: str, at_seconds: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a message: with one signature for each secret that is valid now."""
    content = f"{event_id}.{at_seconds}.".encode() + body
    signatures = (hmac.digest(_raw(secret), content, hashlib.sha256) for secret in secrets)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def _raw(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX))
