"""Starts the hub, runs the conformance suite and each client against it, and says what passed."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from conformance.key_adder import key_adder
from conformance.plan import OTHER_STORE, STORE, PlannedCall, Planner, planner

HERE = Path(__file__).parent
TOOLS = HERE / ".tools"
MODULES = HERE / "node_modules"
NODE = str(TOOLS / "node" / "bin" / "node")
REVISIONS = ("2025-11-25", "2026-07-28")
_START_SECONDS = 90.0
_CLIENT_SECONDS = 300.0
_INTERNAL = ("Server error", "takes longer than")


class Failed(Exception):
    """A part did not pass; the message says why."""


def main(wanted: Sequence[str]) -> int:
    """Runs all parts, or those whose name begins with one of `wanted`; 1 when one did not pass."""
    failed = []
    with (
        tempfile.TemporaryDirectory(prefix="openpos-conformance-") as folder,
        _demo(Path(folder) / "demo") as (url, key),
        planner(url, key) as plans,
    ):
        parts = {**_suites(Path(folder)), **_clients(f"{url}/api/mcp", key, plans, Path(folder))}
        for name, run in parts.items():
            if wanted and not name.startswith(tuple(wanted)):
                continue
            started = time.monotonic()
            try:
                words = run()
            except Failed as problem:
                failed.append(name)
                words = f"FAILED: {problem}"
            print(f"{name:34} {words}  ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{len(failed)} of them failed: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0


def _suites(folder: Path) -> dict[str, Callable[[], str]]:
    """The protocol's own suite, once for each revision."""

    def run(revision: str) -> str:
        with _hub_with_fixtures(folder / f"suite-{revision}") as (port, key):
            return asyncio.run(_suite(revision, port, key, folder / f"out-{revision}"))

    return {f"suite {revision}": partial(run, revision) for revision in REVISIONS}


async def _suite(revision: str, port: int, key: str, out: Path) -> str:
    async with key_adder(port, key) as open_port:
        command = [NODE, str(MODULES / ".bin" / "conformance"), "server"]
        command += ["--url", f"http://127.0.0.1:{open_port}/api/mcp", "--requirements", revision, "-o", str(out)]
        command += ["--expected-failures", str(HERE / f"baseline-{revision}.yml")]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=HERE, env=_environment()
        )
        output, _ = await process.communicate()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise Failed("\n" + text[text.rfind("=== SUMMARY") :] + _reasons(out))
    total = re.search(r"Total: .*", text)
    return f"{total[0] if total else 'passed'}, the failures as the baseline says"


def _reasons(out: Path) -> str:
    """What failed, and why, by scenario."""
    lines = []
    for file in sorted(out.glob("*/checks.json")):
        for check in json.loads(file.read_text("utf-8")):
            if check["status"] not in ("SUCCESS", "INFO", "SKIPPED"):
                lines.append(f"{file.parent.name[7:50]} {check['id']}: {check.get('errorMessage', '')[:200]}")
    return "\n".join(lines)


def _clients(url: str, key: str, plans: Planner, folder: Path) -> dict[str, Callable[[], str]]:
    python_v1, python_v2 = str(TOOLS / "python-v1/bin/python"), str(TOOLS / "python-v2/bin/python")
    clients, typescript = HERE / "clients", str(HERE / "clients" / "typescript.mjs")
    bridge = [NODE, str(MODULES / "mcp-remote" / "dist" / "proxy.js"), url, "--allow-http", "--transport", "http-only"]
    bridge += ["--header", f"Authorization:Bearer {key}"]
    commands = {"Python SDK v1": [python_v1, str(clients / "python_v1.py")]}
    for mode in ("legacy", "auto", REVISIONS[-1]):
        commands[f"Python SDK v2, {mode}"] = [python_v2, str(clients / "python_v2.py"), mode]
    commands["TypeScript SDK v1"] = [NODE, typescript, "v1"]
    for mode in ("legacy", "auto", REVISIONS[-1]):
        commands[f"TypeScript SDK v2, {mode}"] = [NODE, typescript, "v2", mode]
    commands["mcp-remote"] = [python_v1, str(clients / "python_v1.py"), *bridge]

    def talk(command: Sequence[str]) -> str:
        calls = plans.plan()
        plan = {"url": url, "key": key, "calls": [msgspec.to_builtins(call) for call in calls]}
        answer = json.loads(_run(command, json.dumps(plan), folder))
        results = {result["name"]: (result["isError"], result["text"]) for result in answer["results"]}
        return f"{answer['version'] or 'connected'}: " + _judged(plans.names, answer["tools"], calls, results)

    parts: dict[str, Callable[[], str]] = {name: partial(talk, command) for name, command in commands.items()}
    return {**parts, "Inspector": lambda: _inspect(url, key, plans, folder)}


def _inspect(url: str, key: str, plans: Planner, folder: Path) -> str:
    """The Inspector's command line: one process for each call. It exits with 5 when a tool answers an error."""
    command = [NODE, str(MODULES / ".bin" / "mcp-inspector"), "--cli", url, "--transport", "http", "--format", "json"]
    command += ["-q", "--header", f"Authorization: Bearer {key}"]
    listed = _printed(_run([*command, "--method", "tools/list", "--strict"], "", folder))
    calls = plans.plan()
    results = {}
    for index, call in enumerate(calls):
        era = ("legacy", "auto", "modern")[index % 3]
        asked = ["--method", "tools/call", "--tool-name", call.name, "--protocol-era", era]
        output = _run([*command, *asked, "--tool-args-json", json.dumps(call.arguments)], "", folder, allowed=(0, 5))
        result = _printed(output)
        results[call.name] = (bool(result.get("isError")), result["content"][0]["text"])
    wrong = [NODE, str(MODULES / ".bin" / "mcp-inspector"), "--cli", url, "--transport", "http", "--format", "json"]
    wrong += ["-q", "--header", "Authorization: Bearer sk_wrong", "--stored-auth-only", "--method", "tools/list"]
    _run(wrong, "", folder, allowed=(3,))
    return "all eras: " + _judged(plans.names, [tool["name"] for tool in listed["tools"]], calls, results)


def _printed(output: str) -> dict[str, Any]:
    """The answer that the Inspector printed, without what it adds."""
    printed: dict[str, Any] = json.loads(output)
    result: dict[str, Any] = printed.get("result", printed)
    return result


def _judged(
    known: Sequence[str],
    listed: Sequence[str],
    calls: Sequence[PlannedCall],
    results: Mapping[str, tuple[bool, str]],
) -> str:
    """What came of the calls. Raises `Failed` unless each tool answered, and those that must work did."""
    if list(listed) != list(known):
        raise Failed(f"it lists {len(listed)} tools, not the {len(known)} of the discovery")
    problems = [f"{call.name}: no answer" for call in calls if call.name not in results]
    must_work = {call.name for call in calls if call.must_work}
    for name, (is_error, text) in results.items():
        if is_error and (name in must_work or any(words in text for words in _INTERNAL)):
            problems.append(f"{name}: {text[:200]}")
    if problems:
        raise Failed("; ".join(problems))
    refused = sum(is_error for is_error, _ in results.values())
    return f"{len(results)} tools called, {len(results) - refused} did it, {refused} said why not"


def _run(command: Sequence[str], given: str, folder: Path, allowed: Sequence[int] = (0,)) -> str:
    environment = _environment() | {"HOME": str(folder)}  # the Inspector and the bridge keep files there
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        timeout=_CLIENT_SECONDS,
        cwd=HERE,
        env=environment,
        check=False,
    )
    if done.returncode not in allowed:
        raise Failed(f"exit status {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
    return done.stdout


@contextlib.contextmanager
def _demo(folder: Path) -> Iterator[tuple[str, str]]:
    """The demo with its sandboxes; gives its address and a key."""
    port = _free_ports(12)
    with _process(["-m", "hub.cli", "demo", "--port", str(port)], folder, port, _is_ready):
        secrets = (folder / "secrets.env").read_text("utf-8")
        yield f"http://127.0.0.1:{port}", re.findall(r"^DEMO_KEY=(.*)$", secrets, re.MULTILINE)[0]


@contextlib.contextmanager
def _hub_with_fixtures(folder: Path) -> Iterator[tuple[int, str]]:
    environment = _environment() | _settings(folder)
    made = [sys.executable, "-m", "hub.cli"]
    subprocess.run([*made, "migrate"], env=environment, check=True, capture_output=True, timeout=60)
    command = [*made, "keys", "create", "conformance", "--access", "read-write"]
    key = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    port = _free_ports(1)
    with _process(["-m", "conformance.fixtures", str(port)], folder, port, lambda client: True):
        yield port, key.split()[0]


@contextlib.contextmanager
def _process(
    arguments: Sequence[str], folder: Path, port: int, is_ready: Callable[[httpx.Client], bool]
) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=_environment() | _settings(folder),
            cwd=HERE.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(process, port, log, is_ready)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path, is_ready: Callable[[httpx.Client], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if client.get("/health").status_code == 200 and is_ready(client):
                    return
            time.sleep(0.2)
    raise Failed(f"the hub did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _is_ready(client: httpx.Client) -> bool:
    """Whether the stores that the plans use have their menus."""
    return all(_has_menu(client, store) for store in (STORE, OTHER_STORE))


def _has_menu(client: httpx.Client, store: str) -> bool:
    answer = client.get(f"/api/v1/stores/{store}/menu")
    return answer.status_code == 200 and bool(answer.json()["menu"]["categories"])


def _settings(folder: Path) -> dict[str, str]:
    return {
        "OPENPOS_DATA": str(folder),
        "OPENPOS_REQUESTS_PER_MINUTE": "1000000",
        "OPENPOS_REQUESTS_PER_DAY": "100000000",
    }


def _environment() -> dict[str, str]:
    """This environment without any setting of a hub, and with our Node first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENPOS_")}
    return kept | {"PATH": f"{TOOLS / 'node' / 'bin'}{os.pathsep}{kept.get('PATH', '')}"}


def _free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                for offset in range(1, count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
                return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
