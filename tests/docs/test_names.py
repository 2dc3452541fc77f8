"""The documentation names everything there is, and nothing of the machine it was written on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.api.operations import OPERATIONS
from hub.api.tools import bind
from hub.cli import build_parser
from hub.contract.registry import installed_connectors
from hub.model.causes import CAUSES
from hub.model.status import Injection, PaymentStatus, Stage
from tests.docs.blocks import DOCUMENTS, ROOT

README = (ROOT / "README.md").read_text("utf-8")
ORDERING = (ROOT / "docs" / "ordering.md").read_text("utf-8")
DELIVERY = (ROOT / "docs" / "delivery.md").read_text("utf-8")
OF_THIS_MACHINE = re.compile(
    r"(?<![\w.])(?:/(?:work|root|home|tmp)/|\.\./shared)|--(?:extra-)?index-url|pypi\.", re.IGNORECASE
)


def hub_source(*folders: str) -> str:
    return "".join(path.read_text("utf-8") for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


def test_the_readme_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    def commands(*words: str) -> list[str]:
        with pytest.raises(SystemExit):
            build_parser().parse_args([*words, "--help"])
        shown = re.findall(r"^    ([a-z]+)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
        return [" ".join((*words, name)) for name in shown]

    simple = commands()
    assert "serve" in simple
    deeper = [*commands("keys"), *commands("link"), *commands("orders")]
    assert [name for name in (*simple, *deeper) if f"`openpos-hub {name}" not in README] == []


def test_readme_and_configuration_name_every_setting() -> None:
    settings = set(re.findall(r"OPENPOS_[A-Z_]*[A-Z]", (ROOT / "hub" / "settings.py").read_text("utf-8")))
    assert {"OPENPOS_DATA", "OPENPOS_DATABASE_URL"} <= settings
    configuration = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for text in (README, configuration):
        assert [name for name in sorted(settings) if f"| `{name}` |" not in text] == []


def test_the_readme_names_every_connector_and_links_every_guide() -> None:
    for connector_id in installed_connectors():
        assert f"(connectors/{connector_id}/README.md)" in README
    assert [path.name for path in DOCUMENTS[1:] if f"(docs/{path.name})" not in README] == []


def test_the_readme_names_every_tool_of_agents() -> None:
    assert [name for name in bind(OPERATIONS) if f"`{name}`" not in README] == []


def test_ordering_names_every_error_code() -> None:
    codes = set(re.findall(r'(?:code|default_code) ?= ?"([A-Z_]+)"', hub_source("hub/api", "hub/services")))
    codes |= set(re.findall(r'default_code = "([A-Z_]+)"', (ROOT / "hub" / "errors.py").read_text("utf-8")))
    assert {"ITEM_UNKNOWN", "KEY_REUSED"} <= codes
    assert [code for code in sorted(codes) if f"`{code}`" not in ORDERING] == []


def test_delivery_names_every_state_and_cause() -> None:
    assert [state for state in Injection if f"`{state}`" not in DELIVERY] == []
    assert [cause for cause in CAUSES if f"`{cause}`" not in DELIVERY] == []


def test_ordering_names_every_stage_and_payment_status() -> None:
    assert [word for word in (*Stage, *PaymentStatus) if f"`{word}`" not in ORDERING] == []


def test_the_generated_blocks_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run `make docs`:\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_leads_to_a_file_and_a_heading(path: Path) -> None:
    for name, heading in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", path.read_text("utf-8")):
        target = path.parent / name if name else path
        assert target.exists(), name
        assert not heading or heading in anchors(target), f"{name}#{heading}"


def anchors(path: Path) -> list[str]:
    """The headings of a document as links name them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings]


def test_no_file_names_a_path_of_this_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a working copy of git")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    found = []
    for name in listed.stdout.decode().splitlines():
        path = ROOT / name
        if path == Path(__file__) or not path.is_file():
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if OF_THIS_MACHINE.search(line):
                found.append(f"{name}:{number}: {line.strip()[:80]}")
    assert found == []
