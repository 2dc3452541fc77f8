"""The one list of operations, assembled from one file per resource."""

from hub.api.operation import Operation
from hub.api.operations import orders, orders_archive, stores

OPERATIONS: tuple[Operation, ...] = (*stores.OPERATIONS, *orders.OPERATIONS, *orders_archive.OPERATIONS)
