"""SQL stays in `hub/database`, is Core and never the ORM, and reads pages by key."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT, imported, names_imported, python_files, strings

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|DROP TABLE|PRAGMA)\s+\S")
SQL_LIBRARIES = ("sqlalchemy", "psycopg", "sqlite3", "aiosqlite", "asyncpg", "alembic")
OFFSET = re.compile(r"\boffset\b", re.IGNORECASE)
ORM = ("sqlalchemy.orm", "sqlalchemy.ext", "sqlmodel")
# What handles an order on its way must not pay for a validator written in Python.
ORDER_PATH = ("hub/api", "hub/trace", "connectors")
ORDER_PATH_SERVICES = ("orders", "pricing", "attempt", "dispatch", "sync", "pacing", "breaker", "requests")


# The sandboxes play the vendors, and keep what those would keep in a file of their own.
A_VENDOR_S_OWN_STORE = ROOT / "hub" / "contract" / "sandbox" / "ledger.py"


def outside_the_database() -> list[Path]:
    own = ROOT / "hub" / "database"
    files = python_files("hub", "connectors")
    return [path for path in files if not path.is_relative_to(own) and path != A_VENDOR_S_OWN_STORE]


def calls_of(source: str, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def test_outside_the_database_package_only_the_connection_is_known() -> None:
    taken = {
        str(path.relative_to(ROOT)): sorted(
            {name for library in SQL_LIBRARIES for name in names_imported(path.read_text("utf-8"), library)}
            - {"Connection"}
        )
        for path in outside_the_database()
    }
    assert {name: names for name, names in taken.items() if names} == {}


def test_outside_the_database_package_there_is_no_sql() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text[:60]}"
        for path in outside_the_database()
        for line, text in strings(path.read_text("utf-8"))
        if SQL.search(text)
    ]
    assert found == []


def test_no_page_is_read_by_offset() -> None:
    for path in python_files("hub/database"):
        source = path.read_text("utf-8")
        assert list(calls_of(source, "offset")) == [], path
        assert [text for _, text in strings(source) if OFFSET.search(text)] == [], path


def test_nothing_counts_the_orders() -> None:
    for path in python_files("hub/database"):
        source = path.read_text("utf-8")
        assert list(calls_of(source, "count")) == [], path
        assert [text for _, text in strings(source) if "count(" in text.lower()] == [], path


def test_there_is_no_object_relational_mapper() -> None:
    names = {name for path in python_files("hub", "connectors") for name in imported(path.read_text("utf-8"))}
    assert [name for name in names if name.startswith(ORM)] == []


def test_the_slow_json_schema_validator_is_imported_in_one_place() -> None:
    users = [p for p in python_files("hub", "connectors") if "jsonschema" in imported(p.read_text("utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in users] == ["hub/contract/tables.py"]


def test_an_order_on_its_way_is_never_checked_with_the_slow_validator() -> None:
    paths = python_files(*ORDER_PATH) + [ROOT / "hub" / "services" / f"{name}.py" for name in ORDER_PATH_SERVICES]
    users = [p for p in paths if "validate" in names_imported(p.read_text("utf-8"), "hub.contract.tables")]
    assert users == []


def test_sql_in_a_string_is_noticed() -> None:
    assert SQL.search("SELECT 1")
    assert SQL.search("UPDATE orders SET x = 1")
    assert not SQL.search("select a store, then update it")
