"""The one list of operations, assembled from one file per resource."""

from hub.api.operation import Operation
from hub.api.operations import (
    checks,
    customers,
    drift,
    fidelity,
    items,
    order_changes,
    orders,
    orders_archive,
    payments,
    pos_books,
    pos_floor,
    pos_guests,
    reconciliation,
    reservations,
    stores,
    tables,
    waitlist,
)

OPERATIONS: tuple[Operation, ...] = (
    *stores.OPERATIONS,
    *items.OPERATIONS,
    *orders.OPERATIONS,
    *orders_archive.OPERATIONS,
    *order_changes.OPERATIONS,
    *payments.OPERATIONS,
    *checks.OPERATIONS,
    *fidelity.OPERATIONS,
    *drift.OPERATIONS,
    *reconciliation.OPERATIONS,
    *pos_floor.OPERATIONS,
    *pos_guests.OPERATIONS,
    *pos_books.OPERATIONS,
    *tables.OPERATIONS,
    *customers.OPERATIONS,
    *reservations.OPERATIONS,
    *waitlist.OPERATIONS,
)
