"""An order's lines as Clopos' JSON: equal lines of different orders are written once."""

import binascii
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from connectors.clopos.translate import CONNECTOR, lost
from hub.errors import UnmappedValue
from hub.model.check import Check, Line, Modifier
from hub.model.decimals import encode_json
from hub.model.order import Loss, Order
from hub.model.status import Status

PlacedCheck = tuple[int, Check]
"""The place of a check in its order, and the check."""


class LineContent(Struct, frozen=True, array_like=True):
    """All of a line that Clopos may get to see; two lines with the same content are the same JSON."""

    vendor: dict[str, Any]
    modifiers: tuple[Modifier, ...]
    quantity: int
    unit_cents: int
    scale: int
    """How many decimals the currency has."""
    full: bool
    """Whether modifiers go out with name and price (v1)."""

    @property
    def product(self) -> dict[str, Any]:
        """The catalogue's product; raises `UnmappedValue` when the item is not from Clopos' menu."""
        product: dict[str, Any] | None = self.vendor.get("product")
        if product is None:
            raise UnmappedValue("an item that is not in the menu synced from Clopos", connector=CONNECTOR)
        return product


class WrittenLine(Struct, frozen=True):
    """A line as JSON; `moved_up` are the places below the line whose modifiers moved up to it."""

    json: Raw
    moved_up: tuple[str, ...]


_MOVED_UP = "Clopos knows one level of modifiers; they moved up to the line"
_CONTENT = msgspec.json.Decoder(LineContent, float_hook=Decimal)


def remembered(
    write: Callable[[LineContent, dict[str, Any], "FlatModifiers"], Mapping[str, Any]],
) -> Callable[[bytes], WrittenLine]:
    """What writes a line, given its content, product and modifiers, as the writer that `line_json` takes."""

    @lru_cache(maxsize=4096)  # a known line takes 0.5 us, a new one 4: half of the lines must be known for it to pay
    def written(content: bytes) -> WrittenLine:
        line = _CONTENT.decode(content)
        product, modifiers = line.product, flatten(line.modifiers)
        return WrittenLine(Raw(encode_json(write(line, product, modifiers))), modifiers.moved_up)

    return written


def sent_checks(order: Order, losses: list[Loss]) -> list[PlacedCheck]:
    """The checks that are not void, each with its place; Clopos knows one bill per order."""
    checks = [(at, check) for at, check in enumerate(order.checks) if check.status is not Status.VOID]
    if len(checks) > 1:
        losses.append(lost("checks", "Clopos orders hold one bill; all checks became one"))
    return checks


def line_path(at: int, index: int) -> str:
    """How a line is named in the fidelity report."""
    return f"checks[{at}].lines[{index}]"


def line_json(
    checks: Sequence[PlacedCheck],
    write: Callable[[bytes], WrittenLine],
    losses: list[Loss],
    *,
    scale: int,
    full: bool = False,
    with_notes: bool = False,
) -> list[Raw]:
    """Every line of these checks as JSON. `write` is given the bytes of a `LineContent`, and remembers what it made of
    them: as they are all it sees, a changed menu is other bytes.

    Raises `UnmappedValue` for an item or modifier that is not from Clopos' menu.
    """
    written_lines = []
    for at, check in checks:
        for index, line in enumerate(check.lines):
            # In the order of LineContent's fields. A guest's note is not among them, so it is never remembered.
            content = encode_json((line.vendor, line.modifiers, line.quantity, line.unit_cents, scale, full))
            try:
                written = write(content)
            except UnmappedValue as problem:
                raise _unmapped(line, line_path(at, index), problem) from problem
            if written.moved_up:
                losses += [lost(f"{line_path(at, index)}.{place}", _MOVED_UP) for place in written.moved_up]
            written_lines.append(_with_note(written.json, line.note) if with_notes and line.note else written.json)
    return written_lines


def _unmapped(line: Line, path: str, problem: UnmappedValue) -> UnmappedValue:
    """The problem with its place in the order; a writer knows only the place below the line, and not its name."""
    if not problem.field:
        message = f"{line.name!r} ({line.item_id}) is not in the menu synced from Clopos"
        return UnmappedValue(message, connector=CONNECTOR, field=path)
    return UnmappedValue(problem.message, connector=CONNECTOR, field=f"{path}.{problem.field}")


def _with_note(line: Raw, note: str) -> Raw:
    return Raw(bytes(line).removesuffix(b"}") + b',"note":' + encode_json(note) + b"}")


class FlatModifiers(Struct, frozen=True):
    """A line's modifiers on the one level Clopos knows."""

    chosen: list[tuple[int, int, Modifier]]
    """Clopos' id, count per unit of the line, and the modifier."""
    moved_up: tuple[str, ...]
    """The places below the line whose modifiers moved up to it."""

    @property
    def counts(self) -> tuple[tuple[int, int], ...]:
        """Clopos' id and count of each."""
        return tuple([(modifier_id, count) for modifier_id, count, _ in self.chosen])


def flatten(modifiers: Sequence[Modifier]) -> FlatModifiers:
    """All modifiers at one level. Raises `UnmappedValue` for one that is not from Clopos' menu, naming its place."""
    chosen: list[tuple[int, int, Modifier]] = []
    moved_up: list[str] = []
    _flatten(modifiers, "", 1, chosen, moved_up)
    return FlatModifiers(chosen, tuple(moved_up))


def _flatten(
    modifiers: Sequence[Modifier],
    above: str,
    times: int,
    chosen: list[tuple[int, int, Modifier]],
    moved_up: list[str],
) -> None:
    for index, modifier in enumerate(modifiers):
        modifier_id = modifier.vendor.get("id")
        if modifier_id is None:
            place = f"{above}modifiers[{index}]"
            message = f"modifier {modifier.name!r} ({modifier.modifier_id}) is not in the menu synced from Clopos"
            raise UnmappedValue(message, connector=CONNECTOR, field=place)
        count = modifier.quantity * times
        chosen.append((modifier_id, count, modifier))
        if modifier.modifiers:
            moved_up.append(f"{above}modifiers[{index}].modifiers")
            _flatten(modifier.modifiers, f"{above}modifiers[{index}].", count, chosen, moved_up)


@lru_cache(maxsize=4096)
def product_hash(product_id: int, modifiers: tuple[tuple[int, int], ...]) -> str:
    """Clopos' key of a product with its modifiers, each given as (Clopos' id, count per unit).

    Undocumented. This rule gives both values the documentation shows: `140` for the bare product 140, and
    `MTExODcsMTEyMDE=` for product 1 with one each of 187 and 201.
    """
    if not modifiers:
        return str(product_id)
    plain = ",".join([f"{product_id}{count}{modifier_id}" for modifier_id, count in modifiers])
    return binascii.b2a_base64(plain.encode(), newline=False).decode()
