"""Every connector is announced, complete, and described by files that validate."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub.contract.base import PosConnector
from hub.contract.channel import ChannelConnector
from hub.contract.manifest import Manifest
from hub.contract.registry import GROUP, Registry, installed_connectors
from hub.contract.tables import load_schema, load_tables, validate
from hub.errors import ConfigurationError
from tests.architecture.source import ROOT

FOLDERS = sorted(
    path.name for path in (ROOT / "connectors").iterdir() if path.is_dir() and not path.name.startswith(("_", "."))
)
PARTS = ("README.md", "manifest.toml", "config.schema.json", "client.py", "connector.py")
PARTS_OF_ROLE = {"pos": ("translate.py",), "channel": ("parse.py", "render.py")}


def entry_points() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    points: dict[str, str] = project["entry-points"][GROUP]
    return points


def config_schema(folder: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((ROOT / "connectors" / folder / "config.schema.json").read_text("utf-8"))
    return schema


@pytest.fixture(scope="module")
def registry() -> Registry:
    return installed_connectors()


def test_every_folder_has_an_entry_point_and_every_entry_point_a_folder() -> None:
    assert sorted(entry_points()) == FOLDERS


def test_an_entry_point_names_a_class_in_the_connector_module_of_its_folder() -> None:
    modules = {name: target.partition(":")[0] for name, target in entry_points().items()}
    assert modules == {name: f"connectors.{name}.connector" for name in modules}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_connector_has_the_parts_every_connector_has(folder: str) -> None:
    folder_path = ROOT / "connectors" / folder
    role = tomllib.loads((folder_path / "manifest.toml").read_text("utf-8"))["role"]
    assert [part for part in (*PARTS, *PARTS_OF_ROLE[role]) if not (folder_path / part).is_file()] == []
    assert (folder_path / "sandbox.py").is_file() or (folder_path / "sandbox" / "__init__.py").is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_manifest_validates_and_carries_the_name_of_its_folder(folder: str) -> None:
    document = tomllib.loads((ROOT / "connectors" / folder / "manifest.toml").read_text("utf-8"))
    validate(document, load_schema("manifest"), where=folder)
    assert document["id"] == folder


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_config_schema_is_valid_refuses_unknown_settings_and_marks_secrets(folder: str) -> None:
    schema = config_schema(folder)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    for name, setting in schema["properties"].items():
        looks_secret = any(word in name for word in ("secret", "password", "token", "api_key", "pin"))
        assert setting.get("secret") is (True if looks_secret else setting.get("secret")), name
        assert not (setting.get("secret") and "default" in setting), name


@pytest.mark.parametrize("path", sorted((ROOT / "mappings").glob("*.toml")), ids=lambda path: path.stem)
def test_a_mapping_table_validates_and_names_its_vendor(path: Path) -> None:
    assert load_tables(path.stem).vendor == path.stem
    assert tomllib.loads(path.read_text("utf-8"))["vendor"] == path.stem


@pytest.mark.parametrize(
    "path", sorted((ROOT / "mappings" / "schemas").rglob("*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_schema_is_a_valid_schema(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


def test_the_registry_reads_every_installed_connector(registry: Registry) -> None:
    for connector_id in registry:
        registration = registry.get(connector_id)
        role = registration.manifest.role
        assert registration.manifest.id == connector_id
        assert isinstance(registration.manifest, Manifest)
        assert issubclass(registration.connector, {"pos": PosConnector, "channel": ChannelConnector}[role])


def test_the_routes_of_a_channel_are_told_apart_by_method_and_path(registry: Registry) -> None:
    for connector_id in (name for name in registry if registry.get(name).manifest.role == "channel"):
        routes = registry.get(connector_id).channel.routes
        shapes = [(route.method, re.sub(r"\{\w+\}", "{}", route.path)) for route in routes]
        assert routes
        assert len({*shapes}) == len({route.name for route in routes}) == len(routes)
        assert all(route.path.startswith("/") for route in routes)


def test_an_unknown_connector_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no connector 'till' is installed \(installed: none\)"):
        Registry({}).get("till")


def test_a_mapping_with_an_unknown_stage_is_refused_with_the_field() -> None:
    document = {
        "vendor": "till",
        "source": "a letter",
        "read": "2026-11-21",
        "order_status": {"from_vendor": {"new": {"stage": "cooking"}}},
    }
    with pytest.raises(ConfigurationError, match=r"^mappings/till.toml: order_status.from_vendor.new.stage: "):
        validate(document, load_schema("mapping"), where="mappings/till.toml")
