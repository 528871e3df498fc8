"""How much is tried: a few cases by default, all of them with SEALOG_FAULTS=all."""

import os

ALL = os.environ.get("SEALOG_FAULTS") == "all"
# Everything that follows the journal is at work all the time, so that a fault hits it anywhere.
HURRIED = {
    "LEDGER__SIGN_EVERY_S": 0.1,
    "LEDGER__SYNC_EVERY_S": 0.3,
    "ARCHIVE__SEGMENT_EVENTS": 16,
    "ARCHIVE__CUT_EVERY_S": 0.05,
    "ARCHIVE__WAITING_EVENTS_MAX": 1_000,
    # Most batches are prepared in processes of their own.
    "INTAKE__INLINE_BYTES_MAX": 4_000,
}


def chosen(cases, few):
    """All cases, or those few that are tried each time."""
    return list(cases) if ALL else list(few)
