"""Look-up tables of one vendor, read from `mappings/<vendor>.toml` and checked against their JSON Schema."""

import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import jsonschema

from hub.errors import ConfigurationError, UnmappedValue


class VendorTables:
    """What is true of a vendor everywhere. A venue's own codes live with its link, not here."""

    def __init__(self, vendor: str, document: Mapping[str, Any]) -> None:
        self.vendor = vendor
        self._document = document

    def from_vendor(self, table: str, value: str) -> Mapping[str, Any] | None:
        """Our values for a vendor's word (compared without case), or None when the table has no such row."""
        rows: Mapping[str, Any] = self._document[table]["from_vendor"]
        row: Mapping[str, Any] | None = rows.get(value.lower())
        return row

    def to_vendor(self, table: str, value: str) -> Any:
        """The vendor's word for one of our values; raises `UnmappedValue` when there is none."""
        try:
            return self._document[table]["to_vendor"][value]
        except KeyError as missing:
            raise UnmappedValue(
                f"mappings/{self.vendor}.toml has no row {value!r} in [{table}.to_vendor]", connector=self.vendor
            ) from missing


def load_tables(vendor: str, source: Traversable | None = None) -> VendorTables:
    """Reads a vendor's mapping file (from `mappings/` unless another is given) and validates it."""
    source = source or files("mappings").joinpath(f"{vendor}.toml")
    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise ConfigurationError(f"{source}: {problem}") from problem
    validate(document, load_schema("mapping"), where=f"mappings/{vendor}.toml")
    return VendorTables(vendor, document)


def load_schema(name: str) -> Mapping[str, Any]:
    """A JSON Schema from `mappings/schemas/`."""
    schema: Mapping[str, Any] = json.loads(files("mappings").joinpath("schemas", f"{name}.json").read_text("utf-8"))
    return schema


def validate(document: Any, schema: Mapping[str, Any], *, where: str) -> None:
    """Checks a document of ours; raises `ConfigurationError` naming the file and the field."""
    validator = jsonschema.Draft202012Validator(schema)
    for problem in sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path))):
        field = ".".join(str(part) for part in problem.absolute_path)
        raise ConfigurationError(f"{where}: {field or 'the document'}: {problem.message}", field=field)
