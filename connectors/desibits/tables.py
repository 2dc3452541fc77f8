"""The restaurant's tables as Desibits tells them."""

from collections.abc import Mapping
from typing import Any

from connectors.desibits.fields import decimal, mapping, text, word_key
from connectors.desibits.settings import CONNECTOR
from hub.contract.tables import VendorTables
from hub.errors import VendorMalformed
from hub.model.table import Table, TableStatus


def table_from_desibits(row: Mapping[str, Any], tables: VendorTables) -> Table:
    """One table; a status nobody knows stays with its raw word. Raises `VendorMalformed` when there is no id in it."""
    table_id = text(row, "id")
    if not table_id:
        raise VendorMalformed("a table without an id", connector=CONNECTOR)
    word = text(row, "status", "available_status")
    known = tables.from_vendor("table_status", word_key(word)) or {}
    seats = decimal(row, "seats", "capacity", "seating_capacity")
    area = row.get("area")
    return Table(
        id=table_id,
        name=text(row, "name", "table_code", "table_number", "code") or table_id,
        seats=None if seats is None else int(seats),
        area=text(row, "area", "area_name") or text(mapping(area), "name", "area_name"),
        status=TableStatus(known.get("table_status", "unknown")),
        raw_status=word,
    )
