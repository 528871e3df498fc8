"""Holding less memory that nobody uses. Called before pyarrow is imported and any thread begins."""

import ctypes
import os
from collections.abc import MutableMapping

ARENAS_MAX = 2
"""Of the C library: else it has eight a core, each with a rest of its own that no other thread takes."""
_POOL, _ARENAS = "ARROW_DEFAULT_MEMORY_POOL", "MALLOC_ARENA_MAX"
_M_ARENA_MAX = -8


def spare_memory(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take memory from few arenas, in pyarrow too, here and in the processes that we start.

    What an operator set in the environment stands. Measured with a million events, after 600
    questions: 300 MB of anonymous memory instead of 346, at the same processor time.
    """
    # The pools that pyarrow brings keep what they once had.
    environment.setdefault(_POOL, "system")
    if _ARENAS in environment:
        return
    environment[_ARENAS] = str(ARENAS_MAX)
    library = ctypes.CDLL(None)
    # Only glibc has arenas to be counted; the variable alone is read when a process begins.
    if hasattr(library, "mallopt"):
        library.mallopt(_M_ARENA_MAX, ARENAS_MAX)
