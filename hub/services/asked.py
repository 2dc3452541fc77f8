"""How a change of an order is asked for, and what the one who asked is told."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import Connection

from hub.database import change_keys
from hub.database.change_keys import FirstAnswer
from hub.errors import KeyReused
from hub.model.order import OrderRecord
from hub.services.orders import IDEMPOTENCY_DAYS

_DAY_MS = 86_400_000


class AtPos(StrEnum):
    """What happens to a change at the POS."""

    QUEUED = "queued"
    APPLIED = "applied"
    """Nothing had to be sent: the POS has it so, or never had the order."""
    NOT_SUPPORTED = "not_supported"
    """The POS cannot take it: the hub alone knows."""
    NO_POS = "no_pos"
    REFUSED = "refused"
    """The POS was asked and did not take it; the order's way into the POS says why."""


class Changed(Struct, frozen=True, kw_only=True):
    """An order after a change was asked for. `applied` is False while the POS has to agree first."""

    record: OrderRecord
    pos: AtPos
    applied: bool = True
    first_answer: str = ""
    """With an idempotency key that came before: the answer of then, word for word; nothing was changed now."""


@dataclass(frozen=True)
class Once:
    """Makes a change happen once: a caller's key, a digest of all that was asked, and how the answer is written."""

    caller_id: str
    key: str
    """As the caller chose it."""
    fingerprint: bytes
    render: Callable[[Changed], str]

    @property
    def name(self) -> str:
        """The key as it is stored, unique over all callers."""
        return f"{self.caller_id} {self.key}"

    def take(self, connection: Connection, order_id: str, now_ms: int) -> FirstAnswer | None:
        """Takes the key inside the change's transaction; None, or the request that had it first."""
        return change_keys.take_key(
            connection,
            name=self.name,
            fingerprint=self.fingerprint,
            order_id=order_id,
            now_ms=now_ms,
            expires_at_ms=now_ms + IDEMPOTENCY_DAYS * _DAY_MS,
        )

    def answer_of(self, first: FirstAnswer) -> str:
        """The answer to repeat. Raises `KeyReused` when the first request asked for something else."""
        if first.fingerprint != self.fingerprint:
            raise KeyReused(
                f"Idempotency-Key {self.key!r} was used for another request; use a new key", field="Idempotency-Key"
            )
        return first.answer


@dataclass(frozen=True)
class Asked:
    """Who asks for a change, of which order, and of which version of it (None: of whatever it is now)."""

    order_id: str
    actor: str
    version: int | None = None
    once: Once | None = None
