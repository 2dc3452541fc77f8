"""How the Desibits sandbox shows an order; the page gives the names `items` and `payments`, not what is in them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.desibits.sandbox.answers import iso
from connectors.desibits.sandbox.book import Shop
from connectors.desibits.sandbox.totals import add_up, cents
from hub.contract.sandbox.ledger import LedgerOrder

KOT_SHOWN = ("id", "kot_number", "status", "items", "created_at")


def view_order(order: LedgerOrder, shop: Shop, customer: Mapping[str, Any] | None) -> dict[str, Any]:
    """The complete order."""
    record, totals = order.record, add_up(order.record)
    catalogue = shop.catalogue
    order_type = catalogue.order_types.get(record["order_type_id"], {})
    table = catalogue.tables.get(record["table_id"])
    driver = catalogue.drivers.get(record["delivery_driver_id"])
    view = {
        **view_head(order, shop),
        "order_type_id": record["order_type_id"],
        "order_type": order_type.get("name"),
        "table_id": record["table_id"],
        "table": table and {"id": table["id"], "name": table["name"]},
        "customer_id": record["customer_id"],
        "customer": customer,
        "notes": record["notes"],
        "items": [view_line(line) for line in record["items"]],
        "payments": record["payments"],
        "sub_total": totals.sub_total,
        "discount_type": record["discount_type"],
        "discount_value": record["discount_value"],
        "discount_amount": totals.discount,
        "coupon_code": record["coupon_code"],
        "total": totals.total,
        "amount_paid": totals.paid,
        "payment_status": totals.payment_status,
        "delivery_driver": driver and {name: driver[name] for name in ("id", "name", "phone")},
        "delivery_status": record["delivery_status"],
        "cancel_reason": record["cancel_reason"],
        "created_at": iso(order.received_at),
        "updated_at": iso(order.changed_at),
    }
    if shop.options.kots_in_order:
        view["kots"] = [
            {name: shop.word(kot[name]) if name == "status" else kot[name] for name in KOT_SHOWN}
            for kot in record["kots"]
        ]
    return view


def view_head(order: LedgerOrder, shop: Shop) -> dict[str, Any]:
    """What tells one order from another, and where it stands."""
    return {"id": order.number, "order_number": shop.order_number(order.number), "status": shop.word(order.status)}


def view_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """One item of an order with its amount; what the kitchen has got of it is not shown."""
    shown = {name: value for name, value in line.items() if name != "sent"}
    return {**shown, "amount": cents(Decimal(line["price"]) * line["quantity"])}
