"""When a record that was not taken is sent again.

The schedule is that of Standard Webhooks 1.0: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h,
14 h, 20 h and 24 h, and from there on every 24 h, for ever: a stream's position points into the log,
so that nothing waits in memory meanwhile.
"""

DELAYS_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before the first attempt, the second, and so on."""
LEAST_S = 1.0
LEAST_MOST_S = 300.0
"""Who says "in a second" each time is asked after 1 s, 2 s, 4 s … and at last every 5 minutes."""
MOST_S = 86_400.0
"""However long a destination asks to be left alone."""
JITTER = 0.1
"""Of a delay, at most, and only added: many streams of one destination come back one by one."""


def delay_s(failures: int, asked_s: float | None, chance: float) -> float:
    """Seconds until the next attempt, after so many failures in a row (1 or more).

    `asked_s`: what the destination asked for (`Retry-After`), which counts instead of the schedule,
    within bounds; `chance`: 0 to 1, anew each time.
    """
    if asked_s is None:
        base = float(DELAYS_S[min(failures, len(DELAYS_S) - 1)])
    else:
        least = min(LEAST_S * 2.0 ** min(failures - 1, 30), LEAST_MOST_S)
        base = min(max(asked_s, least), MOST_S)
    return base * (1 + JITTER * chance)
