"""A hub with a public address, a program that registers itself, and a person with a browser."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.journeys.running import new_client
from tests.journeys.site import KEY, Server, Site
from tests.journeys.test_limits import KIOSK, OTHER
from tests.ports import free_port

BACK = "http://127.0.0.1:33418/callback"
VERIFIER = "a-verifier-that-is-long-enough-0123456789-abc"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def challenge_of(verifier: str) -> str:
    """PKCE, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class PublicHub:
    """A hub that offers OAuth."""

    def __init__(self, site: Site) -> None:
        self.site = site
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.resource = f"{self.url}/api/mcp"
        site.environment_more |= {"OPENPOS_PUBLIC_URL": self.url, "OPENPOS_TRUSTED_PROXIES": "127.0.0.1"}
        site.apply(KIOSK, OTHER)
        self.server: Server = site.begin_to_serve(port=port)
        self.server.wait_until_ready()
        self.client = self.server.client
        self._people: list[Person] = []
        self._places = count(1)

    def register(self, *redirects: str, name: str = "Test Agent") -> str:
        """Registers a program; gives its id."""
        body = {"client_name": name, "redirect_uris": list(redirects or (BACK,))}
        answer = self.client.post("/oauth/register", json=body, headers=self.from_elsewhere())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["client_id"])

    def asking(self, client_id: str, /, **changed: str) -> str:
        """The address where a program sends a person; a parameter given as empty is left out."""
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": BACK,
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "state": "a state & more",
            "resource": self.resource,
        } | changed
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value})

    def from_elsewhere(self) -> dict[str, str]:
        """The header of a caller at a new address, for registering and allowing are limited by address."""
        number = next(self._places)
        return {"X-Forwarded-For": f"198.18.{number // 250}.{number % 250}"}

    def person(self) -> "Person":
        """Somebody with a new browser."""
        person = Person(self.url, self.from_elsewhere())
        self._people.append(person)
        return person

    def close(self) -> None:
        """Closes the browsers."""
        for person in self._people:
            person.http.close()

    def code(self, client_id: str, key: str = KEY, /, **changed: str) -> str:
        """A code, as a person gives it who allows what is asked for."""
        return self.person().allow(self.asking(client_id, **changed), key)["code"]

    def redeem(self, client_id: str, code: str, /, **changed: str) -> httpx.Response:
        """Asks for tokens."""
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            "resource": self.resource,
        } | changed
        return self.client.post("/oauth/token", data={name: value for name, value in form.items() if value})

    def refresh(self, client_id: str, token: str, /, **more: str) -> httpx.Response:
        """Asks for newer tokens."""
        form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}
        return self.client.post("/oauth/token", data=form | more)

    def tokens(self, client_id: str, key: str = KEY, /, **changed: str) -> dict[str, Any]:
        """Tokens, as a program gets them."""
        answer = self.redeem(client_id, self.code(client_id, key, **changed))
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json()
        return given

    def use(self, token: str, name: str = "get_stores", arguments: Mapping[str, Any] | None = None) -> httpx.Response:
        """Calls a tool with a token."""
        body = {"method": "tools/call", "params": {"name": name, "arguments": arguments or {}}}
        return self.client.post("/api/mcp", json=body, headers={"Authorization": f"Bearer {token}"})


class Person:
    """A browser: keeps cookies, sends forms as they stand, and follows no redirect."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.http = new_client(url)
        self.http.headers.update(headers)
        self._origin = url

    def open(self, address: str) -> httpx.Response:
        """Looks at a page."""
        return self.http.get(address)

    def fields(self, page: httpx.Response) -> dict[str, str]:
        """What a page's form sends back by itself."""
        return {html.unescape(name): html.unescape(value) for name, value in _HIDDEN.findall(page.text)}

    def decide(self, fields: Mapping[str, str], **typed: str) -> httpx.Response:
        """Sends the form."""
        headers = {"Origin": self._origin, "Sec-Fetch-Site": "same-origin"}
        return self.http.post("/oauth/authorize", data={**fields, **typed}, headers=headers)

    def allow(self, address: str, key: str) -> dict[str, str]:
        """Allows it; gives what the program is told."""
        page = self.open(address)
        assert page.status_code == 200, page.text
        answer = self.decide(self.fields(page), api_key=key, decision="allow")
        assert answer.status_code == 303, answer.text
        return told(answer)


def told(answer: httpx.Response) -> dict[str, str]:
    """What a redirect tells a program."""
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query, keep_blank_values=True))
