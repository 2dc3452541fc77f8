"""Sales of the current day, week or month, as the POS counts them."""

from collections.abc import Iterable
from typing import Any

from connectors.desktop_kitchen.values import read_count
from connectors.desktop_kitchen.wire import Row
from hub.contract.amounts import read_cents
from hub.contract.families import ItemSales, SalesReport

PERIODS = frozenset({"daily", "weekly", "monthly"})

# No answer of the item report is documented; these are the names such a row may be expected to use.
_NAMES = ("item_name", "name")
_COUNTS = ("total_quantity", "quantity_sold", "quantity", "total_sold", "count")
_REVENUES = ("total_revenue", "revenue", "total")


def sales_from_desktop_kitchen(row: Row, period: str, currency: str) -> SalesReport:
    """The sums of the period. The POS's revenue counts paid orders only and is without tax, which stands beside it."""
    return SalesReport(
        period=period,
        orders=read_count(row.get("order_count")),
        revenue_cents=read_cents(row.get("total_revenue"), currency),
        tip_cents=read_cents(row.get("tip_total"), currency),
        tax_cents=read_cents(row.get("tax_total"), currency),
    )


def item_sales_from_desktop_kitchen(rows: Iterable[Row], currency: str) -> list[ItemSales]:
    """What was sold how often; rows without a name or a count are left out."""
    found = []
    for row in rows:
        name, quantity = _first(row, _NAMES), read_count(_first(row, _COUNTS))
        if name is not None and quantity is not None:
            revenue = read_cents(_first(row, _REVENUES), currency)
            found.append(ItemSales(name=str(name), quantity=quantity, revenue_cents=revenue))
    return found


def _first(row: Row, names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)
