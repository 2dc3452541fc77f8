"""The report of an accreditation: each step, what was sent, what came, and whether that is as it should be."""

from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    CANNOT = "cannot"
    """The other side, or this link's settings, offer no such thing; that is no failure."""


class Step(Struct, frozen=True, kw_only=True):
    """One step. `sent` and `came` are words for a person and hold no secret."""

    name: str
    sent: str
    came: str
    outcome: Outcome
    milliseconds: int


class Accreditation(Struct, frozen=True, kw_only=True):
    """All steps at one link, in the order they were taken."""

    link: str
    connector: str
    began: str
    """ISO 8601, UTC."""
    steps: tuple[Step, ...]

    @property
    def passed(self) -> bool:
        """Whether no step failed."""
        return all(step.outcome is not Outcome.FAILED for step in self.steps)
