"""A small menu, and orders priced from it."""

from decimal import Decimal

from hub.model.check import Check
from hub.model.menu import Item, Menu, ModifierGroup, ModifierOption, Tax
from hub.model.status import OrderType
from hub.model.venue import Policies
from hub.services.directory import Catalog
from hub.services.pricing import price_check
from hub.services.requests import DiscountRequest, LineRequest, ModifierChoice
from tests.database.stored import counting_ids

SIZE = ModifierGroup(
    id="g_size",
    name="Size",
    min_select=1,
    max_select=1,
    options=(
        ModifierOption(id="o_small", name="Small"),
        ModifierOption(id="o_large", name="Large", price_cents=250, vendor={"id": 7}),
    ),
)
EXTRAS = ModifierGroup(
    id="g_extras",
    name="Extras",
    max_select=3,
    options=(
        ModifierOption(id="o_cheese", name="Cheese", price_cents=100, max_quantity=2),
        ModifierOption(id="o_egg", name="Egg", price_cents=80, max_quantity=0),
        ModifierOption(id="o_truffle", name="Truffle", price_cents=900, available=False),
        ModifierOption(id="o_small", name="Small salad", price_cents=300),
    ),
)
PLOV = Item(id="plov", name="Plov", price_cents=1800, vendor={"id": 42})
PIZZA = Item(id="pizza", name="Pizza", price_cents=1200, modifier_groups=(SIZE, EXTRAS))
TEA = Item(id="tea", name="Tea", price_cents=300, discountable=False)
WINE = Item(id="wine", name="Wine", price_cents=2360, tax=Tax(name="VAT", rate="18", inclusive=True))
ROOM = Item(id="room", name="Room", price_cents=1000, tax=Tax(name="City tax", rate="8.25", inclusive=False))
GONE = Item(id="gone", name="Soup", price_cents=500, retired=True, available=False)
OUT = Item(id="out", name="Lamb", price_cents=900, available=False)

ITEMS = (PLOV, PIZZA, TEA, WINE, ROOM, GONE, OUT)


def catalog(*items: Item, sold_out: frozenset[str] = frozenset()) -> Catalog:
    return Catalog(1, Menu(items=items or ITEMS), sold_out)


def line(item_id: str, quantity: int = 1, *modifiers: ModifierChoice | str) -> LineRequest:
    """`modifiers` are choices, or bare option ids."""
    chosen = tuple(ModifierChoice(option_id=one) if isinstance(one, str) else one for one in modifiers)
    return LineRequest(item_id=item_id, quantity=quantity, modifiers=chosen)


def percent(value: str) -> DiscountRequest:
    return DiscountRequest(type="percent", value=Decimal(value), reason="regular")


def amount(value: int) -> DiscountRequest:
    return DiscountRequest(type="amount", value=Decimal(value))


def priced(
    *lines: LineRequest,
    menu: Catalog | None = None,
    discount: DiscountRequest | None = None,
    policies: Policies | None = None,
    order_type: OrderType = OrderType.PICKUP,
) -> Check:
    return price_check(
        menu or catalog(),
        lines,
        policies=policies or Policies(),
        order_type=order_type,
        discount=discount,
        new_id=counting_ids(),
    )


def totals_of(check: Check) -> dict[str, int]:
    """The totals that are not zero."""
    shown = {
        name: getattr(check.totals, f"{name}_cents") for name in ("subtotal", "discount", "charge", "tax", "total")
    }
    return {name: cents for name, cents in shown.items() if cents}
