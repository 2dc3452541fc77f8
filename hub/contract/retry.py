"""Brief retries for reads; writes are repeated by the outbox alone, which survives a restart."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hub.errors import ConnectorError, VendorRateLimited, VendorUnavailable

_T = TypeVar("_T")
_MOST_WAITS = 20


async def retry_read(
    read: Callable[[], Awaitable[_T]], *, attempts: int = 3, error: type[ConnectorError] = VendorUnavailable
) -> _T:
    """Runs a read up to three times, with a jittered pause below a second, while it fails with `error`."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(error),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.1, max=0.8),
        reraise=True,
    ):
        with attempt:
            return await read()
    raise AssertionError("tenacity re-raises the last error")


async def read_patiently(read: Callable[[], Awaitable[_T]]) -> _T:
    """Runs one of many reads for which nobody is waiting (a menu, item by item), pausing when a limit says so."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(VendorRateLimited),
        stop=stop_after_attempt(_MOST_WAITS),
        wait=_as_asked,
        reraise=True,
    ):
        with attempt:
            return await read()
    raise AssertionError("tenacity re-raises the last error")


def _as_asked(state: RetryCallState) -> float:
    problem = state.outcome.exception() if state.outcome is not None else None
    return problem.retry_after_seconds if isinstance(problem, VendorRateLimited) else 0.0
