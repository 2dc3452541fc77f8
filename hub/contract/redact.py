"""Takes secrets out of headers and bodies before anything is kept: by name, and by value."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import quote, quote_plus

import msgspec

HIDDEN = "[hidden]"
MAX_BODY_CHARACTERS = 16_000
_MOST_BYTES = 4 * MAX_BODY_CHARACTERS
_SHORTEST_SECRET = 4
_MOST_LEARNT = 48
_OUR_KEYS_BEGIN = ("sk_", "whsec_")
_OUR_KEY = re.compile(r"(?:sk_[A-Za-z0-9_-]{16,}|whsec_[A-Za-z0-9+/=_-]{16,})")

# A body is first looked through in short: with these letters only, a fifth of it. Where no name of a secret is in
# there, none is in the body, and looking for each of ten names in the whole of it took 15 us in place of 6 (3 KB).
_TELLING = b"ehknops_"
_SMALL = bytes(range(256)).lower()
_UNTELLING = bytes(letter for letter in range(256) if _SMALL[letter] not in _TELLING)

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
        self._signs = _shortest({_telling(name.encode()) for name in (*names, *_OUR_KEYS_BEGIN)})
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
        content, length = content[:_MOST_BYTES], len(content)
        return self._shown(content, content.decode("utf-8", "replace"), length, self._may_hold_secrets(content))

    def bodies(self, request: bytes, response: bytes, response_text: str | None = None) -> tuple[str, str]:
        """Both bodies of a call, looked through in one go. `response_text` is the second one as text, if known."""
        sent, got = request[:_MOST_BYTES], response[:_MOST_BYTES]
        suspicious = self._may_hold_secrets(sent + got)
        if response_text is None or len(response) > _MOST_BYTES:
            response_text = got.decode("utf-8", "replace")
        return (
            self._shown(sent, sent.decode("utf-8", "replace"), len(request), suspicious),
            self._shown(got, response_text, len(response), suspicious),
        )

    def text(self, text: str) -> str:
        """Any text with the known secret values hidden, and without null bytes, which PostgreSQL refuses."""
        if "\x00" in text:
            text = text.replace("\x00", "�")
        return _without_our_keys(self._without_values(text))

    def _may_hold_secrets(self, content: bytes) -> bool:
        """Whether a name of a secret, or the beginning of a key of ours, can be in it."""
        letters = _telling(content)
        for sign in self._signs:  # noqa: SIM110 - `any` takes 0.4 us more, twice per request
            if sign in letters:
                return True
        return False

    def _shown(self, content: bytes, text: str, length: int, suspicious: bool) -> str:
        if suspicious:
            text = self._without_fields(content, text)
        if b"\x00" in content:
            text = text.replace("\x00", "�")
        text = self._without_values(text)
        if suspicious:
            text = _without_our_keys(text)
        if len(text) > MAX_BODY_CHARACTERS:
            return f"{text[:MAX_BODY_CHARACTERS]}… [{length} bytes in all]"
        return text

    def _without_fields(self, content: bytes, text: str) -> str:
        lowered = content.lower()  # bytes: looking for something in text beyond Latin-1 takes five times as long
        return self._field.sub(rf'"\1":"{HIDDEN}"', text) if any(hint in lowered for hint in self._hints) else text

    def _without_values(self, text: str) -> str:
        for value in self._hidden:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text


def _telling(content: bytes) -> bytes:
    """The telling letters of a text, in their order."""
    return content.translate(_SMALL, _UNTELLING)


def _shortest(signs: Collection[bytes]) -> tuple[bytes, ...]:
    """The signs that hold no other one: where none of these is, there is none at all."""
    return tuple(sorted(sign for sign in signs if not any(other in sign for other in signs if other != sign)))


def _without_our_keys(text: str) -> str:
    return _OUR_KEY.sub(HIDDEN, text) if "sk_" in text or "whsec_" in text else text


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
