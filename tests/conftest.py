"""Options of the test suite."""

import pytest

_LONGEST_FIRST = {"docs": 0, "journeys": 1}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` runs the journeys with more orders, more crashes and more faults."""
    parser.addoption("--long", action="store_true", help="run the long forms of the journeys as well")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark `long` known."""
    config.addinivalue_line("markers", "long: takes minutes; runs with --long only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long forms out unless they are asked for. What takes longest begins first, lest others wait for it."""
    items.sort(key=lambda item: _LONGEST_FIRST.get(item.path.parent.name, len(_LONGEST_FIRST)))
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
