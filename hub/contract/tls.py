"""Whose certificates are believed on outgoing calls."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Believes the authorities of the file or folder in SSL_CERT_FILE or SSL_CERT_DIR; without them the usual ones.

    Those are the system's and certifi's: a small container often has none of its own. To read them takes 20 ms, so one
    context serves all calls.
    """
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context
