"""The goals, as data: which visits exist, and which ratio of two visits each goal is about."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a visit measures."""

    RATE = "rate"
    DELIVERED = "delivered"
    TIMED = "timed"


@dataclass(frozen=True)
class Plan:
    """One visit that is made in every round."""

    name: str
    about: str
    contender: str
    """Name of a ceiling's app, of a hub variant, or of a timed function."""
    kind: Kind = Kind.RATE
    connections: int = 32
    at_least_seconds: float = 0.0
    """Orders that wait for a slow vendor come back in bursts; a short window would count one burst too many."""


class Metric(StrEnum):
    """The figure of a sample that a goal compares."""

    RATE = "rate"
    P50 = "p50_seconds"
    CPU = "cpu_seconds"


@dataclass(frozen=True)
class Goal:
    """`subject` divided by `base`, both visited in the same round. A rate must be high, a time must be low."""

    id: str
    about: str
    subject: str
    base: str
    metric: Metric
    floor: float
    aim: float | None

    @property
    def higher_is_better(self) -> bool:
        return self.metric is Metric.RATE

    def verdict(self, ratio: float) -> str:
        """Say whether this ratio reaches the floor and the aim."""
        sign = 1 if self.higher_is_better else -1
        if self.aim is not None and sign * ratio >= sign * self.aim:
            return "aim reached"
        return "floor reached" if sign * ratio >= sign * self.floor else "BELOW FLOOR"


PLANS = (
    Plan("raw", "no framework: decode and answer", "raw"),
    Plan("U", "plain Litestar handler: the unit", "plain"),
    Plan("U, 1 conn.", "the unit, one connection", "plain", connections=1),
    Plan("A_sq", "U + one durable row in SQLite", "sqlite"),
    Plan("A_sq, 1 conn.", "the same, one connection", "sqlite", connections=1),
    Plan("A_pg", "U + one durable row in PostgreSQL", "postgres"),
    Plan("E", "A_sq + vendor call + outcome and trace stored", "delivery"),
    Plan("bare translation", "decode, check, translate, encode 10 items", "bench.orders:bare_translation", Kind.TIMED),
    Plan("hub, SQLite", "accept; the link is paused", "hub-sqlite"),
    Plan("hub, SQLite, 1 conn.", "the same, one connection", "hub-sqlite", connections=1),
    Plan("hub, PostgreSQL", "accept; the link is paused", "hub-postgres"),
    Plan("hub, vendor fast", "accept while orders go out", "hub-fast"),
    Plan("hub, vendor slow", "the same, vendor takes 200 ms", "hub-slow"),
    Plan("hub, vendor dead", "the same, vendor refuses connections", "hub-dead"),
    Plan("hub, delivered", "until the vendor has every order", "hub-fast", Kind.DELIVERED),
    Plan("hub, delivered slowly", "the same, vendor takes 200 ms", "hub-slow", Kind.DELIVERED),
    Plan("hub, waiting", "answers after the vendor (200 ms)", "hub-waiting", at_least_seconds=3.0),
    Plan("hub translation", "decode, check, price, translate, encode 10 items", "hub-translation", Kind.TIMED),
    Plan(
        "hub translation, no pricing",
        "the same, the order priced before",
        "bench.translation:priced_order_to_vendor",
        Kind.TIMED,
    ),
)

GOALS = (
    Goal("P1", "accept rate, SQLite / A_sq", "hub, SQLite", "A_sq", Metric.RATE, 0.6, 0.8),
    Goal("P2", "accept rate, PostgreSQL / A_pg", "hub, PostgreSQL", "A_pg", Metric.RATE, 0.6, 0.8),
    Goal("P2", "CPU per order with PostgreSQL / U", "hub, PostgreSQL", "U", Metric.CPU, 2.4, None),
    Goal("P3", "delivered rate / E", "hub, delivered", "E", Metric.RATE, 0.6, 1.0),
    Goal("P4", "accept rate, vendor slow / fast", "hub, vendor slow", "hub, vendor fast", Metric.RATE, 0.7, 0.95),
    Goal("P4", "accept p50, vendor slow / fast", "hub, vendor slow", "hub, vendor fast", Metric.P50, 1.5, 1.1),
    Goal("P4", "accept rate, vendor dead / fast", "hub, vendor dead", "hub, vendor fast", Metric.RATE, 0.7, 0.95),
    Goal("P4", "accept p50, vendor dead / fast", "hub, vendor dead", "hub, vendor fast", Metric.P50, 1.5, 1.1),
    Goal("P5", "slow vendor: delivered / waiting", "hub, delivered slowly", "hub, waiting", Metric.RATE, 4.0, 6.0),
    Goal("P8", "unloaded accept p50 / U", "hub, SQLite, 1 conn.", "U, 1 conn.", Metric.P50, 3.5, 2.5),
    Goal("P10", "translation CPU, 10 items / U", "hub translation, no pricing", "U", Metric.CPU, 0.3, 0.2),
    Goal("P10", "the same with pricing / U", "hub translation", "U", Metric.CPU, 0.3, 0.2),
)

ALWAYS = ("raw", "U")
"""Visited in every run: the test of the load generator, and the unit."""
BESIDE = {"P8": ("A_sq, 1 conn.",), "P10": ("bare translation",)}
"""What is shown beside a goal, for comparison."""


def plans_for(goal_ids: set[str]) -> list[Plan]:
    """Return the visits that these goals need."""
    needed = set(ALWAYS)
    for goal in GOALS:
        if goal.id in goal_ids:
            needed |= {goal.subject, goal.base, *BESIDE.get(goal.id, ())}
    return [plan for plan in PLANS if plan.name in needed]
