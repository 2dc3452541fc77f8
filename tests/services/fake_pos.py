"""A small POS connector for tests of what stands around connectors; its `mood` says how the vendor behaves."""

from collections.abc import Sequence
from typing import Any

from hub.contract.base import PosConnector, VendorCode
from hub.contract.connector import ProbeStep
from hub.contract.manifest import Manifest
from hub.contract.registry import Registration, Registry
from hub.contract.tables import VendorTables
from hub.contract.writes import OrderWrite, Replay, WriteResult, write
from hub.errors import VendorAuthFailed, VendorUnreachable
from hub.model.menu import Category, Item, Menu
from hub.model.order import PosOrder, VendorRef

CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["branch", "password"],
    "additionalProperties": False,
    "properties": {
        "branch": {"type": "integer", "minimum": 1},
        "password": {"type": "string", "minLength": 8, "secret": True},
        "mood": {"enum": ["well", "away", "refusing"], "default": "well"},
        "margin": {"type": "number"},
    },
    "not": {"required": ["margin"], "properties": {"margin": {"const": 13}}},
}


class FakePos(PosConnector):
    """Has one code and one item."""

    async def probe(self) -> Sequence[ProbeStep]:
        return []

    @write(Replay.ONCE)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        return WriteResult()

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        raise self.unsupported("fetch_order")

    async def fetch_codes(self) -> Sequence[VendorCode]:
        if self.context.config["mood"] == "away":
            raise VendorUnreachable("fake: nobody answers at 127.0.0.1:9")
        if self.context.config["mood"] == "refusing":
            raise VendorAuthFailed("fake: wrong password")
        return [VendorCode(table="sale_type", id="2", name="Delivery")]

    async def fetch_menu(self) -> Menu:
        return Menu(
            categories=(Category(id="cat_pos", name="From the POS"),),
            items=(Item(id="item_pos", name="Soup", price_cents=500, category_id="cat_pos"),),
        )


class PlainPos(PosConnector):
    """Takes orders and can do nothing else."""

    async def probe(self) -> Sequence[ProbeStep]:
        return []

    @write(Replay.ONCE)
    async def submit_order(self, request: OrderWrite) -> WriteResult:
        return WriteResult()

    async def fetch_order(self, ref: VendorRef) -> PosOrder:
        raise self.unsupported("fetch_order")


def fake_registry() -> Registry:
    """The connectors `fake` and `plain`."""
    return Registry({"fake": _registration("fake", FakePos), "plain": _registration("plain", PlainPos)})


def _registration(name: str, connector: type[PosConnector]) -> Registration:
    manifest = Manifest(id=name, name=name, role="pos", docs="https://example.com", secret_headers=())
    return Registration(
        connector=connector, manifest=manifest, config_schema=CONFIG_SCHEMA, tables=VendorTables(name, {})
    )
