"""Secrets at the terminal: stored without a trace on the command line, used by a link, rotated."""

import stat
import subprocess
import sys

import pytest

from tests.journeys.conftest import POSTGRES, SQLITE, NewStage
from tests.journeys.running import ROOT
from tests.journeys.site import CLIENT_SECRET, Site, venue

KEY = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0="
OTHER_KEY = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0="


def put(site: Site, name: str, value: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`openpos-hub secrets set NAME` with the value from a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", "secrets", "set", name],
        cwd=ROOT,
        env=site.environment | environment,
        input=value + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("database", [SQLITE, POSTGRES])
def test_a_link_works_with_a_stored_secret_and_nothing_of_it_is_in_the_database(
    new_stage: NewStage, database: str
) -> None:
    stage = new_stage(database)
    site = stage.site
    if database == POSTGRES:
        site.environment_more = {"OPENPOS_SECRET_KEY": KEY}
    vendor = stage.vendor()
    stored = put(site, "STORED_SECRET", CLIENT_SECRET)
    assert stored.returncode == 0, stored.stderr
    assert CLIENT_SECRET not in stored.stdout + stored.stderr
    site.apply(venue(vendor.url).replace("env:CLOPOS_SECRET", "env:STORED_SECRET"))
    server = site.serve()
    assert server.menu()
    for table in ("secrets", "link_tokens"):
        rows = site.rows(f"SELECT * FROM {table}")
        assert rows
        assert CLIENT_SECRET not in str(rows)


def test_with_postgresql_nothing_is_stored_without_a_key_and_the_reason_is_told(new_stage: NewStage) -> None:
    site = new_stage(POSTGRES).site
    done = put(site, "A", "one")
    assert done.returncode == 1
    assert "there is no OPENPOS_SECRET_KEY. With PostgreSQL several machines share" in done.stderr
    assert not (site.data / "secret.key").exists()
    assert site.count("secrets") == 0


def test_the_key_in_the_file_is_replaced_by_one_in_the_environment(new_stage: NewStage) -> None:
    site = new_stage().site
    assert put(site, "A", "the-value-of-a").returncode == 0
    made = site.data / "secret.key"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    folder = site.folder / "copy"
    assert site.run("backup", str(folder)).returncode == 0
    assert (folder / "secret.key").read_bytes() == made.read_bytes()
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600

    listed = site.run("secrets", "list", OPENPOS_SECRET_KEY=KEY).stdout
    assert listed.startswith("A  ") and listed.endswith(", not with the newest key\n")
    assert "the-value-of-a" not in listed
    rotated = site.run("secrets", "rotate", OPENPOS_SECRET_KEY=KEY)
    assert rotated.stdout == "1 encrypted anew with the key of OPENPOS_SECRET_KEY\n"
    made.unlink()
    lost = site.run("doctor", OPENPOS_SECRET_KEY=OTHER_KEY)
    assert lost.returncode == 1
    assert "1, the key of OPENPOS_SECRET_KEY, cannot be decrypted: A" in lost.stdout
    assert site.run("secrets", "remove", "A").stdout == "A: removed\n"
