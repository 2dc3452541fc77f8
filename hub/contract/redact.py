"""Takes secrets out of headers and bodies before anything is kept: by name, and by value."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, quote_plus

import msgspec

HIDDEN = "[hidden]"
MAX_BODY_CHARACTERS = 16_000
_SHORTEST_SECRET = 4
_MOST_LEARNT = 48
_OUR_KEY = re.compile(r"(?:sk_[A-Za-z0-9_-]{16,}|whsec_[A-Za-z0-9+/=_-]{16,})")

ALWAYS_SECRET_HEADERS = ("authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key")
ALWAYS_SECRET_FIELDS = ("password", "client_secret", "access_token", "refresh_token", "api_key", "pin", "token")


class Redactor:
    """Redacts what one link, or one inbound face, sends and receives.

    `values` are the secrets themselves (credentials, tokens): wherever one appears it is replaced.
    """

    def __init__(self, headers: Iterable[str] = (), fields: Iterable[str] = (), values: Sequence[str] = ()) -> None:
        self._headers = {name.lower() for name in (*ALWAYS_SECRET_HEADERS, *headers)}
        names = {name.lower() for name in (*ALWAYS_SECRET_FIELDS, *fields)}
        self._hints = tuple(sorted({f'{name[-5:]}"'.encode() for name in names}))
        alternatives = "|".join(map(re.escape, sorted(names)))
        self._field = re.compile(rf'"({alternatives})"\s*:\s*("(?:[^"\\]|\\.)*"?|[-\d.eE+]+)', re.IGNORECASE)
        self._values = tuple(spelling for value in values for spelling in _spellings(value))
        self._learnt: tuple[str, ...] = ()
        self._hidden = _longest_first(self._values)

    def with_value(self, value: str) -> "Redactor":
        """The same, also hiding this value (a token that was just issued); the newest few are remembered."""
        spellings = _spellings(value)
        if not spellings or spellings[0] in self._learnt:
            return self
        copy = object.__new__(Redactor)
        copy.__dict__.update(self.__dict__)
        copy._learnt = (*self._learnt, *spellings)[-_MOST_LEARNT:]
        copy._hidden = _longest_first((*self._values, *copy._learnt))
        return copy

    def headers(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
        """Headers as a JSON object, secret ones hidden."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        shown = {name: HIDDEN if name.lower() in self._headers else value for name, value in pairs}
        return self.text(msgspec.json.encode(shown).decode())  # secret values are known in JSON's spelling as well

    def body(self, content: bytes) -> str:
        """A body as text, secrets hidden, cut to `MAX_BODY_CHARACTERS`."""
        content, length = content[: 4 * MAX_BODY_CHARACTERS], len(content)
        text = content.decode("utf-8", "replace")
        lowered = (
            content.lower()
        )  # bytes, because looking for something in text beyond Latin-1 takes five times as long
        for hint in self._hints:
            if hint in lowered:
                text = self._field.sub(rf'"\1":"{HIDDEN}"', text)
                break
        text = self._without_values(text)
        if b"sk_" in content or b"whsec_" in content:
            text = _OUR_KEY.sub(HIDDEN, text)
        if len(text) > MAX_BODY_CHARACTERS:
            return f"{text[:MAX_BODY_CHARACTERS]}… [{length} bytes in all]"
        return text

    def text(self, text: str) -> str:
        """Any text with the known secret values hidden, and without null bytes, which PostgreSQL refuses."""
        text = self._without_values(text)
        return _OUR_KEY.sub(HIDDEN, text) if "sk_" in text or "whsec_" in text else text

    def _without_values(self, text: str) -> str:
        if "\x00" in text:
            text = text.replace("\x00", "�")
        for value in self._hidden:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text


def _longest_first(values: Sequence[str]) -> tuple[str, ...]:
    """A secret that begins like another one must go first, or its end would stay."""
    return tuple(sorted(values, key=len, reverse=True))


def _spellings(value: str) -> tuple[str, ...]:
    """A secret as it is, and as it looks inside JSON and inside an address. Too short to be one: nothing."""
    if len(value) < _SHORTEST_SECRET:
        return ()
    plain, ascii_only = json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(value)[1:-1]
    forms = (value, plain, ascii_only, plain.replace("/", "\\/"), ascii_only.replace("/", "\\/"))
    return tuple(dict.fromkeys((*forms, quote(value, safe=""), quote_plus(value))))
