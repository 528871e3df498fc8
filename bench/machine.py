"""What a number was measured on: without it the number says nothing."""

import os
import platform
import statistics
import sys
import sysconfig
import time
from pathlib import Path

SYNCS = 100


def show(folder: Path) -> None:
    """Print the machine, the interpreter, the disk and what else runs."""
    optimised = (
        "PGO"
        if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
        else "no PGO"
    )
    median, worst = sync_ms(folder)
    print(
        f"machine   {os.cpu_count()} cores, {processor()}, {platform.system()} {platform.release()}"
    )
    print(f"python    {platform.python_implementation()} {platform.python_version()}, {optimised}")
    print(
        f"disk      4 KiB written and synced in {median:.2f} ms (median of {SYNCS}; worst {worst:.1f})"
    )
    show_load()


def show_load() -> None:
    """Print how busy the machine is."""
    print(f"load      {' '.join(f'{load:.2f}' for load in os.getloadavg())} (1, 5, 15 minutes)")
    sys.stdout.flush()


def processor() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def sync_ms(folder: Path) -> tuple[float, float]:
    """What making 4 KiB durable takes, median and worst, in ms."""
    took = []
    with (folder / "synced").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(took), max(took)
