"""The options of the sandbox: which server it plays, and how its races and limits come out."""

from dataclasses import dataclass

# Employee tokens hold for 24 hours, those of an owner for 7 days.
EMPLOYEE_TOKEN_SECONDS = 24 * 3600
OWNER_TOKEN_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Options:
    """The defaults play the published server; the others play the one of the documentation, or a worse day."""

    legacy_employee_header: bool = False
    """Take the id in `x-employee-id` for a login, as the documentation says; a token still counts as well."""
    documented_paths: bool = False
    """Serve the four calls of the documentation that the published server does not have, in place of its own."""
    plan_gate: bool = True
    """Refuse what is not in the plan of the tenant (the second tenant of the seed is on the free plan)."""
    insert_gap_ms: int = 5
    """The time between looking for an `offline_temp_id` and writing the order, in which a twin slips through."""
    commit_delay_ms: int = 0
    """How long after its answer a change of an order is seen by other calls."""
    limit_scale: float | None = None
    """None: no rate limits. 1: those of the vendor. 0.1: a tenth of them, at least one call each."""
    token_seconds: int = EMPLOYEE_TOKEN_SECONDS
    """The life of an employee's token."""
