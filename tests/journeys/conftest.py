"""Fixtures of the journeys: installations on both databases, sandboxes, and one PostgreSQL server for all tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.journeys.site import Site
from tests.journeys.vendor import Vendor
from tests.postgres import Server, postgres_server

SQLITE, POSTGRES = "sqlite", "postgres"


class Stage:
    """Where one journey (or the journeys of one file) takes place: an installation and its sandboxes."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.folder = folder
        self.site = Site(folder / "hub", database_url)
        self._vendors: list[Vendor] = []

    @property
    def on_postgres(self) -> bool:
        """Whether the hub keeps its data in PostgreSQL."""
        return self.site.database_url is not None

    def vendor(self, *, ignore_keys: bool = False, start: bool = True) -> Vendor:
        """A sandbox whose clock is that of the hub."""
        options = {"idempotency": False} if ignore_keys else {}
        vendor = Vendor(self.folder / f"vendor-{len(self._vendors)}", self.site.clock, options=options)
        self.add(vendor)
        if start:
            vendor.start()
        return vendor

    def add(self, vendor: Vendor) -> None:
        """A sandbox that ends with this stage."""
        self._vendors.append(vendor)

    def close(self) -> None:
        """Ends every process."""
        self.site.close()
        for vendor in self._vendors:
            vendor.close()


class NewStage(Protocol):
    """Makes a stage on one kind of database."""

    def __call__(self, database: str = SQLITE) -> Stage: ...


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL server. The journeys kill hubs, not the database, so it need not flush."""
    with postgres_server(fsync=False) as server:
        yield server


def _stages(folder: Callable[[], Path], server: Callable[[], Server]) -> Iterator[NewStage]:
    stages: list[Stage] = []

    def new(database: str = SQLITE) -> Stage:
        url = server().create_database() if database == POSTGRES else None
        stage = Stage(folder(), url)
        stages.append(stage)
        return stage

    yield new
    for stage in stages:
        stage.close()


@pytest.fixture
def new_stage(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[NewStage]:
    """Stages for one test."""
    yield from _stages(lambda: tmp_path_factory.mktemp("journey"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture(scope="module")
def new_shared_stage(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[NewStage]:
    """Stages for all tests of a file."""
    yield from _stages(lambda: tmp_path_factory.mktemp("journeys"), lambda: request.getfixturevalue("postgres"))
