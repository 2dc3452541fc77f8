"""Takes secrets out of headers and bodies before anything is kept: by name, and by value."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

HIDDEN = "[hidden]"
MAX_BODY_CHARACTERS = 16_000

ALWAYS_SECRET_HEADERS = ("authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key")
ALWAYS_SECRET_FIELDS = ("password", "client_secret", "access_token", "refresh_token", "api_key", "pin", "token")


class Redactor:
    """Redacts what one link, or one inbound face, sends and receives.

    `values` are the secrets themselves (credentials, tokens): wherever one appears it is replaced.
    """

    def __init__(self, headers: Iterable[str] = (), fields: Iterable[str] = (), values: Sequence[str] = ()) -> None:
        self._headers = {name.lower() for name in (*ALWAYS_SECRET_HEADERS, *headers)}
        names = {name.lower() for name in (*ALWAYS_SECRET_FIELDS, *fields)}
        self._hints = tuple(sorted({f'{name[-5:]}"' for name in names}))
        alternatives = "|".join(map(re.escape, sorted(names)))
        self._field = re.compile(rf'"({alternatives})"\s*:\s*("(?:[^"\\]|\\.)*"?|[-\d.eE+]+)', re.IGNORECASE)
        self._values = tuple(value for value in values if len(value) >= 4)

    def with_value(self, value: str) -> "Redactor":
        """The same, also hiding this value (a token that was just issued)."""
        if len(value) < 4 or value in self._values:
            return self
        copy = object.__new__(Redactor)
        copy.__dict__.update(self.__dict__)
        copy._values = (*self._values[-15:], value)
        return copy

    def headers(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
        """Headers as a JSON object, secret ones hidden."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        shown = {name: HIDDEN if name.lower() in self._headers else self.text(value) for name, value in pairs}
        return msgspec.json.encode(shown).decode()

    def body(self, content: bytes) -> str:
        """A body as text, secrets hidden, cut to `MAX_BODY_CHARACTERS`."""
        text = content[: 4 * MAX_BODY_CHARACTERS].decode("utf-8", "replace")
        lowered = text.lower()
        if any(hint in lowered for hint in self._hints):
            text = self._field.sub(rf'"\1":"{HIDDEN}"', text)
        text = self.text(text)
        if len(text) > MAX_BODY_CHARACTERS:
            return f"{text[:MAX_BODY_CHARACTERS]}… [{len(content)} bytes in all]"
        return text

    def text(self, text: str) -> str:
        """Any text with the known secret values hidden, and without null bytes, which PostgreSQL refuses."""
        if "\x00" in text:
            text = text.replace("\x00", "�")
        for value in self._values:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text
