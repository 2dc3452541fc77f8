"""The one list of operations, assembled from one file per resource."""

from hub.api.operation import Operation
from hub.api.operations import cancelling, items, orders, orders_archive, stores

OPERATIONS: tuple[Operation, ...] = (
    *stores.OPERATIONS,
    *items.OPERATIONS,
    *orders.OPERATIONS,
    *cancelling.OPERATIONS,
    *orders_archive.OPERATIONS,
)
