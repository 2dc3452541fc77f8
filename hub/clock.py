"""The clock every part of the hub is given."""

import time
from pathlib import Path


class SystemClock:
    """The machine's clock, corrected to the database's where several machines must agree.

    `offset_file` (tests only) holds seconds to add; it is read again at every look, so that time can travel in
    all processes at once.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file
        self._correction_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return int(time.time() * 1000) + self._correction_ms + self._travelled_ms()

    def elapsed_seconds(self) -> float:
        """Seconds since the machine started, counting the time it slept (Linux), for the length of leases."""
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boottime is None else time.clock_gettime(boottime)

    def agree_with(self, database_now_ms: int) -> int:
        """Takes over the database's time; returns by how many milliseconds this machine was off."""
        self._correction_ms = database_now_ms - int(time.time() * 1000)
        return self._correction_ms

    def _travelled_ms(self) -> int:
        if self._offset_file is None:
            return 0
        try:
            return int(float(self._offset_file.read_text()) * 1000)
        except (OSError, ValueError):
            return 0
