"""The page where somebody allows a program to use an API key, and the page that says why not. Nothing is loaded."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from hub.services.oauth.redirects import origin_of

_MEANS = {
    "read": "see stores, menus, orders and customers",
    "write": "place and change orders, and mark items as sold out",
    "orders:read": "see orders",
    "orders:write": "place and change orders",
    "menu:read": "see menus",
    "menu:write": "mark items as sold out",
    "customers:read": "see customers",
}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1.25rem; }
main { max-width: 30rem; margin: 0 auto; }
h1 { font-size: 1.35rem; line-height: 1.25; }
strong, dd { overflow-wrap: anywhere; }
dt { font-weight: 600; margin-top: .75rem; }
dd { margin: 0; }
label { display: block; font-weight: 600; margin: 1.25rem 0 .35rem; }
input, button { font: inherit; padding: .7rem; width: 100%; box-sizing: border-box; border-radius: .4rem; }
input { border: 1px solid #777; }
button { border: 0; margin-top: .75rem; background: #0b57d0; color: #fff; }
button.no { background: transparent; color: inherit; border: 1px solid #777; }
[role=alert] { border-left: .3rem solid #c5221f; padding-left: .75rem; }
small { opacity: .8; }
"""
_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    f"<title>{{title}}</title><style>{_STYLE.replace('{', '{{').replace('}', '}}')}</style></head>\n<body><main>\n"
)


def consent_page(
    *, client_name: str, redirect_uri: str, scopes: tuple[str, ...], fields: Mapping[str, str], problem: str = ""
) -> str:
    """Asks for a key. `fields` are sent back with it; without `scopes` the program asks for all the key may do."""
    wishes = [f"{_MEANS[scope]} ({scope})" for scope in scopes] or ["whatever your API key may do"]
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n' for name, value in fields.items()
    )
    alert = f'<p role="alert">{escape(problem)}</p>\n' if problem else ""
    return (
        _HEAD.format(title="Allow access to OpenPOS hub?")
        + f"<h1>Allow <strong>{escape(client_name)}</strong> to use this hub for you?</h1>\n"
        + f"<dl><dt>The program calls itself</dt><dd>{escape(client_name)}</dd>\n"
        + f"<dt>You will be sent back to</dt><dd><strong>{escape(_place(redirect_uri))}</strong></dd>\n"
        + f"<dt>It asks to</dt>{''.join(f'<dd>{escape(wish)}</dd>' for wish in wishes)}</dl>\n"
        + "<p>Only go on if you started this yourself and know where you are sent back to.</p>\n"
        + alert
        + f'<form method="post" autocomplete="off">\n{hidden}'
        + '<label for="key">Your API key</label>\n'
        + '<input id="key" name="api_key" type="password" autocomplete="off" autocapitalize="none" spellcheck="false" '
        + 'placeholder="sk_…" maxlength="200">\n'
        + "<p><small>The program does not get the key. It may do no more than the key may, and ends with it: "
        + "<code>openpos-hub keys revoke</code>.</small></p>\n"
        + '<button name="decision" value="allow">Allow</button>\n'
        + '<button class="no" name="decision" value="deny">Do not allow</button>\n'
        + "</form></main></body></html>\n"
    )


def refusal_page(reason: str) -> str:
    """Says why nobody is asked anything; leads nowhere."""
    return (
        _HEAD.format(title="This does not work")
        + "<h1>This program cannot be let in like this</h1>\n"
        + f"<p>{escape(reason)}</p>\n<p>Close this page, and connect the program once more.</p></main></body></html>\n"
    )


def page_headers(redirect_uri: str = "") -> dict[str, str]:
    """The headers of a page: it may be framed by nobody, loads nothing, and its form leads here and back."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    form = "form-action 'self'" + (f" {_source(redirect_uri)}" if redirect_uri else "")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; {form}; frame-ancestors 'none'; base-uri 'none'"
    return {
        "Content-Security-Policy": policy,
        # With `no-referrer` browsers would say of the form that it comes from nowhere (`Origin: null`).
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def _place(redirect_uri: str) -> str:
    origin = origin_of(redirect_uri)
    name = origin.partition("://")[2]
    if not name:
        return f"a program on your own device ({origin})"
    loopback = name.startswith(("localhost", "127.0.0.1", "[::1]"))
    return f"a program on your own device ({name})" if loopback else name


def _source(redirect_uri: str) -> str:
    """The address as browsers' rules name it; they know no IPv6 addresses."""
    origin = origin_of(redirect_uri)
    return "http:" if origin.startswith("http://[") else origin
