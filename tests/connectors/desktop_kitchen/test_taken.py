"""Which lines of an order the POS took is told by its answer, or not guessed."""

from typing import Any

import pytest

from connectors.desktop_kitchen.taken import find_taken
from connectors.desktop_kitchen.wire import NewItem


def sent(item_id: int, quantity: int = 1, *modifiers: int) -> NewItem:
    item: NewItem = {"menu_item_id": item_id, "quantity": quantity}
    if modifiers:
        item["modifiers"] = list(modifiers)
    return item


def row(item_id: int, quantity: int | None = 1, *modifiers: int, name: str = "") -> dict[str, Any]:
    told = {"menu_item_id": item_id, "item_name": name}
    more: dict[str, Any] = {} if quantity is None else {"quantity": str(quantity)}
    return told | more | {"modifiers": [{"id": one} for one in modifiers]}


def places(lines: list[NewItem], rows: list[dict[str, Any]]) -> list[int | None] | None:
    """For each line the place of its row."""
    taken = find_taken(lines, rows)
    return None if taken is None else [None if one is None else rows.index(dict(one)) for one in taken]


@pytest.mark.parametrize(
    ("lines", "rows", "taken"),
    [
        ([sent(1), sent(2), sent(3)], [row(1), row(3)], [0, None, 1]),
        ([sent(1), sent(2)], [row(2)], [None, 0]),
        ([sent(1), sent(2), sent(3)], [row(3), row(1)], [1, None, 0]),  # in another order
        ([sent(1, 2), sent(1, 3), sent(2)], [row(1, 3), row(2)], [None, 0, 1]),
        ([sent(1, 1, 7), sent(1, 1, 8)], [row(1, 1, 8)], [None, 0]),
        ([sent(1), sent(1), sent(2)], [row(1), row(2)], [0, None, 1]),  # the same twice: either is missing
        ([sent(1, 1, 7, 7), sent(1, 1, 7)], [row(1, 1, 7)], [None, 0]),
    ],
)
def test_the_missing_line_is_found(lines: list[NewItem], rows: list[dict[str, Any]], taken: list[int | None]) -> None:
    assert places(lines, rows) == taken


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ([sent(1), sent(2)], [row(9)]),  # nobody sent that
        ([sent(1), sent(2)], [row(1), row(1), row(2)]),  # more than were sent
        ([sent(1, 2), sent(1, 3)], [row(1, 5)]),  # neither
        ([sent(1, 2), sent(1, 3)], [row(1, None)]),  # either
    ],
)
def test_what_the_answer_does_not_say_is_not_guessed(lines: list[NewItem], rows: list[dict[str, Any]]) -> None:
    assert places(lines, rows) is None


def test_lines_that_differ_in_modifiers_alone_are_not_told_apart_by_an_answer_without_them() -> None:
    told = {"menu_item_id": 1, "quantity": 1}
    assert find_taken([sent(1, 1, 7), sent(1, 1, 8)], [told]) is None
    assert find_taken([sent(1, 1, 7), sent(2)], [told]) == [told, None]
