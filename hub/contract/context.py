"""Which order and attempt the current task works for, so that every vendor call can be filed under it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct


class CallContext(Struct, frozen=True):
    """What a call belongs to; empty outside an order's delivery."""

    order_id: str = ""
    attempt: int = 0
    write_before_seconds: float | None = None
    """By when a write must have begun, as `Clock.elapsed_seconds` counts: later ones would outlive the lease."""


_NOTHING = CallContext()
_current: ContextVar[CallContext] = ContextVar("call_context", default=_NOTHING)


def current_call_context() -> CallContext:
    """The order and attempt this task works for."""
    return _current.get()


@contextmanager
def working_for(order_id: str, attempt: int = 0, write_before_seconds: float | None = None) -> Iterator[None]:
    """Files every vendor call inside the block under this order and attempt, and keeps writes inside the lease."""
    token = _current.set(CallContext(order_id, attempt, write_before_seconds))
    try:
        yield
    finally:
        _current.reset(token)
