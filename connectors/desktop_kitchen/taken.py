"""Which of the lines that were sent the POS took, read from its answer: by item, then by quantity and modifiers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.desktop_kitchen.values import read_count, read_id
from connectors.desktop_kitchen.wire import NewItem


def find_taken(sent: Sequence[NewItem], told: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None] | None:
    """For each line that was sent, the row of the answer that it became, None where there is none.

    None for all where the answer does not say which is missing: it has rows that nobody sent, or of several different
    lines of one item only some, without what tells them apart.
    """
    answered = defaultdict(list)
    for row in told:
        answered[read_id(row.get("menu_item_id"))].append(row)
    taken: dict[int, Mapping[str, Any]] = {}
    for item_id in {str(item["menu_item_id"]) for item in sent}:
        places = [place for place, item in enumerate(sent) if str(item["menu_item_id"]) == item_id]
        rows = answered.pop(item_id, [])
        pairs = _pairs({place: sent[place] for place in places}, rows)
        if pairs is None:
            return None
        taken |= pairs
    return None if answered else [taken.get(place) for place in range(len(sent))]


def _pairs(sent: Mapping[int, NewItem], rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]] | None:
    """Pairs the lines of one item, by their places, with its rows; None where that would be a guess."""
    if len(rows) > len(sent):
        return None
    if len(rows) == len(sent):
        return dict(zip(sent, rows, strict=True))
    pairs: dict[int, Mapping[str, Any]] = {}
    for row in rows:
        fitting = [place for place, item in sent.items() if place not in pairs and _fits(item, row)]
        if not fitting or len({_shape(sent[place]) for place in fitting}) > 1:
            return None
        pairs[fitting[0]] = row
    return pairs


def _fits(item: NewItem, row: Mapping[str, Any]) -> bool:
    quantity, modifiers = read_count(row.get("quantity")), row.get("modifiers")
    if quantity not in (None, item["quantity"]):
        return False
    if not isinstance(modifiers, list):  # a repeated order is answered without them
        return True
    ids = [read_id(one.get("modifier_id", one.get("id"))) for one in modifiers if isinstance(one, Mapping)]
    return sorted(map(str, ids)) == sorted(map(str, item.get("modifiers", [])))


def _shape(item: NewItem) -> tuple[int, tuple[str, ...]]:
    return item["quantity"], tuple(sorted(map(str, item.get("modifiers", []))))
