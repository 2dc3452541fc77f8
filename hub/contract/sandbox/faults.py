"""Fault rules: what goes wrong with which calls of a sandbox, how often, and how often it has."""

import random
from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec


class Fault(StrEnum):
    """What a rule does to a call."""

    DELAY = "delay"
    """Wait, then answer as usual."""
    STATUS = "status"
    """Answer with an error status."""
    DROP_BEFORE = "drop_before"
    """Close the connection; nothing has been done."""
    DROP_AFTER = "drop_after"
    """Do the work and commit it, then close the connection without an answer."""
    RATE_LIMITED = "rate_limited"
    """Answer 429."""
    REJECTED = "rejected"
    """Answer 200 with the vendor's own "no" inside."""
    MALFORMED = "malformed"
    """Answer 200 with something that is not the JSON that was due."""
    TRICKLE = "trickle"
    """Do the work, then send the answer one byte at a time."""
    HANG = "hang"
    """Never answer; the connection stays open."""
    DOWN = "down"
    """Close the connection of every call that matches; nothing is done."""


WORKED_FIRST = frozenset({Fault.DELAY, Fault.DROP_AFTER, Fault.TRICKLE})


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault for the calls that match every filter given; a rule without filters matches all calls.

    `after_commit` lets the sandbox do its work before any other fault, as a gateway does that gives up on
    a slow server: `{"fault": "status", "status": 504, "after_commit": true}`.
    """

    fault: Fault
    operation: str | None = None
    """The vendor-neutral name of a call, for example `create_order`."""
    method: str | None = None
    path: str | None = None
    """A shell pattern on the path without its query: `*/orders/*`."""
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How often the rule fires before it is spent; None: until it is cleared."""
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    delay_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Wait this long before anything else; with `trickle`, the wait between two bytes."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    retry_after: int | str | None = None
    """The `Retry-After` header as it is: seconds, an HTTP date, or any text. None: no header."""
    body: str | None = None
    """The body to send in place of the vendor's own."""
    half_json: bool = False
    """With `malformed`: JSON that breaks off, in place of a page of HTML."""
    after_commit: bool = False

    def matches(self, operation: str, method: str, path: str) -> bool:
        """True when every filter of this rule fits the call."""
        return (
            self.operation in (None, operation)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatchcase(path, self.path))
        )


class RuleState(msgspec.Struct, frozen=True):
    """A rule, the number it goes by, and how often it has fired."""

    number: int
    fired: int
    rule: Rule


class _Armed:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.fired = 0
        self._dice = random.Random(rule.seed)

    def fires(self) -> bool:
        if self.rule.times is not None and self.fired >= self.rule.times:
            return False
        if self.rule.probability < 1 and self._dice.random() >= self.rule.probability:
            return False
        self.fired += 1
        return True


class Faults:
    """The rules in force. Rules are tried in the order given and the first that fires is the only one."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._armed: dict[int, _Armed] = {}
        self.replace(rules)

    def replace(self, rules: Iterable[Rule]) -> None:
        """Puts these rules in force, numbered from 1, in place of all others; counters start again."""
        self._armed = {number: _Armed(rule) for number, rule in enumerate(rules, start=1)}

    def add(self, rule: Rule) -> int:
        """Adds one rule behind the others and gives the number it goes by."""
        number = max(self._armed, default=0) + 1
        self._armed[number] = _Armed(rule)
        return number

    def clear(self) -> None:
        """Removes every rule."""
        self._armed = {}

    def fired(self, number: int) -> int:
        """How often the rule with this number has fired; raises `KeyError` when there is none."""
        return self._armed[number].fired

    def take(self, operation: str, method: str, path: str) -> Rule | None:
        """The rule that fires for this call, counted as fired, or None."""
        for armed in self._armed.values():
            if armed.rule.matches(operation, method, path) and armed.fires():
                return armed.rule
        return None

    def states(self) -> list[RuleState]:
        """Every rule with its number and counter."""
        return [RuleState(number, armed.fired, armed.rule) for number, armed in self._armed.items()]
