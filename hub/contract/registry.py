"""Finds the installed connectors by entry point and reads what lies beside their code."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any

import msgspec

from hub.contract.base import PosConnector
from hub.contract.channel import ChannelConnector
from hub.contract.connector import Connector
from hub.contract.manifest import Manifest
from hub.contract.tables import VendorTables, load_schema, load_tables, validate
from hub.errors import ConfigurationError

GROUP = "openpos_hub.connectors"


@dataclass(frozen=True)
class Registration:
    """One installed connector with its data files."""

    connector: type[Connector]
    manifest: Manifest
    config_schema: Mapping[str, Any]
    tables: VendorTables

    @property
    def pos(self) -> type[PosConnector]:
        """The connector's class, which is a POS's. Raises `ConfigurationError` for a channel."""
        if not issubclass(self.connector, PosConnector):
            raise ConfigurationError(f"{self.manifest.name} is a channel, not a POS")
        return self.connector

    @property
    def channel(self) -> type[ChannelConnector]:
        """The connector's class, which is a channel's. Raises `ConfigurationError` for a POS."""
        if not issubclass(self.connector, ChannelConnector):
            raise ConfigurationError(f"{self.manifest.name} is a POS, not a channel")
        return self.connector

    def secret_config_fields(self) -> frozenset[str]:
        """The names of link settings that hold a secret (`"secret": true` in the schema)."""
        properties = self.config_schema.get("properties", {})
        return frozenset(name for name, schema in properties.items() if schema.get("secret"))


class Registry:
    """The connectors of this installation by id."""

    def __init__(self, registrations: Mapping[str, Registration]) -> None:
        self._registrations = dict(registrations)

    def __iter__(self) -> Any:
        return iter(sorted(self._registrations))

    def get(self, connector_id: str) -> Registration:
        """The connector with this id; raises `ConfigurationError` naming those that are installed."""
        try:
            return self._registrations[connector_id]
        except KeyError as missing:
            known = ", ".join(sorted(self._registrations)) or "none"
            raise ConfigurationError(f"no connector {connector_id!r} is installed (installed: {known})") from missing


def installed_connectors() -> Registry:
    """Reads every connector that an installed package announces under the entry point group."""
    return Registry({point.name: _read(point.load()) for point in entry_points(group=GROUP)})


def _read(connector: type[Connector]) -> Registration:
    package = files(connector.__module__.rpartition(".")[0])
    where = f"{package}/manifest.toml"
    try:
        document = tomllib.loads(package.joinpath("manifest.toml").read_text("utf-8"))
        schema = json.loads(package.joinpath("config.schema.json").read_text("utf-8"))
        validate(document, load_schema("manifest"), where=where)
        manifest = msgspec.convert(document, Manifest)
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"{where}: {problem}") from problem
    own = package.joinpath("mapping.toml")  # a connector from elsewhere ships its table itself
    return Registration(
        connector=connector,
        manifest=manifest,
        config_schema=schema,
        tables=load_tables(manifest.id, own if own.is_file() else None),
    )
