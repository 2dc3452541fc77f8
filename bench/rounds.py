"""Interleaved rounds: every visit once per round, in random order, and the ratios between visits of one round."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.goals import Metric
from bench.visits import Length, Sample, Visit

Samples = dict[str, list[Sample]]


@dataclass(frozen=True)
class Ratio:
    """Median, lowest and highest of the per-round ratios."""

    median: float
    low: float
    high: float


def run_rounds(visits: Sequence[Visit], length: Length, dice: random.Random, say: Callable[[str], None]) -> Samples:
    """Make all visits in every round; sample n of each visit belongs to round n."""
    samples: Samples = {visit.name: [] for visit in visits}
    for number in range(1, length.rounds + 1):
        for visit in dice.sample(visits, len(visits)):
            say(f"round {number} of {length.rounds}: {visit.name}")
            sample = visit.measure(length)
            for complaint in (sample.problem, sample.errors):
                if complaint:
                    say(f"  {visit.name}: {complaint}")
            samples[visit.name].append(sample)
    return samples


def ratio(samples: Mapping[str, Sequence[Sample]], subject: str, base: str, metric: Metric) -> Ratio | None:
    """Compare two visits round by round; None if one of them was not made or measured nothing."""
    pairs = zip(samples.get(subject, ()), samples.get(base, ()), strict=False)
    found = [
        float(over) / float(under)
        for over, under in ((getattr(first, metric), getattr(second, metric)) for first, second in pairs)
        if over and under
    ]
    return Ratio(statistics.median(found), min(found), max(found)) if found else None


def middle(samples: Sequence[Sample], metric: str) -> float | None:
    """Return the median of one figure over the rounds."""
    found = [value for sample in samples if (value := getattr(sample, metric)) is not None]
    return statistics.median(found) if found else None


def has_errors(samples: Sequence[Sample]) -> bool:
    """Whether any request failed or any order got lost: such a rate means nothing."""
    return any(sample.errors or sample.problem for sample in samples)
