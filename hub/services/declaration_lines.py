"""Where in a TOML file a field stands, so that an error can name its line."""

import re
import tomllib
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import count

FieldPath = tuple[str | int, ...]
"""The way to a field, e.g. `("venues", 1, "currency")`."""

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'|[^,\]}#\n]+''',
    re.DOTALL,
)


class Source:
    """A TOML file that was read: its name and its text."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text

    @cached_property
    def _lines(self) -> dict[FieldPath, int]:
        scanner = _Scanner(self._text)
        scanner.scan()
        return scanner.lines

    def line(self, path: FieldPath) -> int:
        """The line of a field; of the nearest thing around it when the field itself is not there."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


@dataclass(frozen=True)
class Place:
    """A field of a file; as text `venues.toml:14: venues[1].currency`."""

    source: Source
    path: FieldPath = ()

    def at(self, *parts: str | int) -> "Place":
        """A place further inside."""
        return Place(self.source, self.path + parts)

    def __str__(self) -> str:
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return f"{self.source.name}:{self.source.line(self.path)}: {field.removeprefix('.') or 'the file'}"


class _Scanner:
    """Notes the line of every key, header and list entry. Only for text that `tomllib` has read without complaint."""

    def __init__(self, text: str) -> None:
        self.lines: dict[FieldPath, int] = {}
        self._text = text
        self._position = 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._last_index: dict[FieldPath, int] = {}

    def scan(self) -> None:
        table: FieldPath = ()
        while self._next():
            if self._next() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> FieldPath:
        line, brackets = self._line(), 2 if self._text.startswith("[[", self._position) else 1
        self._position += brackets
        *outer, last = self._keys()
        self._position += brackets
        path: FieldPath = ()
        for key in outer:
            path = (*path, key)
            if path in self._last_index:  # the header speaks of the list's latest entry
                path = (*path, self._last_index[path])
        path = (*path, last)
        self.lines.setdefault(path, line)
        if brackets == 2:
            self._last_index[path] = self._last_index.get(path, -1) + 1
            path = (*path, self._last_index[path])
            self.lines[path] = line
        return path

    def _pair(self, path: FieldPath) -> None:
        line = self._line()
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._position += 1
        self._value(path)

    def _value(self, path: FieldPath) -> None:
        opening = self._next()
        if opening == "[":
            self._position += 1
            for index in count():
                if self._next() == "]":
                    break
                self.lines[(*path, index)] = self._line()
                self._value((*path, index))
                self._skip_comma()
            self._position += 1
        elif opening == "{":
            self._position += 1
            while self._next() != "}":
                self._pair(path)
                self._skip_comma()
            self._position += 1
        else:
            self._take(_SCALAR)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._text.startswith(".", self._position):
            self._position += 1
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        raw = self._take(_KEY).strip()
        return raw if raw[0] not in "\"'" else str(tomllib.loads(f"key = {raw}")["key"])

    def _skip_comma(self) -> None:
        if self._next() == ",":
            self._position += 1

    def _next(self) -> str:
        """The next character that means something; empty at the end."""
        self._take(_GAP)
        return self._text[self._position : self._position + 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise AssertionError(f"text that tomllib took, at {self._position}")
        self._position = match.end()
        return match.group()

    def _line(self) -> int:
        return bisect_left(self._line_ends, self._position) + 1
