"""`openpos-hub secrets …`: stores what `env:NAME` refers to, encrypted."""

import argparse
import getpass
import sys
from datetime import UTC, datetime

from hub.app import Hub
from hub.cli.commands import with_hub
from hub.database.secrets import load_secrets
from hub.services import secrets


def set_secret(options: argparse.Namespace) -> int:
    """`secrets set`: asks for the value, or reads it from a pipe; arguments can be seen by others on the machine."""
    value = getpass.getpass(f"{options.name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")

    async def run(hub: Hub) -> int:
        await hub.prepare()
        await hub.database.write(
            lambda connection: secrets.set_secret(connection, hub.vault, options.name, value, hub.now_ms())
        )
        print(f"{options.name}: stored, encrypted with {hub.vault.description}")
        if options.name in hub.settings.secrets:
            print(f"{options.name}: the environment has it as well, and what stands there is used", file=sys.stderr)
        return 0

    return with_hub(run, prepared=False)


def list_secrets(_options: argparse.Namespace) -> int:
    """`secrets list`: the names, never the values."""

    async def run(hub: Hub) -> int:
        for secret in await hub.database.read(load_secrets):
            at = datetime.fromtimestamp(secret.updated_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
            newly = hub.vault.is_sealed_newly(secret.sealed, place=secrets.place_of(secret.name))
            shadow = ", not used: the environment has it" if secret.name in hub.settings.secrets else ""
            print(f"{secret.name:32} set {at}{'' if newly else ', not with the newest key'}{shadow}")
        return 0

    return with_hub(run)


def remove_secret(options: argparse.Namespace) -> int:
    """`secrets remove`"""

    async def run(hub: Hub) -> int:
        await hub.database.write(lambda connection: secrets.remove_secret(connection, options.name))
        print(f"{options.name}: removed")
        return 0

    return with_hub(run)


def rotate(_options: argparse.Namespace) -> int:
    """`secrets rotate`"""

    async def run(hub: Hub) -> int:
        changed = await hub.database.write(lambda connection: secrets.rotate(connection, hub.vault))
        print(f"{changed} encrypted anew with {hub.vault.description}")
        return 0

    return with_hub(run)
