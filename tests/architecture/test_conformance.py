"""`make conformance` takes too long for every run of the tests; that its files fit together is checked here."""

import json
import re

import pytest

from conformance.fixtures import FIXTURES
from conformance.run import REVISIONS
from hub.api.operations import OPERATIONS
from hub.api.tools import bind
from tests.architecture.source import ROOT

FOLDER = ROOT / "conformance"


@pytest.mark.parametrize("name", ["node", "python-v1", "python-v2"])
def test_what_is_tried_is_locked_with_hashes_and_no_address(name: str) -> None:
    lock = (FOLDER / f"{name}.lock").read_text("utf-8")
    wanted = re.match(r"[a-z-]+", (FOLDER / f"{name}.in").read_text("utf-8"))
    assert wanted is not None
    assert re.search(rf"^{wanted[0]}==", lock, re.MULTILINE)
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert name in (ROOT / "Makefile").read_text("utf-8")


def test_the_npm_packages_are_locked_as_declared_and_without_an_address() -> None:
    declared = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))["packages"]
    assert packages[""]["dependencies"] == declared
    assert {name: packages[f"node_modules/{name}"]["version"] for name in declared} == declared
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_revision_has_its_baseline(revision: str) -> None:
    lines = (FOLDER / f"baseline-{revision}.yml").read_text("utf-8").splitlines()
    names = [line.removeprefix("  - ").strip('"') for line in lines if line.startswith("  - ")]
    assert names
    assert len(names) == len(set(names))
    must_pass = (
        "tools-list",
        "tools-call-simple-text",
        "tools-call-error",
        "dns-rebinding-protection",
        "ping",
        "caching",
    )
    assert not {*must_pass, "server-initialize", "server-stateless"} & set(names)


def test_the_tools_of_the_suite_are_not_those_of_the_product() -> None:
    product = bind(OPERATIONS)
    assert [name for name in bind(FIXTURES) if name in product or not name.startswith("test_")] == []
