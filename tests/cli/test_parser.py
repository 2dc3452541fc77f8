"""The command line's parser names what runs each command."""

import argparse
from collections.abc import Iterator
from importlib import import_module

from hub.cli import build_parser


def commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    """`module.function` of every command."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for command in action.choices.values():
            yield from commands(command)
    if not below:
        yield parser.get_default("run")


def test_every_command_exists() -> None:
    named = list(commands(build_parser()))
    assert len(named) > 40
    for name in named:
        module, _, function = name.partition(".")
        assert callable(getattr(import_module(f"hub.cli.{module}"), function)), name
