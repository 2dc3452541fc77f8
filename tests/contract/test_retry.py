"""Brief repetitions of reads."""

import pytest

from hub.contract.retry import read_patiently, retry_read
from hub.errors import ConnectorError, VendorRateLimited, VendorRejected, VendorUnavailable

pytestmark = pytest.mark.anyio


class Reading:
    """Fails as told, then gives "menu"."""

    def __init__(self, *failures: ConnectorError) -> None:
        self._failures = list(failures)
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self._failures:
            raise self._failures.pop(0)
        return "menu"


async def test_a_read_is_repeated_only_for_the_error_it_is_meant_for() -> None:
    missing = Reading(VendorRejected("404"))
    assert await retry_read(missing, attempts=2, error=VendorRejected) == "menu"
    assert missing.tries == 2
    with pytest.raises(VendorRejected):
        await retry_read(Reading(VendorRejected("404"), VendorRejected("404")), attempts=2, error=VendorRejected)
    with pytest.raises(VendorUnavailable):
        await retry_read(Reading(VendorUnavailable("503")), attempts=2, error=VendorRejected)


async def test_a_patient_read_waits_as_long_as_it_is_asked_to_and_not_for_ever() -> None:
    slow = VendorRateLimited("ours", retry_after_seconds=0.001)
    reading = Reading(slow, slow, slow)
    assert await read_patiently(reading) == "menu"
    assert reading.tries == 4
    with pytest.raises(VendorRateLimited):
        await read_patiently(Reading(*[slow] * 20))
    with pytest.raises(VendorUnavailable):
        await read_patiently(Reading(VendorUnavailable("503")))
