"""Numbers that cannot be meant are wrong usage, and the option is named."""

import pytest

from hub.cli import main


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["sandbox", "clopos"]])
@pytest.mark.parametrize("port", ["99999", "65536", "-1", "http"])
def test_a_port_that_cannot_exist_is_wrong_usage(
    command: list[str], port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--port", port])
    assert ended.value.code == 2
    assert f"argument --port: '{port}' is no whole number from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["orders", "find"], ["webhooks", "log", "whk_1"]])
@pytest.mark.parametrize("limit", ["-5", "0", "many"])
def test_a_limit_below_one_is_wrong_usage(command: list[str], limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--limit", limit])
    assert ended.value.code == 2
    assert f"argument --limit: '{limit}' is no whole number from 1 to 1000000" in capsys.readouterr().err
