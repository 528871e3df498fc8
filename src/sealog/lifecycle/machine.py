"""The machine's clocks: the one that people set, and the one that counts from its start."""

import time
from collections.abc import Callable
from pathlib import Path

from sealog.lifecycle.trust import Clocks

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Sleep counts. Where the system has no such clock, sleep looks like a clock that was set ahead.
_COUNTING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clocks(clock_us: Callable[[], int]) -> Clocks:
    """Those of this machine. `clock_us`: microseconds since 1970."""
    return Clocks(clock_us, _elapsed_us, _boot())


def _elapsed_us() -> int:
    return time.clock_gettime_ns(_COUNTING) // 1000


def _boot() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
