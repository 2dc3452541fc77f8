"""`openpos-hub webhooks …`, in a data folder with one venue and one key."""

from pathlib import Path

import pytest

from hub.cli import main

DECLARATION = """
[[venues]]
slug = "demo"
name = "Demo"
order_prefix = "DT"
currency = "AZN"
timezone = "Asia/Baku"

[[venues]]
slug = "other"
name = "Other"
order_prefix = "OT"
currency = "AZN"
timezone = "Asia/Baku"

[[keys]]
name = "partner"
scopes = ["read", "write"]
secret = "env:PARTNER_KEY"
venue = "demo"
"""
URL = "https://partner.example.com/hook"


@pytest.fixture(autouse=True)
def hub_of_two_venues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENPOS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("OPENPOS_DATABASE_URL", raising=False)
    monkeypatch.setenv("PARTNER_KEY", "sk_partner-key-0123456789abcdef")
    (tmp_path / "hub.toml").write_text(DECLARATION)
    assert main(["apply", str(tmp_path / "hub.toml"), "--no-sync"]) == 0
    capsys.readouterr()


def test_a_webhook_is_made_shown_switched_rotated_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> str:
        assert main(["webhooks", *words]) == 0
        return capsys.readouterr().out

    hook, secret, words = run("create", URL, "--key", "partner", "--event", "order.created").splitlines()
    assert secret.startswith("whsec_")
    assert words == "Copy it now: it is shown only once."
    assert run("list") == f"{hook}  {URL}\n  key partner, demo, order.created: on\n"
    assert run("disable", hook) == f"{hook}: off\n"
    assert run("list").endswith("order.created: off\n")
    assert run("enable", hook) == f"{hook}: on\n"
    assert run("log", hook) == ""
    assert run("replay", hook, "--from", "2026-01-01T00:00:00Z", "--dry-run") == "0 events would be sent\n"
    rotated = run("rotate", hook)
    assert rotated.startswith("whsec_") and secret not in rotated
    assert "The old one signs as well until " in rotated
    assert run("delete", hook) == f"{hook}: deleted\n"
    assert run("list") == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["create", URL, "--key", "nobody"], "there is no working key 'nobody'"),
        (["create", URL, "--key", "partner", "--venue", "other"], "this API key is bound to another location"),
        (["create", "http://partner.example.com/", "--key", "partner"], "url: must begin with https://"),
        (["create", "https://10.0.0.1/", "--key", "partner"], "url: is not on the public internet"),
        (["log", "hook_unknown"], "there is no such webhook"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["webhooks", *words]) == 1
    assert complaint in capsys.readouterr().err
