"""Finding the line of a field in a TOML file."""

import tomllib
from typing import Any

import pytest

from hub.services.declaration_lines import FieldPath, Place, Source

TEXT = '''\
# [[venues]] in a comment
title = "a # b"

[[venues]]
slug = 'one'  # [venues.link]
note = """
[[venues]]
slug = "no"
"""
[venues.link]
connector.name = "fake"
config = { a = [1,
  { b = 2 } ], "c.d" = 1979-05-27 07:32:00 }

[[venues]]
slug = "two"
hours = [
  # mornings
  { day = "mon", opens = "09:00" },

  { day = "tue", opens = "09:00" },
]
[[venues.menu.items]]
key = "x"
[[venues.menu.items]]
"key" = """y\\""" ""\"""
[venues.menu.items.tax]
rate = "1"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("venues", 0), 4),
        (("venues", 0, "slug"), 5),
        (("venues", 0, "note"), 6),
        (("venues", 0, "link"), 10),
        (("venues", 0, "link", "connector", "name"), 11),
        (("venues", 0, "link", "config", "a", 0), 12),
        (("venues", 0, "link", "config", "a", 1, "b"), 13),
        (("venues", 0, "link", "config", "c.d"), 13),
        (("venues", 1, "slug"), 16),
        (("venues", 1, "hours", 0, "opens"), 19),
        (("venues", 1, "hours", 1), 21),
        (("venues", 1, "menu", "items", 0, "key"), 24),
        (("venues", 1, "menu", "items", 1, "key"), 26),
        (("venues", 1, "menu", "items", 1, "tax", "rate"), 28),
    ],
)
def test_every_way_to_write_a_field_has_its_line(path: FieldPath, line: int) -> None:
    assert Source("x.toml", TEXT).line(path) == line


def test_a_field_that_is_missing_stands_where_its_table_begins() -> None:
    source = Source("x.toml", TEXT)
    assert source.line(("venues", 1, "currency")) == 15
    assert source.line(("keys",)) == 1


def test_a_place_reads_like_a_compiler_s_message() -> None:
    source = Source("venues.toml", TEXT)
    assert str(Place(source).at("venues", 1).at("slug")) == "venues.toml:16: venues[1].slug"
    assert str(Place(source)) == "venues.toml:1: the file"


def test_every_field_of_the_text_is_found() -> None:
    def fields(value: Any, path: FieldPath) -> list[FieldPath]:
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [path, *(found for part, child in inside for found in fields(child, (*path, part)))]

    source = Source("x.toml", TEXT)
    explicit = [path for path in fields(tomllib.loads(TEXT), ()) if path and path != ("venues", 1, "menu")]
    assert [path for path in explicit if path not in source._lines and path[-1] != "connector"] == []
