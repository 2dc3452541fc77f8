"""What every creation over the API shares: with an `Idempotency-Key` a thing is made once, however often it is asked
for; and what every change shares: the version it is meant for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection

from hub.database.change_keys import keep_answer, take_key
from hub.errors import Conflict, KeyReused
from hub.services.orders import IDEMPOTENCY_DAYS

_T = TypeVar("_T")
_DAY_MS = 86_400_000


class Created(Struct, frozen=True):
    """The answer to a creation; `replayed` when this key came before, and the answer is the one of then."""

    answer: str
    replayed: bool = False


@dataclass(frozen=True)
class Creation:
    """Who makes something under which key (none: empty), a digest of all that was asked, and how the thing reads."""

    principal: str
    actor: str
    key: str
    fingerprint: bytes
    render: Callable[[object], str]

    def once(self, connection: Connection, thing_id: str, now_ms: int, make: Callable[[], object]) -> Created:
        """Makes the thing unless its key was used before. Raises `KeyReused` when that was for something else."""
        name = f"{self.principal} {self.key}"
        if self.key:
            first = take_key(
                connection,
                name=name,
                fingerprint=self.fingerprint,
                order_id=thing_id,
                now_ms=now_ms,
                expires_at_ms=now_ms + IDEMPOTENCY_DAYS * _DAY_MS,
            )
            if first is not None:
                if first.fingerprint != self.fingerprint:
                    raise KeyReused(
                        f"Idempotency-Key {self.key!r} was used for another request; use a new key",
                        field="Idempotency-Key",
                    )
                return Created(first.answer, True)
        answer = self.render(make())
        if self.key:
            keep_answer(connection, name, answer)
        return Created(answer)


def check_version(wanted: int | None, actual: int) -> None:
    """Raises `Conflict` when a change was meant for another version (None: for any)."""
    if wanted is not None and wanted != actual:
        raise Conflict(
            f"version: it is at version {actual}, not {wanted}; read it again", field="version", code="VERSION_CONFLICT"
        )


def saved(thing: _T | None) -> _T:
    """What was saved. Raises `Conflict` when somebody else was faster."""
    if thing is None:
        raise Conflict("it changed at this moment; read it again and repeat", code="VERSION_CONFLICT")
    return thing
