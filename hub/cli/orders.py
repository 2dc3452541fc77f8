"""`openpos-hub orders …`: finding, exporting, holding and proving orders, and deleting those whose time is over."""

import argparse
import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from hub.api.operations.orders_archive import search_of
from hub.app import Hub
from hub.cli import ORDER_FILTERS
from hub.cli.commands import with_hub
from hub.cli.order_table import jsonl, table
from hub.errors import ConfigurationError
from hub.model.archive import Search
from hub.model.money import Money, display
from hub.model.order import OrderRecord
from hub.services.evidence import verify as verify_evidence
from hub.settings import read_settings

_CLI = "command line"
_STDOUT = "-"
_SECONDS_BETWEEN_NEWS = 2.0
_PARAMETERS = {"closed-from": "closedFrom", "closed-to": "closedTo", "external-id": "externalId"}


def find(options: argparse.Namespace) -> int:
    """`orders find`"""

    async def run(hub: Hub) -> int:
        shown = 0
        async for page in hub.archive.pages(_search(hub, options)):
            for record in page.records:
                if shown == options.limit:
                    print(f"the newest {shown}; there are more (--limit, or `orders export`)")
                    return 0
                print(_line(hub, record))
                shown += 1
        print(f"{shown} found" if shown else "no such order")
        return 0

    return with_hub(run)


def export(options: argparse.Namespace) -> int:
    """`orders export`"""
    kind = options.format or ("csv" if options.file.endswith(".csv") else "jsonl")

    async def run(hub: Hub) -> int:
        search, count, news = _search(hub, options), 0, _News("orders examined")
        with new_text_file(options.file) as out:
            write = table(out) if kind == "csv" else jsonl(out)
            examined = 0
            async for page in hub.archive.pages(search):
                for record in page.records:
                    write(record, hub.directory.venue(record.order.venue_id))
                count, examined = count + len(page.records), examined + page.examined
                news.tell(examined)
        print(
            f"{count} orders written to {'standard output' if options.file == _STDOUT else options.file}",
            file=sys.stderr,
        )
        return 0

    return with_hub(run)


def hold(options: argparse.Namespace) -> int:
    """`orders hold`"""

    async def run(hub: Hub) -> int:
        order = (await hub.orders.load(options.order)).order
        held = await hub.archive.hold(order, reason=options.reason, actor=_CLI)
        print(f"{order.number}: held ({held.reason}); nothing of it is deleted until `orders release {order.number}`")
        return 0

    return with_hub(run)


def release(options: argparse.Namespace) -> int:
    """`orders release`"""

    async def run(hub: Hub) -> int:
        order = (await hub.orders.load(options.order)).order
        await hub.archive.release(order, actor=_CLI)
        print(f"{order.number}: released; it is deleted 45 days after it was closed")
        return 0

    return with_hub(run)


def evidence(options: argparse.Namespace) -> int:
    """`orders evidence`"""

    async def run(hub: Hub) -> int:
        record = await hub.orders.load(options.order)
        made = await hub.evidence.make(record)
        with _new_file(options.file) as out:
            out.write(made.content)
        print(f"{record.order.number}: evidence written to {options.file}", file=sys.stderr)
        print(f"root hash {made.root}", file=sys.stderr)
        print("Note the root hash elsewhere: it tells later whether the file was changed.", file=sys.stderr)
        return 0

    return with_hub(run)


def verify(options: argparse.Namespace) -> int:
    """`orders verify`; needs neither a database nor a running hub"""
    try:
        with Path(options.file).open("rb") as file:
            verdict = verify_evidence(file, key=read_settings().evidence_key, expected_root=options.root)
    except FileNotFoundError as problem:
        raise ConfigurationError(f"there is no file {options.file}") from problem
    for words in verdict.problems:
        print(f"FAILED {words}")
    if not verdict.problems:
        print(f"ok     {verdict.files} files are as the manifest lists them")
    print(f"       order {verdict.order_number}, evidence made {verdict.made_at}")
    print(f"       root hash {verdict.root}{', as expected' if options.root and not verdict.problems else ''}")
    if verdict.seal_checked and not verdict.problems:
        print("       sealed with this OPENPOS_EVIDENCE_KEY")
    elif not verdict.seal_checked:
        print(f"       {'sealed, not checked: OPENPOS_EVIDENCE_KEY is not set' if verdict.sealed else 'not sealed'}")
    return 1 if verdict.problems else 0


def purge(_options: argparse.Namespace) -> int:
    """`orders purge`"""

    async def run(hub: Hub) -> int:
        news = _News("deleted")
        await hub.expiry.forget_keys()
        done = await hub.retention.run(lambda thing, count: news.tell(count, thing))
        print(f"{done.orders} orders, {done.calls} single calls, {done.refs} learnt ids deleted")
        for day in done.days:
            print(f"calls of {day[:4]}-{day[4:6]}-{day[6:]} dropped")
        return 0

    return with_hub(run)


def _search(hub: Hub, options: argparse.Namespace) -> Search:
    given = {_PARAMETERS.get(name, name): getattr(options, name.replace("-", "_")) or "" for name in ORDER_FILTERS}
    venue_id = hub.directory.venue(options.store).id if options.store else ""
    return search_of({**given, "held": "true" if options.held else ""}, venue_id)


def _line(hub: Hub, record: OrderRecord) -> str:
    order = record.order
    venue = hub.directory.venue(order.venue_id)
    made = datetime.fromtimestamp(order.created_at_ms / 1000, UTC).astimezone(ZoneInfo(order.timing.timezone))
    total = display(Money(order.totals.total_cents, order.currency))
    guest = order.customer.name if order.customer else ""
    where = f"table {', '.join(order.tables)}" if order.tables else order.order_type
    return (
        f"{order.number:10} {made:%Y-%m-%d %H:%M}  {order.status:7} {order.stage:16} {total:>12}  "
        f"{venue.slug}  {where}  {guest}"
    ).rstrip()


class _News:
    """Tells how far a long command is, now and then."""

    def __init__(self, thing: str) -> None:
        self._thing = thing
        self._told = time.monotonic()

    def tell(self, count: int, thing: str = "") -> None:
        if time.monotonic() - self._told >= _SECONDS_BETWEEN_NEWS:
            self._told = time.monotonic()
            print(f"{count} {thing} {self._thing}".replace("  ", " "), file=sys.stderr, flush=True)


@contextlib.contextmanager
def _new_file(name: str) -> Iterator[IO[bytes]]:
    """A new file that only its owner may read, or standard output; what fails half-way leaves no file behind."""
    if name == _STDOUT:
        yield sys.stdout.buffer
        return
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as problem:
        raise ConfigurationError(f"{name} exists already; nothing is overwritten") from problem
    except OSError as problem:
        raise ConfigurationError(f"{name} cannot be written: {problem.strerror}") from problem
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def new_text_file(name: str) -> Iterator[IO[str]]:
    """A new file for text, or standard output for `-`; raises `ConfigurationError` for one that exists."""
    with _new_file(name) as raw:
        out = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)
        yield out
        out.flush()
        out.detach()
