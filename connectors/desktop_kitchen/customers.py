"""Guests of the restaurant's loyalty programme."""

from collections.abc import Iterable

from connectors.desktop_kitchen.values import read_count, read_id
from connectors.desktop_kitchen.wire import Row
from hub.contract.families import PosCustomer
from hub.model.order import Customer


def customers_from_desktop_kitchen(rows: Iterable[Row]) -> list[PosCustomer]:
    """The guests among the rows. Which fields a row has is not documented; the usual names are read."""
    found = []
    for row in rows:
        customer_id = read_id(row.get("id"))
        if customer_id is None:
            continue
        stamps = read_count(row.get("stamps_earned"))
        customer = Customer(
            name=str(row.get("name") or ""), phone=str(row.get("phone") or ""), email=str(row.get("email") or "")
        )
        detail = "" if stamps is None else f"{stamps} stamps"
        found.append(PosCustomer(id=customer_id, customer=customer, detail=detail))
    return found
