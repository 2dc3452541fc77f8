"""Brief retries for reads; writes are repeated by the outbox alone, which survives a restart."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hub.errors import VendorUnavailable

_T = TypeVar("_T")


async def retry_read(read: Callable[[], Awaitable[_T]], *, attempts: int = 3) -> _T:
    """Runs a read up to three times, with a jittered pause below a second, while the vendor is unavailable."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(VendorUnavailable),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.1, max=0.8),
        reraise=True,
    ):
        with attempt:
            return await read()
    raise AssertionError("tenacity re-raises the last error")
