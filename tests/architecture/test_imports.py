"""Who may import whom."""

from pathlib import Path

import pytest

from tests.architecture.source import ROOT, imported, module_of, python_files

MODEL, ERRORS, CONTRACT, DATABASE = "hub.model", "hub.errors", "hub.contract", "hub.database"
SERVICES, TRACE, PRINTING = "hub.services", "hub.trace", "hub.printing"

# A package may import itself and these. `app` and `cli` put everything together and are not listed.
ALLOWED = {
    MODEL: (),
    ERRORS: (),
    "hub.clock": (),
    "hub.settings": (ERRORS,),
    "hub.single_process": (ERRORS,),
    CONTRACT: (MODEL, ERRORS),
    DATABASE: (MODEL, ERRORS),
    TRACE: (MODEL, ERRORS, CONTRACT, DATABASE),
    PRINTING: (MODEL, ERRORS),
    SERVICES: (MODEL, ERRORS, CONTRACT, DATABASE, PRINTING),
    "hub.api": (MODEL, ERRORS, SERVICES, TRACE, "hub.contract.inbound", "hub.contract.channel"),
    "hub.console": (MODEL, ERRORS, SERVICES),
    "hub.jobs": (MODEL, ERRORS, SERVICES),
}
PUTS_TOGETHER = ("hub.app", "hub.web", "hub.cli")
OURS = ("hub", "connectors", "mappings", "bench", "tests")


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def forbidden(paths: list[Path], allowed: tuple[str, ...]) -> list[str]:
    """`importer -> imported` for every import of ours that is not allowed."""
    return [
        f"{module_of(path)} -> {name}"
        for path in paths
        for name in sorted(imported(path.read_text("utf-8")))
        if (name.startswith(".") or name.partition(".")[0] in OURS)
        and not any(within(name, package) for package in allowed)
    ]


def files_of(package: str) -> list[Path]:
    path = ROOT.joinpath(*package.split("."))
    return [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_the_table_allows(package: str) -> None:
    assert forbidden(files_of(package), (package, *ALLOWED[package])) == []


def test_every_module_of_the_hub_stands_under_a_rule() -> None:
    known = (*ALLOWED, *PUTS_TOGETHER)
    modules = [module_of(path) for path in python_files("hub")]
    assert [name for name in modules if name != "hub" and not any(within(name, package) for package in known)] == []


def test_nothing_imports_the_modules_that_put_everything_together() -> None:
    others = [p for p in python_files("hub", "connectors") if not any(within(module_of(p), m) for m in PUTS_TOGETHER)]
    names = [(module_of(path), name) for path in others for name in imported(path.read_text("utf-8"))]
    assert [pair for pair in names if any(within(pair[1], package) for package in PUTS_TOGETHER)] == []


def test_a_connector_uses_the_model_the_errors_the_contract_and_nothing_of_another_vendor() -> None:
    for folder in sorted(path for path in (ROOT / "connectors").iterdir() if (path / "connector.py").is_file()):
        own = f"connectors.{folder.name}"
        assert forbidden(sorted(folder.rglob("*.py")), (own, MODEL, ERRORS, CONTRACT)) == []


def test_the_product_never_imports_tests_or_benchmarks() -> None:
    names = {
        name for path in python_files("hub", "connectors", "mappings") for name in imported(path.read_text("utf-8"))
    }
    assert [name for name in names if name.partition(".")[0] in ("tests", "bench")] == []


def test_a_from_import_of_a_module_counts_as_that_module() -> None:
    assert imported("from hub.database import engine, upsert as u") == {"hub.database.engine", "hub.database.upsert"}
    assert imported("from hub.database.engine import Database\nimport hub.app") == {"hub.database.engine", "hub.app"}
    assert imported("from . import x") == {"."}
