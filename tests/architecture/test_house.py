"""Small rules that keep the house readable."""

import pytest

from tests.architecture.source import ROOT, attributes, code_tokens, names_imported, python_files

LONGEST_FILE = 400
VENDOR_WORDS = (
    "clopos",
    "mozrest",
    "desibits",
    "desktop_kitchen",
    "desktop kitchen",
    "desktop-kitchen",
    "desktopkitchen",
)
READERS_OF_THE_ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"}


def vendor_words(source: str) -> list[str]:
    """`line: word` for every vendor's name in the code."""
    return [f"{line}: {word}" for line, text in code_tokens(source) for word in VENDOR_WORDS if word in text.casefold()]


def reads_environment(source: str) -> bool:
    taken = names_imported(source, "os") & {"environ", "environb", "getenv", "getenvb", "putenv"}
    return bool(taken or attributes(source) & READERS_OF_THE_ENVIRONMENT)


def test_no_file_is_longer_than_400_lines() -> None:
    files = python_files("hub", "connectors", "bench", "tests")
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_the_hub_names_no_vendor() -> None:
    found = {str(path.relative_to(ROOT)): vendor_words(path.read_text("utf-8")) for path in python_files("hub")}
    assert {name: words for name, words in found.items() if words} == {}


def test_no_file_of_the_hub_is_named_after_a_vendor_and_no_template_names_one() -> None:
    others = [path for path in (ROOT / "hub").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert [
        path for path in (ROOT / "hub").rglob("*") if any(word in path.name.casefold() for word in VENDOR_WORDS)
    ] == []
    assert [path for path in others if any(word in path.read_text("utf-8").casefold() for word in VENDOR_WORDS)] == []


def test_only_the_settings_read_the_environment() -> None:
    readers = [p for p in python_files("hub", "connectors") if reads_environment(p.read_text("utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in readers] == ["hub/settings.py"]


def test_every_module_of_the_product_says_in_its_first_line_what_it_is_for() -> None:
    files = [path for path in python_files("hub", "connectors", "bench") if path.read_text("utf-8").strip()]
    assert [str(path.relative_to(ROOT)) for path in files if not path.read_text("utf-8").startswith('"""')] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_file_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text
    assert [line for line in text.splitlines() if line.startswith(("-i ", "--index", "--extra-index", "--find"))] == []


def test_there_is_no_lock_file_that_records_addresses() -> None:
    assert not (ROOT / "uv.lock").exists()


def test_a_vendor_may_be_named_in_comments_and_docstrings_only() -> None:
    assert (
        vendor_words('"""As Clopos says."""\nx = 1  # Mozrest: 45 days\nclass A:\n    b = 1\n    """Desibits."""\n')
        == []
    )
    assert vendor_words('x = "Clopos"') == ["1: clopos"]
    assert vendor_words("\nfrom_mozrest = 1") == ["2: mozrest"]
    assert vendor_words("x = f'the {y} of Desktop Kitchen'") == ["1: desktop kitchen"]


def test_reading_the_environment_is_noticed_in_all_its_forms() -> None:
    assert reads_environment("import os\nos.environ.get('A')")
    assert reads_environment("from os import getenv")
    assert not reads_environment("import os\nos.getpid()")
