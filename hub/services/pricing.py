"""Prices an order from the venue's menu: modifiers, discount, service charge, tax. Exact, in minor units.

The order of operations: lines with their modifiers, then the discount (shared out to the discountable lines), then
the service charge on what remains, then tax per line on its net. Each step rounds half up.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import structs

from hub.errors import InvalidRequest
from hub.model.check import Charge, Check, Discount, Line, LineTax, Modifier, Totals
from hub.model.menu import Item, ModifierGroup, ModifierOption, Tax
from hub.model.money import MOST_CENTS, allocate, percent_of, round_half_up
from hub.model.status import OrderType
from hub.model.venue import Policies
from hub.services.directory import Catalog
from hub.services.requests import DiscountRequest, LineRequest, ModifierChoice

_MOST_PORTIONS = 500  # of one menu; with many modifiers each, that is some megabytes at the very most


def price_check(
    catalog: Catalog,
    lines: Sequence[LineRequest],
    *,
    policies: Policies,
    order_type: OrderType,
    discount: DiscountRequest | None,
    new_id: Callable[[str], str],
) -> Check:
    """The check for these lines. Raises `InvalidRequest` naming the field (`items[0].modifiers`)."""
    priced = price_lines(catalog, lines)
    check = Check(id=new_id("chk"), totals=Totals())
    return bill(catalog, check, priced, policies=policies, order_type=order_type, discount=discount)


def price_lines(catalog: Catalog, lines: Sequence[LineRequest], *, already: int = 0) -> list[Line]:
    """The lines as the menu prices them, before discount and tax; `already` lines stand on the check before them.

    Raises `InvalidRequest` naming the field (`items[0].modifiers`).
    """
    priced = []
    total = 0
    for index, line in enumerate(lines):
        # What a menu sells is ordered again and again: a portion that is known takes 0.1 us, another one 0.7.
        portion = catalog.portions.get((line.item_id, line.modifiers)) or _portion(catalog, line, index)
        place, gross_cents = already + index + 1, portion.gross_cents * line.quantity
        total += gross_cents
        if not -MOST_CENTS <= total <= MOST_CENTS:
            raise _too_large(f"items[{index}]")
        priced.append(
            structs.replace(portion, uid=f"li_{place}", quantity=line.quantity, gross_cents=gross_cents, note=line.note)
        )
    return priced


def bill(
    catalog: Catalog,
    check: Check,
    lines: Sequence[Line],
    *,
    policies: Policies,
    order_type: OrderType,
    discount: DiscountRequest | None,
) -> Check:
    """The check with these lines in place of its own: discount, charges, tax and totals worked out anew.

    Raises `InvalidRequest` for a discount that is too large, and for a total below zero or beyond what the hub
    keeps.
    """
    try:
        applied = None if discount is None else _discount(discount, lines, catalog)
        if applied is not None:
            lines = _share_out(lines, applied.cents, catalog)
        shares = [charge for charge in check.charges if charge.type == "share"]
        charges = (*_service_charges(lines, policies, order_type), *shares)
        taxed = _taxed(catalog, lines, policies.tax)
        totals = _totals(taxed, charges)
    except OverflowError as problem:
        raise _too_large("items") from problem
    if totals.total_cents > MOST_CENTS:
        raise _too_large("items")
    if totals.total_cents < 0:
        raise InvalidRequest(
            f"items: the order comes to {totals.total_cents}, which is less than nothing",
            field="items",
            code="TOTAL_NEGATIVE",
        )
    discounts = () if applied is None else (applied,)
    return structs.replace(check, lines=tuple(taxed), discounts=discounts, charges=charges, totals=totals)


def _too_large(field: str) -> InvalidRequest:
    return InvalidRequest(
        f"{field}: the order comes to more than {MOST_CENTS}, the most there can be",
        field=field,
        code="TOTAL_TOO_LARGE",
    )


def _is_discountable(catalog: Catalog, line: Line) -> bool:
    """Lines of items that are no longer known, or that the POS added, may be discounted."""
    item = catalog.items.get(line.item_id)
    return item is None or item.discountable


def _portion(catalog: Catalog, request: LineRequest, asked_at: int) -> Line:
    """One of the item with its modifiers, wherever it is to stand in the order; the catalog will remember it."""
    item = catalog.orderable.get(request.item_id)
    if item is None:
        raise _not_orderable(catalog, request.item_id, f"items[{asked_at}].itemId")
    modifiers = _modifiers(item, request.modifiers, asked_at)
    portion = Line(
        uid="",
        item_id=item.id,
        name=item.name,
        quantity=1,
        unit_cents=item.price_cents,
        gross_cents=item.price_cents + sum([chosen.unit_cents * chosen.quantity for chosen in modifiers]),
        modifiers=modifiers,
        vendor=item.vendor,
    )
    if len(catalog.portions) >= _MOST_PORTIONS:
        catalog.portions.clear()
    catalog.portions[(request.item_id, request.modifiers)] = portion
    return portion


def _not_orderable(catalog: Catalog, item_id: str, field: str) -> InvalidRequest:
    item = catalog.items.get(item_id)
    if item is None or item.retired:
        return InvalidRequest(f"{field}: {item_id!r} is not on the menu", field=field, code="ITEM_UNKNOWN")
    return InvalidRequest(f"{field}: {item.name!r} is sold out", field=field, code="ITEM_SOLD_OUT")


def _modifiers(item: Item, choices: Sequence[ModifierChoice], asked_at: int) -> tuple[Modifier, ...]:
    chosen: list[Modifier] = []
    for index, choice in enumerate(choices):
        group, option = _option(item, choice, asked_at, index)
        quantity = taken = choice.quantity
        for earlier in chosen:
            if earlier.modifier_id == option.id and earlier.group_id == group.id:
                taken += earlier.quantity
        if option.max_quantity and taken > option.max_quantity:
            field = f"items[{asked_at}].modifiers[{index}]"
            raise InvalidRequest(
                f"{field}: {option.name!r} may be chosen at most {option.max_quantity} times",
                field=field,
                code="MODIFIER_LIMIT",
            )
        chosen.append(
            Modifier(
                modifier_id=option.id,
                group_id=group.id,
                name=option.name,
                group=group.name,
                quantity=quantity,
                unit_cents=option.price_cents,
                vendor=option.vendor,
            )
        )
    for group in item.modifier_groups:
        count = 0
        for modifier in chosen:
            if modifier.group_id == group.id:
                count += modifier.quantity
        if count < group.min_select or (group.max_select and count > group.max_select):
            raise _wrong_count(item, group, count, f"items[{asked_at}].modifiers")
    return tuple(chosen)


def _option(item: Item, choice: ModifierChoice, asked_at: int, index: int) -> tuple[ModifierGroup, ModifierOption]:
    for group in item.modifier_groups:
        if choice.group_id and group.id != choice.group_id:
            continue
        for option in group.options:
            if option.id != choice.option_id:
                continue
            if not option.available:
                field = f"items[{asked_at}].modifiers[{index}]"
                raise InvalidRequest(f"{field}: {option.name!r} is sold out", field=field, code="MODIFIER_SOLD_OUT")
            return group, option
    field = f"items[{asked_at}].modifiers[{index}]"
    raise InvalidRequest(
        f"{field}: {choice.option_id!r} is not a modifier of {item.name!r}", field=field, code="MODIFIER_UNKNOWN"
    )


def _wrong_count(item: Item, group: ModifierGroup, count: int, field: str) -> InvalidRequest:
    if count < group.min_select:
        need = "one" if group.min_select == 1 else f"at least {group.min_select}"
        return InvalidRequest(
            f"{field}: {item.name!r} needs {need} of {group.name!r}, {count or 'none'} chosen",
            field=field,
            code="MODIFIER_REQUIRED",
        )
    return InvalidRequest(
        f"{field}: {item.name!r} takes at most {group.max_select} of {group.name!r}, {count} chosen",
        field=field,
        code="MODIFIER_LIMIT",
    )


def _discount(request: DiscountRequest, lines: Sequence[Line], catalog: Catalog) -> Discount:
    base = sum(line.gross_cents for line in lines if _is_discountable(catalog, line))
    if request.type == "percent":
        cents = percent_of(base, request.value)
    else:
        cents = int(request.value)
        if cents > base:
            raise InvalidRequest(
                f"discount.value: {cents} is more than the {base} it can be taken from",
                field="discount.value",
                code="DISCOUNT_TOO_LARGE",
            )
    value = f"{request.value.normalize():f}"
    return Discount(type=request.type, value=value, cents=cents, reason=request.reason)


def _share_out(lines: Sequence[Line], cents: int, catalog: Catalog) -> list[Line]:
    weights = [line.gross_cents if _is_discountable(catalog, line) else 0 for line in lines]
    return [
        structs.replace(line, discount_cents=part) if part else line
        for line, part in zip(lines, allocate(cents, weights), strict=True)
    ]


def _service_charges(lines: Sequence[Line], policies: Policies, order_type: OrderType) -> tuple[Charge, ...]:
    if order_type not in policies.service_charge_order_types:
        return ()
    percent = Decimal(policies.service_charge_percent)
    if not percent:
        return ()
    base = sum(line.gross_cents - line.discount_cents for line in lines)
    return (Charge(type="service", cents=percent_of(base, percent), percent=policies.service_charge_percent),)


def _taxed(catalog: Catalog, lines: Sequence[Line], default: Tax | None) -> list[Line]:
    items = catalog.items
    taxed = []
    for line in lines:
        item = items.get(line.item_id)
        rule = default if item is None else item.tax or default
        taxed.append(line if rule is None and line.tax is None else structs.replace(line, tax=_tax(line, rule)))
    return taxed


def _tax(line: Line, rule: Tax | None) -> LineTax | None:
    if rule is None:
        return None
    rate, net = Decimal(rule.rate), line.gross_cents - line.discount_cents
    cents = round_half_up(net * rate / (100 + rate)) if rule.inclusive else percent_of(net, rate)
    return LineTax(name=rule.name, rate=rule.rate, type="inclusive" if rule.inclusive else "exclusive", cents=cents)


def _totals(lines: Sequence[Line], charges: Sequence[Charge]) -> Totals:
    subtotal = discount = added_tax = included_tax = 0
    for line in lines:
        subtotal += line.gross_cents
        discount += line.discount_cents
        if line.tax is None:
            continue
        if line.tax.type == "exclusive":
            added_tax += line.tax.cents
        else:
            included_tax += line.tax.cents
    charge = sum([entry.cents for entry in charges])
    return Totals(
        subtotal_cents=subtotal,
        discount_cents=discount,
        charge_cents=charge,
        tax_cents=added_tax + included_tax,
        total_cents=subtotal - discount + charge + added_tax,
    )
