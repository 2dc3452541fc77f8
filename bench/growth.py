"""`python -m bench.growth`: what orders cost as their number grows, and what it costs to delete them (P11, P12, P14).

Fills a database to each size in turn, and measures the hub's own repository functions at every size: CPU time of this
process and, with PostgreSQL, of the server. It takes minutes, so it is no part of `make bench`.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from bench.lived import LINKS, STEP_MS, VENUES, declare, fresh_orders, live, lived_batch
from bench.processes import cpu_seconds
from hub.database.archive import Position, first_id_at, load_page
from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.database.order_reads import find_order_by_ref, links_with_open_orders, load_order
from hub.database.orders import place_orders
from hub.database.outbox import links_with_work
from hub.database.retention import delete_closed
from hub.model.archive import Search
from hub.model.order import VendorRef
from hub.services.retention import ORDERS_PER_UNIT
from tests.postgres import Server, postgres_server

RESULTS = Path(__file__).parent / "results"
_PLACED_TOGETHER = 16
_SECONDS_PER_READ = 0.6
_PER_ROUND = 4_000
_ROUNDS = 3
_LOADED_TOGETHER = 500
_FAR_AHEAD_MS = 1 << 50


@dataclass
class Subject:
    """One database, how many orders it holds, and whose CPU time counts."""

    database: Database
    pids: Sequence[int]
    now_ms: int
    held: int = 0
    made: int = 0
    oldest: int = 0
    figures: dict[str, dict[int, float]] = field(default_factory=dict)

    def cpu(self, work: Callable[[], object]) -> float:
        """CPU seconds of a piece of work that lasts a second or so."""
        before = cpu_seconds(self.pids)
        work()
        return cpu_seconds(self.pids) - before

    def note(self, name: str, value: float) -> None:
        """Keeps a figure under the present size."""
        self.figures.setdefault(name, {})[self.held] = value


def main() -> int:
    """Parse the arguments, measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="orders held, e.g. 10000,100000")
    parser.add_argument("--database", choices=("sqlite", "postgres"), action="append", help="default: both")
    parser.add_argument("--folder", type=Path, help="where the databases go (default: the temporary folder)")
    arguments = parser.parse_args()
    sizes = sorted(int(size) for size in arguments.sizes.split(","))
    kept: dict[str, dict[str, dict[int, float]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openpos-growth-", dir=arguments.folder)))
        for kind in arguments.database or ("sqlite", "postgres"):
            kept[kind] = measure(kind, sizes, folder, stack)
            print(as_text(kind, kept[kind], sizes), flush=True)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / time.strftime("growth-%Y%m%d-%H%M%S.json")
    file.write_text(json.dumps(kept, indent=1))
    say(f"All figures: {file}")
    return 0


def measure(kind: str, sizes: Sequence[int], folder: Path, stack: ExitStack) -> dict[str, dict[int, float]]:
    """Fill one database step by step and measure at each step."""
    server: Server | None = stack.enter_context(postgres_server(fsync=True)) if kind == "postgres" else None
    url = f"sqlite:///{folder / 'growth.sqlite'}" if server is None else server.create_database()
    pids = [os.getpid(), *([server.pid] if server is not None and server.pid else [])]
    database = Database(url)
    stack.callback(database.close_now)
    database.run_now(migrate)
    database.run_now(declare)
    subject = Subject(database, pids, now_ms=int(time.time() * 1000))
    for size in sizes:
        fill(subject, size)
        say(f"{kind}: measuring at {size}")
        measure_writes(subject)
        measure_reads(subject)
    return subject.figures


def fill(subject: Subject, size: int) -> None:
    """Load closed orders until there are this many."""
    started, told = time.monotonic(), time.monotonic()
    while subject.held < size:
        count = min(_LOADED_TOGETHER, size - subject.held)
        first = subject.made
        subject.database.run_now(partial(lived_batch, first=first, count=count, now_ms=subject.now_ms))
        subject.made += count
        subject.held += count
        if time.monotonic() - told > 10:
            told = time.monotonic()
            say(f"  {subject.held} orders after {told - started:.0f} s")
    if not subject.database.is_sqlite:
        subject.database.run_now(lambda c: c.exec_driver_sql("ANALYZE"))


def measure_writes(subject: Subject) -> None:
    """Place, live through and delete as many orders, round by round, so that the size stays."""
    placed, lived, deleted = [], [], []
    for _ in range(_ROUNDS):
        first = subject.made
        batches = [
            range(start, start + _PLACED_TOGETHER) for start in range(first, first + _PER_ROUND, _PLACED_TOGETHER)
        ]
        placing = subject.cpu(partial(place, subject, batches))
        living = subject.cpu(partial(live_through, subject, batches))
        subject.made += _PER_ROUND
        deleting = subject.cpu(lambda: delete(subject, _PER_ROUND))
        placed.append(placing / _PER_ROUND)
        lived.append((placing + living) / _PER_ROUND)
        deleted.append(deleting / _PER_ROUND)
    subject.note("place an order (16 at once)", statistics.median(placed))
    subject.note("place, deliver and close it, one by one", statistics.median(lived))
    subject.note(f"delete an order ({ORDERS_PER_UNIT} at once)", statistics.median(deleted))
    pairs = zip(deleted, placed, strict=True)
    subject.note("delete / place", statistics.median(gone / came for gone, came in pairs))
    pairs = zip(deleted, lived, strict=True)
    subject.note("delete / place, deliver and close", statistics.median(gone / came for gone, came in pairs))


def place(subject: Subject, batches: Sequence[range]) -> None:
    for batch in batches:
        orders = fresh_orders(batch, subject.now_ms)
        subject.database.run_now(partial(place_orders, items=orders))


def live_through(subject: Subject, batches: Sequence[range]) -> None:
    for batch in batches:
        subject.database.run_now(partial(live, numbers=batch, now_ms=subject.now_ms))


def delete(subject: Subject, count: int) -> None:
    """Delete the oldest orders, as the schedule does."""
    left, times = count, []
    while left:
        started = time.perf_counter()
        limit = min(left, ORDERS_PER_UNIT)
        unit = partial(delete_closed, closed_until_ms=_FAR_AHEAD_MS, after=None, limit=limit)
        done = subject.database.run_now(unit)
        times.append(time.perf_counter() - started)
        assert done.orders, "there was nothing to delete"
        left -= done.orders
        subject.oldest += done.orders
    subject.note("longest unit of deleting, seconds", max(times))


def measure_reads(subject: Subject) -> None:
    """Time each kind of look at the archive."""
    middle = (subject.oldest + subject.made) // 2
    at_ms = subject.now_ms + middle * STEP_MS
    venue, link = VENUES[middle % len(VENUES)], LINKS[middle % len(LINKS)]
    number = f"{venue.order_prefix}-{middle // len(VENUES) + 1:03d}"
    vendor_id = VendorRef(kind="order", id=f"pos-{middle}")
    reads: dict[str, Callable[[Connection], object]] = {
        "newest 50 of a store": lambda c: load_page(c, Search(venue_id=venue.id)),
        "50 of a store from the middle": lambda c: load_page(
            c, Search(venue_id=venue.id), after=Position(first_id_at(at_ms))
        ),
        "50 closed around a time": lambda c: load_page(
            c, Search(closed_from_ms=at_ms - 60_000_000, closed_before_ms=at_ms)
        ),
        "an order by number": lambda c: load_order(c, number),
        "an order by the vendor's id": lambda c: find_order_by_ref(c, link.id, vendor_id),
        "search by the vendor's id": lambda c: load_page(c, Search(ref=vendor_id.id)),
        "a step of a guest search (2,000 orders)": lambda c: load_page(c, Search(guest="nobody")),
        "links with open orders": links_with_open_orders,
        "links with work": lambda c: links_with_work(c, subject.now_ms),
        "nothing to delete": lambda c: delete_closed(c, closed_until_ms=0, after=None, limit=ORDERS_PER_UNIT),
    }
    for name, read in reads.items():
        run = subject.database.run_now if name == "nothing to delete" else subject.database.read_now
        subject.note(name, per_call(subject, partial(run, read)))


def per_call(subject: Subject, call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    for _ in range(3):
        call()
    calls = 0

    def many() -> None:
        nonlocal calls
        until = time.monotonic() + _SECONDS_PER_READ
        while time.monotonic() < until:
            call()
            calls += 1

    used = subject.cpu(many)
    return used / calls


def as_text(kind: str, figures: dict[str, dict[int, float]], sizes: Sequence[int]) -> str:
    """The table: microseconds of CPU at each size, and the largest size against the others."""
    return "\n".join(_lines(kind, figures, sizes))


def _lines(kind: str, figures: dict[str, dict[int, float]], sizes: Sequence[int]) -> Iterator[str]:
    heads = "".join(f"{size:>12,}" for size in sizes)
    against = "".join(f"{f'/ {size:,}':>12}" for size in sizes[:-1])
    yield f"\n{kind}: CPU in microseconds at so many orders; the last size divided by the others"
    yield f"{'':42}{heads}{against}"
    for name, by_size in figures.items():
        plain = " / " in name or "seconds" in name
        cells = "".join(f"{by_size[size]:>12.3f}" if plain else f"{by_size[size] * 1e6:>12.0f}" for size in sizes)
        ratios = "".join(
            f"{by_size[sizes[-1]] / by_size[size]:>12.2f}" if by_size[size] else f"{'-':>12}" for size in sizes[:-1]
        )
        yield f"{name:42}{cells}{ratios}"


def say(text: str) -> None:
    """Report progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
