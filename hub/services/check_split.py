"""Splitting and joining checks: pure functions. Whatever is taken from one check is on another, to the cent.

A part is worked out from its lines, with its share of the discount and of the charges; what stays is the whole less
the part. So the sum of the checks is the same before and after, field by field, whatever rounding did.
"""

from collections.abc import Mapping, Sequence

from msgspec import structs

from hub.errors import InvalidRequest
from hub.model.check import Charge, Check, Discount, Line, Totals
from hub.model.ids import NewId
from hub.model.money import allocate

_MOST_SHARES = 50

Taken = Mapping[str, int | None]
"""How many of which line, by its `uid`; None for all of it."""


def split_lines(check: Check, parts: Sequence[Taken], new_id: NewId) -> list[Check]:
    """The check and one more per part; a part says how many of which line (by `uid`; None: all) go there.

    Raises `InvalidRequest` naming the field.
    """
    checks = [check]
    for index, part in enumerate(parts):
        rest, taken = _take(checks[0], part, new_id("chk"), f"parts[{index}]")
        checks = [rest, *checks[1:], taken]
    _refuse_overpaid(checks[0])
    return checks


def split_evenly(check: Check, count: int, new_id: NewId) -> list[Check]:
    """The check and `count` - 1 more that each take an equal share of what is due; lines and taxes stay where they are.

    Raises `InvalidRequest` when there is nothing to share.
    """
    if not 2 <= count <= _MOST_SHARES:
        raise InvalidRequest(f"ways: 2 to {_MOST_SHARES}", field="ways")
    shares = allocate(check.due_cents, [1] * count)
    if not shares[-1]:
        raise InvalidRequest(f"ways: {check.due_cents} cannot be shared by {count}", field="ways")
    others = [_share(new_id("chk"), cents) for cents in shares[1:]]
    given = Totals(charge_cents=-sum(shares[1:]), total_cents=-sum(shares[1:]))
    charges = _joined_charges((*check.charges, Charge(type="share", cents=given.charge_cents)))
    rest = structs.replace(check, charges=charges, totals=Totals.sum_of((check.totals, given)))
    return [rest, *others]


def move_lines(source: Check, target: Check, moved: Taken, new_id: NewId) -> tuple[Check, Check]:
    """Both checks after some lines went from one to the other.

    Raises `InvalidRequest` naming the field.
    """
    rest, taken = _take(source, moved, new_id("chk"), "items")
    _refuse_overpaid(rest)
    joined = structs.replace(
        target,
        lines=(*target.lines, *taken.lines),
        discounts=_joined_discounts(target, taken),
        charges=_joined_charges((*target.charges, *taken.charges)),
        totals=Totals.sum_of((target.totals, taken.totals)),
    )
    return rest, joined


def _share(check_id: str, cents: int) -> Check:
    totals = Totals(charge_cents=cents, total_cents=cents)
    return Check(id=check_id, charges=(Charge(type="share", cents=cents),), totals=totals)


def _take(check: Check, wanted: Taken, new_check_id: str, field: str) -> tuple[Check, Check]:
    """What stays of a check, and a new one with the wanted lines."""
    known = {line.uid: line for line in check.lines}
    if not wanted:
        raise InvalidRequest(f"{field}: name at least one line", field=field)
    for uid, quantity in wanted.items():
        if uid not in known:
            raise InvalidRequest(f"{field}: the check has no line {uid!r}", field=field, code="LINE_UNKNOWN")
        if quantity is not None and not 1 <= quantity <= known[uid].quantity:
            raise InvalidRequest(f"{field}: line {uid!r} has {known[uid].quantity}, not {quantity}", field=field)
    stay: list[Line] = []
    go: list[Line] = []
    for line in check.lines:
        quantity = wanted.get(line.uid, 0)
        if quantity in (None, line.quantity):
            go.append(line)
        elif quantity:
            kept, taken = _split_line(line, quantity, f"{line.uid}.{new_check_id[-6:]}")
            stay.append(kept)
            go.append(taken)
        else:
            stay.append(line)
    return _divided(check, stay, go, new_check_id)


def _split_line(line: Line, quantity: int, uid: str) -> tuple[Line, Line]:
    """A line in two: what stays, and `quantity` of it under another uid."""
    weights = [line.quantity - quantity, quantity]
    gross = allocate(line.gross_cents, weights)
    discount = allocate(line.discount_cents, gross if sum(gross) else weights)
    nets = [gross[0] - discount[0], gross[1] - discount[1]]
    tax = [0, 0] if line.tax is None else allocate(line.tax.cents, nets if sum(nets) else weights)
    kept, taken = (
        structs.replace(
            line,
            uid=name,
            quantity=weights[index],
            gross_cents=gross[index],
            discount_cents=discount[index],
            tax=None if line.tax is None else structs.replace(line.tax, cents=tax[index]),
        )
        for index, name in enumerate((line.uid, uid))
    )
    return kept, taken


def _divided(check: Check, stay: Sequence[Line], go: Sequence[Line], new_check_id: str) -> tuple[Check, Check]:
    nets = [sum(line.gross_cents - line.discount_cents for line in lines) for lines in (stay, go)]
    reduced = [sum(line.discount_cents for line in lines) for lines in (stay, go)]
    charges = [_divided_charge(charge, nets) for charge in check.charges]
    discounts = [_divided_discount(discount, reduced) for discount in check.discounts]
    taken_charges = tuple(pair[1] for pair in charges if pair[1].cents)
    totals = _totals(go, taken_charges)
    rest = structs.replace(
        check,
        lines=tuple(stay),
        charges=tuple(pair[0] for pair in charges),
        discounts=tuple(pair[0] for pair in discounts if pair[0].cents),
        totals=_less(check.totals, totals),
    )
    taken = Check(
        id=new_check_id,
        lines=tuple(go),
        charges=taken_charges,
        discounts=tuple(pair[1] for pair in discounts if pair[1].cents),
        totals=totals,
    )
    return rest, taken


def _divided_charge(charge: Charge, weights: Sequence[int]) -> tuple[Charge, Charge]:
    """A charge by what the lines on either side come to; it stays where they come to nothing."""
    parts = allocate(charge.cents, weights) if sum(weights) else [charge.cents, 0]
    return structs.replace(charge, cents=parts[0]), structs.replace(charge, cents=parts[1])


def _divided_discount(discount: Discount, weights: Sequence[int]) -> tuple[Discount, Discount]:
    parts = allocate(discount.cents, weights) if sum(weights) else [discount.cents, 0]
    kept, taken = (
        structs.replace(discount, cents=cents, value=discount.value if discount.type == "percent" else str(cents))
        for cents in parts
    )
    return kept, taken


def _totals(lines: Sequence[Line], charges: Sequence[Charge]) -> Totals:
    subtotal = sum(line.gross_cents for line in lines)
    discount = sum(line.discount_cents for line in lines)
    charge = sum(entry.cents for entry in charges)
    taxes = [line.tax for line in lines if line.tax is not None]
    added = sum(tax.cents for tax in taxes if tax.type == "exclusive")
    return Totals(
        subtotal_cents=subtotal,
        discount_cents=discount,
        charge_cents=charge,
        tax_cents=sum(tax.cents for tax in taxes),
        total_cents=subtotal - discount + charge + added,
    )


def _less(whole: Totals, part: Totals) -> Totals:
    return Totals(**{name: getattr(whole, name) - getattr(part, name) for name in Totals.__struct_fields__})


def _joined_charges(charges: Sequence[Charge]) -> tuple[Charge, ...]:
    """Charges of one kind as one; those that come to nothing are left out."""
    joined: dict[tuple[str, str], Charge] = {}
    for charge in charges:
        own = joined.get((charge.type, charge.percent))
        cents = charge.cents + (own.cents if own is not None else 0)
        joined[charge.type, charge.percent] = structs.replace(own or charge, cents=cents)
    return tuple(charge for charge in joined.values() if charge.cents)


def _joined_discounts(target: Check, taken: Check) -> tuple[Discount, ...]:
    """One discount: the percentage that both had, or the amount they come to together."""
    discounts = (*target.discounts, *taken.discounts)
    percents = {discount.value for discount in discounts if discount.type == "percent"}
    cents = sum(discount.cents for discount in discounts)
    if not cents or not target.lines:
        return discounts
    on_both = len(target.discounts) == len(taken.discounts) == 1 and len(percents) == 1
    if on_both and all(discount.type == "percent" for discount in discounts):
        return (structs.replace(discounts[0], cents=cents),)
    reason = "; ".join(dict.fromkeys(discount.reason for discount in discounts if discount.reason))
    return (Discount(type="amount", value=str(cents), cents=cents, reason=reason),)


def _refuse_overpaid(check: Check) -> None:
    if check.paid_cents > check.totals.total_cents:
        raise InvalidRequest(
            f"items: {check.paid_cents} are paid on this check, and {check.totals.total_cents} would be left on it",
            field="items",
            code="CHECK_PAID",
        )
