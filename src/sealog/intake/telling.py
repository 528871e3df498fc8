"""The thread that tells what was counted by the hour: it keeps the counts durable, and tells them.

What keys read, and what came in and was not recorded because its tenant chose so.
"""

import threading
from collections.abc import Callable

from sealog.access.reads import HOUR_US, Reads
from sealog.intake.recording import EVENTS_AT_ONCE, Recorder
from sealog.policy.policies import Policies
from sealog.policy.unrecorded import Unrecorded

KEEP_S = 5.0
"""What is counted is durable after so long, at most (decision 0013)."""


class Teller:
    """`start` it where events are accepted; `stop` it before the store is closed."""

    def __init__(
        self,
        reads: Reads,
        recorder: Recorder,
        clock: Callable[[], int],
        unrecorded: Unrecorded | None = None,
        policies: Policies | None = None,
    ) -> None:
        self.trouble: Exception | None = None
        self._reads = reads
        self._unrecorded = unrecorded
        self._policies = policies
        self._recorder = recorder
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealog-reads", daemon=True)

    def start(self) -> None:
        """Go on in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Keep what was counted last, and end; hours that are not over are told another time."""
        self._stopping.set()
        self._thread.join()
        self._reads.keep()
        if self._unrecorded is not None:
            self._unrecorded.keep()

    def step(self) -> None:
        """Keep what was counted; tell what is over, and what was changed and is not told yet."""
        if self._policies is not None:
            self._policies.finish(self._recorder.policy_changed)
        self._reads.keep()
        while told := self._reads.over()[:EVENTS_AT_ONCE]:
            self._recorder.reads(told)
            # If we die here they are told again, under the same ids: nothing is doubled.
            self._reads.forget(told)
        if self._unrecorded is not None:
            self._tell_unrecorded(self._unrecorded)

    def _tell_unrecorded(self, unrecorded: Unrecorded) -> None:
        unrecorded.keep()
        while unkept := unrecorded.over()[:EVENTS_AT_ONCE]:
            self._recorder.not_recorded(unkept)
            unrecorded.forget(unkept)

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - `trouble` tells /readyz, and it is tried again
                self.trouble = error
            else:
                self.trouble = None
            if self._stopping.wait(self._until_next_s()):
                return

    def _until_next_s(self) -> float:
        """Not past the end of the hour: what comes after it counts in the next."""
        left_us = HOUR_US - self._clock() % HOUR_US
        return min(KEEP_S, left_us / 1_000_000)
