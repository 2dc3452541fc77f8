"""The hub with one demo venue per connector that brings a sandbox: what `make run` starts.

A line that begins with `#>` in a connector's `demo.toml` is shown to whoever started it, as something to try.
"""

import asyncio
import errno
import secrets
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from hub.app import Hub
from hub.cli import apply as apply_command
from hub.cli.running import run_in_loop, serve_hub
from hub.cli.sandbox import sandbox_module
from hub.contract.registry import installed_connectors
from hub.errors import ConfigurationError
from hub.services.keys import create_key
from hub.settings import SECRETS_FILE, Settings, read_secrets_file, read_settings

_FIRST_VENUE = "demo-restaurant"  # the quick start of the API's documentation orders there: DT-001
_KEY_NAME = "demo"
_KEY_SETTING = "DEMO_KEY"
_ACCEPT_AFTER_SECONDS = 5.0


@dataclass(frozen=True)
class _Vendor:
    """A connector with its sandbox and demo venue."""

    id: str
    demo: str
    url: str
    port: int
    is_channel: bool
    """It calls the hub, so its sandbox must know where that is."""

    @property
    def tries(self) -> list[str]:
        """What to try with it."""
        return [line.removeprefix("#>").strip() for line in self.demo.splitlines() if line.startswith("#>")]


def run(settings: Settings, *, host: str, port: int) -> int:
    """Starts sandboxes and hub, and prints what to try next."""
    return run_in_loop(lambda: _session(settings, host, port))


async def _session(settings: Settings, host: str, port: int) -> int:
    settings.make_data_folder()
    vendors = _vendors(host, port)
    if not 0 < port <= 65535 - len(vendors):
        raise ConfigurationError(f"--port: the demo needs {port} and the {len(vendors)} ports after it")
    _refuse_taken(host, port)
    settings = replace(
        settings,
        secrets={**_secrets(settings.data, vendors), **settings.secrets},
        public_url=settings.public_url or (f"http://{host}:{port}" if host in ("127.0.0.1", "localhost") else ""),
    )
    with ExitStack() as stack:
        for vendor in vendors:
            stack.enter_context(_sandbox(vendor, host, port, settings.data))
        hub = Hub(settings)
        await hub.prepare()
        for vendor in vendors:
            await _wait_for(host, vendor.port)
            await _declare(hub, vendor)
        key = await _demo_key(hub)
        return await serve_hub(hub, host=host, port=port, when_ready=lambda: _welcome(hub, host, port, key, vendors))


def _vendors(host: str, port: int) -> list[_Vendor]:
    """The installed connectors that bring both a sandbox and a demo venue; each gets a port after the hub's."""
    registry = installed_connectors()
    vendors: list[_Vendor] = []
    for vendor_id in registry:
        package = files(registry.get(vendor_id).connector.__module__.rpartition(".")[0])
        demo = package.joinpath("demo.toml")
        if sandbox_module(registry, vendor_id) is not None and demo.is_file():
            own_port = port + 1 + len(vendors)
            url = f"http://{host}:{own_port}"
            text = demo.read_text("utf-8").replace("{sandbox_url}", url)
            is_channel = registry.get(vendor_id).manifest.role == "channel"
            vendors.append(_Vendor(vendor_id, text, url, own_port, is_channel))
    return vendors


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise ConfigurationError(f"cannot listen on {host}:{port}: {problem.strerror}") from problem
            raise ConfigurationError(
                f"port {port} is taken; stop what listens there or choose another: make run PORT=9000"
            ) from problem


def _secrets(data: Path, vendors: list[_Vendor]) -> dict[str, str]:
    """The data folder's secrets, with the sandboxes' well-known password added, so that every command finds it."""
    path = data / SECRETS_FILE
    known = read_secrets_file(path)
    missing = {name: "sandbox-secret" for name in (_secret_name(vendor) for vendor in vendors) if name not in known}
    if missing:
        _append(path, missing)
    return {**known, **missing}


def _secret_name(vendor: _Vendor) -> str:
    return f"SANDBOX_{vendor.id.upper()}_SECRET"


def _append(path: Path, pairs: dict[str, str]) -> None:
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in pairs.items())


def _sandbox(vendor: _Vendor, host: str, hub_port: int, data: Path) -> "_Child":
    command = [sys.executable, "-m", "hub.cli", "sandbox", vendor.id, "--host", host, "--port", str(vendor.port)]
    command += ["--state", str(data / f"sandbox-{vendor.id}.sqlite")]
    command += ["--accept-after", str(_ACCEPT_AFTER_SECONDS), "--until-stdin-closes"]
    if vendor.is_channel:
        command += ["--hub", f"http://{host}:{hub_port}"]
    return _Child(command)


class _Child:
    """A process that ends with this one."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()


async def _wait_for(host: str, port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise ConfigurationError(f"the sandbox on port {port} did not start (is the port taken?)")


async def _declare(hub: Hub, vendor: _Vendor) -> None:
    path = hub.settings.data / f"demo-{vendor.id}.toml"
    path.write_text(vendor.demo, encoding="utf-8")
    if await apply_command.apply(hub, path, sync=True):
        raise ConfigurationError(f"the demo venue of {vendor.id} could not be set up")


async def _demo_key(hub: Hub) -> str:
    """The demo's key: made on the first run, kept in the data folder so that every run can show it."""
    path = hub.settings.data / SECRETS_FILE
    known = read_secrets_file(path).get(_KEY_SETTING)
    if known is not None:
        return known
    scopes = ("read", "write")
    key = await hub.database.write(
        lambda connection: create_key(
            connection,
            name=_KEY_NAME,
            scopes=scopes,
            venue_id=None,
            secret=secrets.token_urlsafe(24),
            new_id=hub.new_id,
            now_ms=hub.now_ms(),
        )
    )
    _append(path, {_KEY_SETTING: key})
    return key


async def _welcome(hub: Hub, host: str, port: int, key: str, vendors: list[_Vendor]) -> None:
    base = f"http://{host}:{port}"
    slugs = [venue.slug for venue in hub.directory.venues()]
    slug = _FIRST_VENUE if _FIRST_VENUE in slugs else next(iter(slugs), "")
    catalog = await hub.directory.catalog(hub.directory.venue(slug).id) if slug else None
    simple = [item for item in catalog.menu.items if catalog.is_available(item)] if catalog else []
    simple = [item for item in simple if item.price_cents and not any(g.min_select for g in item.modifier_groups)]
    where = "" if hub.settings.data == read_settings({}).data else f"OPENPOS_DATA={hub.settings.data} "
    item_id = simple[0].id if simple else "item_xxx"
    sandboxes = "\n".join(
        "\n     ".join((f"  {vendor.id} sandbox   {vendor.url}   ({vendor.url}/_sandbox/orders)", *vendor.tries))
        for vendor in vendors
    )
    print(
        f"""
OpenPOS hub is ready, with demo venues. Try, in another terminal:

  curl {base}/api/v1/stores
  curl {base}/api/v1/stores/{slug}/menu
  curl -X POST {base}/api/v1/orders -H "Content-Type: application/json" -d '{{
    "storeSlug": "{slug}", "items": [{{ "itemId": "{item_id}", "quantity": 2 }}],
    "orderType": "pickup", "customer": {{ "name": "Alice", "phone": "555-1234" }} }}'
  curl {base}/api/v1/orders/DT-001
  curl -H "Authorization: Bearer {key}" {base}/api/v1/orders/DT-001
  {where}.venv/bin/openpos-hub trace DT-001

  demo key   {key}   (read and write, this demo only)
  agents     {base}/api/mcp   (MCP, with the key)
  data       {hub.settings.data}

Sandboxes, each with what arrived there:
{sandboxes}

Stop with Ctrl-C; the next `make run` finds everything again.
""",
        flush=True,
    )
