"""`python -m bench`: run the interleaved rounds, print the ratios, keep a JSON file."""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from subprocess import SubprocessError

from bench import hub_contenders
from bench.contenders import Ceiling, Contender, Workbench
from bench.goals import GOALS, Kind, Plan, plans_for
from bench.processes import (
    SERVER_CORE,
    TOOL_CORE,
    Child,
    ChildFailed,
    cpu_seconds,
    machine_cpu_seconds,
    peak_memory_bytes,
    pin,
    python_module,
)
from bench.report import Report
from bench.rounds import run_rounds
from bench.visits import DeliveredVisit, Length, RateVisit, TimedVisit, Visit
from tests.postgres import PostgresUnavailable

RESULTS = Path(__file__).parent / "results"
NORMAL = Length(rounds=5, seconds=2.0, warmup_seconds=0.3, deliveries=5000)
QUICK = Length(rounds=3, seconds=0.7, warmup_seconds=0.2, deliveries=1200)
_FLUSHES = 51


def main() -> int:
    """Parse the arguments, run, print, and return the exit code."""
    known = sorted({goal.id for goal in GOALS}, key=lambda text: int(text[1:]))
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios of the hub to its ceilings.")
    parser.add_argument("--quick", action="store_true", help="short rounds, about a minute, a rougher result")
    parser.add_argument("--only", metavar="P1,P3", help=f"only these goals, of {', '.join(known)}")
    parser.add_argument("--rounds", type=int, help="number of rounds")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6, help="seed of the random order")
    parser.add_argument("--folder", type=Path, help="where the databases go (default: the temporary folder)")
    arguments = parser.parse_args()
    goal_ids = set(arguments.only.split(",")) if arguments.only else set(known)
    if not goal_ids <= set(known):
        parser.error(f"--only takes goals of {', '.join(known)}")
    length = QUICK if arguments.quick else NORMAL
    if arguments.rounds:
        length = Length(arguments.rounds, length.seconds, length.warmup_seconds, length.deliveries)
    report = measure(goal_ids, length, arguments.seed, arguments.folder)
    print(report.as_text())
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    file.write_text(json.dumps(report.as_json(), indent=1))
    say(f"All samples: {file}")
    return 0


def measure(goal_ids: set[str], length: Length, seed: int, parent: Path | None) -> Report:
    """Start everything that these goals need, make the rounds, stop everything."""
    plans = plans_for(goal_ids)
    missing: dict[str, str] = {}
    pin(os.getpid(), TOOL_CORE)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openpos-bench-", dir=parent)))
        bench = Workbench(folder, stack)
        contenders = start_contenders(plans, bench, stack, missing)
        visits = make_visits(plans, contenders, bench, stack, missing)
        flush, noise = flush_microseconds(folder), Noise()
        samples = run_rounds(visits, length, random.Random(seed), say)
        others, stolen = noise.shares()
        peaks = {name: peak_memory_bytes(contender.pids()) for name, contender in contenders.items()}
        if "postgres" in contenders and not bench.postgres_pids():
            missing["CPU and memory of PostgreSQL"] = "the server was given by an address"
        if bench.postgres_pids():
            peaks["PostgreSQL"] = peak_memory_bytes(bench.postgres_pids())
        return Report(
            length=length,
            plans=plans,
            samples=samples,
            peak_bytes=peaks,
            missing=missing,
            flush_microseconds=flush,
            others_share=others,
            stolen_share=stolen,
            goal_ids=goal_ids,
            seed=seed,
        )


def start_contenders(
    plans: list[Plan], bench: Workbench, stack: ExitStack, missing: dict[str, str]
) -> dict[str, Contender]:
    """Start each contender of the plans once; write into `missing` why one could not be started."""
    hubs = hub_contenders.hub_factories()
    no_hub = hub_contenders.reason_missing()
    started: dict[str, Contender] = {}
    for name in dict.fromkeys(plan.contender for plan in plans if plan.kind is not Kind.TIMED):
        if name in hubs and no_hub:
            missing[name] = no_hub
            continue
        say(f"starting {name}")
        contender = hubs[name](bench) if name in hubs else Ceiling(bench, name, name)
        stack.callback(contender.stop)
        try:
            contender.start()
        except (ChildFailed, PostgresUnavailable, SubprocessError, OSError, LookupError, ValueError) as error:
            missing[name] = str(error)
            say(f"  {error}")
        else:
            started[name] = contender
    return started


def make_visits(
    plans: list[Plan], contenders: dict[str, Contender], bench: Workbench, stack: ExitStack, missing: dict[str, str]
) -> list[Visit]:
    """Return the visits that can be made."""
    load = Child("load generator", python_module("bench.load"), TOOL_CORE, bench.log("load"), talks=True)
    stack.callback(load.stop)
    timer = Child("timer", python_module("bench.timing"), SERVER_CORE, bench.log("timer"), talks=True)
    stack.callback(timer.stop)
    visits: list[Visit] = []
    for plan in plans:
        if plan.kind is Kind.TIMED:
            target = hub_contenders.TRANSLATION if plan.contender == "hub-translation" else plan.contender
            if target is None:
                missing[plan.contender] = "the hub's translation is not plugged in"
            else:
                visits.append(TimedVisit(plan.name, target, timer))
        elif plan.contender in contenders:
            contender = contenders[plan.contender]
            if plan.kind is Kind.DELIVERED:
                visits.append(DeliveredVisit(plan.name, contender, load, plan.connections))
            else:
                visits.append(RateVisit(plan.name, contender, load, plan.connections, plan.at_least_seconds))
    return visits


class Noise:
    """Measures, from its creation on, how much of the machine was not ours."""

    def __init__(self) -> None:
        self._began = self._now()

    def shares(self) -> tuple[float, float]:
        """Return the shares of all cores used by other programs and taken by the host."""
        began, now = self._began, self._now()
        clock, used, own, stolen = (after - before for before, after in zip(began, now, strict=True))
        cores = clock * (os.cpu_count() or 1)
        return max(0.0, used - own) / cores, stolen / cores

    @staticmethod
    def _now() -> tuple[float, float, float, float]:
        used, stolen = machine_cpu_seconds()
        return time.monotonic(), used, cpu_seconds([os.getpid()]), stolen


def flush_microseconds(folder: Path) -> float:
    """Return the median time of one flush of 8 kB to the disk under this folder."""
    times = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            file.write(bytes(8192))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return sorted(times)[_FLUSHES // 2] * 1e6


def say(text: str) -> None:
    """Report progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
