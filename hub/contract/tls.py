"""Whose certificates are believed on outgoing calls."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Believes the authorities that come with httpx and those of the system, or of SSL_CERT_FILE and SSL_CERT_DIR.

    A small container often has none of its own. To read them takes 20 ms, so one context serves all calls.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
