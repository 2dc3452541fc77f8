"""Turns samples into the table on standard output and the JSON file."""

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from bench.goals import GOALS, Goal, Metric, Plan
from bench.rounds import Ratio, Samples, has_errors, middle, ratio
from bench.visits import Length


@dataclass(frozen=True)
class Report:
    """All that one run found out."""

    length: Length
    plans: Sequence[Plan]
    samples: Samples
    peak_bytes: Mapping[str, int]
    """Highest memory per contender, and "PostgreSQL"."""
    missing: Mapping[str, str]
    """Why a contender could not take part."""
    flush_microseconds: float
    others_share: float
    stolen_share: float
    goal_ids: set[str]
    seed: int

    def as_text(self) -> str:
        parts = [self._figures(), self._goals(), self._notes()]
        return "\n\n".join("\n".join(part) for part in parts)

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": machine(),
            "length": asdict(self.length),
            "seed": self.seed,
            "flush_microseconds": self.flush_microseconds,
            "others_share": self.others_share,
            "stolen_share": self.stolen_share,
            "goals": [self._goal(goal) for goal in self._asked()],
            "peak_bytes": dict(self.peak_bytes),
            "missing": dict(self.missing),
            "samples": {name: [asdict(sample) for sample in found] for name, found in self.samples.items()},
        }

    def _asked(self) -> list[Goal]:
        return [goal for goal in GOALS if goal.id in self.goal_ids]

    def _goal(self, goal: Goal) -> dict[str, Any]:
        found = ratio(self.samples, goal.subject, goal.base, goal.metric)
        return {**asdict(goal), "ratio": asdict(found) if found else None, "verdict": self._verdict(goal, found)}

    def _verdict(self, goal: Goal, found: Ratio | None) -> str:
        if found is None:
            plan = next((plan for plan in self.plans if plan.name == goal.subject), None)
            return f"not measured: {self.missing.get(plan.contender, 'no samples') if plan else 'no such visit'}"
        if any(has_errors(self.samples[name]) for name in (goal.subject, goal.base)):
            return "INVALID: requests failed or orders got lost"
        return goal.verdict(found.median)

    def _figures(self) -> list[str]:
        rows = [["visit", "in U", "(spread)", "CPU in U", "p50 ms", "p99 ms", "per s", "peak MB", "what it does"]]
        for plan in self.plans:
            found = self.samples.get(plan.name)
            if not found:
                continue
            rate = ratio(self.samples, plan.name, "U", Metric.RATE)
            cpu = ratio(self.samples, plan.name, "U", Metric.CPU)
            peak = self.peak_bytes.get(plan.contender)
            rows.append(
                [
                    plan.name + (" (ERRORS)" if has_errors(found) else ""),
                    f"{rate.median:.2f}" if rate else "-",
                    spread(rate),
                    f"{cpu.median:.2f}" if cpu else "-",
                    milliseconds(middle(found, "p50_seconds")),
                    milliseconds(middle(found, "p99_seconds")),
                    magnitude(middle(found, "rate")),
                    f"{peak / 1e6:.0f}" if peak else "-",
                    plan.about,
                ]
            )
        return table(rows)

    def _goals(self) -> list[str]:
        rows = [["goal", "ratio", "floor", "aim", "measured", "(spread)", "verdict"]]
        for goal in self._asked():
            found = ratio(self.samples, goal.subject, goal.base, goal.metric)
            sign = ">=" if goal.higher_is_better else "<="
            rows.append(
                [
                    goal.id,
                    goal.about,
                    f"{sign} {goal.floor:g}",
                    f"{sign} {goal.aim:g}" if goal.aim is not None else "-",
                    f"{found.median:.2f}" if found else "-",
                    spread(found),
                    self._verdict(goal, found),
                ]
            )
        return table(rows)

    def _notes(self) -> list[str]:
        unit = [sample.rate for sample in self.samples.get("U", []) if sample.rate]
        raw = self.samples.get("raw", [])
        busy = max((sample.load_busy or 0.0 for sample in raw), default=0.0)
        notes = [
            f"Load generator: {busy:.0%} of its core at the raw server"
            + (" (TOO BUSY: the fastest rates are too low)." if busy > 0.9 else ", so it was not the limit."),
            f"Noise: U itself varied by a factor of {max(unit) / min(unit):.2f} between rounds; "
            f"other programs used {self.others_share:.0%} of the cores, the host took {self.stolen_share:.1%}; "
            f"one flush to disk takes about {self.flush_microseconds:.0f} us. "
            "Differences below 15 % and p99 ratios from 0.5 to 2 say nothing."
            if unit
            else "U was not measured.",
        ]
        if "PostgreSQL" in self.peak_bytes:
            notes.append(
                f"PostgreSQL: {self.peak_bytes['PostgreSQL'] / 1e6:.0f} MB at its peak, all processes together, "
                "shared memory counted once per process; its CPU time is in the figures of those who use it."
            )
        for reason in dict.fromkeys(self.missing.values()):
            names = ", ".join(name for name, why in self.missing.items() if why == reason)
            notes.append(f"Not there: {names}: {reason}")
        return notes


def machine() -> dict[str, Any]:
    """Return what a reader must know to compare two result files."""
    packages = ("litestar", "uvicorn", "uvloop", "httptools", "msgspec", "aiohttp", "psycopg", "sqlalchemy")
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: version(name) for name in packages},
    }


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with aligned columns; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def spread(found: Ratio | None) -> str:
    return f"{found.low:.2f}-{found.high:.2f}" if found else "-"


def milliseconds(seconds: float | None) -> str:
    return f"{seconds * 1000:.2f}" if seconds else "-"


def magnitude(rate: float | None) -> str:
    """Return two digits of a rate: more would pretend a precision that a shared machine does not have."""
    return f"{float(f'{rate:.2g}'):,.0f}" if rate else "-"
