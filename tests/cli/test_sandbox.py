"""`openpos-hub sandbox` says in one line why it does not start."""

import socket

import pytest

from hub.cli import main


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["sandbox", "clopos", "--port", str(port)]) == 1
    told = capsys.readouterr().err
    assert f"openpos-hub: cannot listen on 127.0.0.1:{port}: " in told
    assert "answers on" not in told


def test_a_vendor_without_a_sandbox_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "nobody"]) == 1
    assert "nobody" in capsys.readouterr().err
