"""The time that a script may still wait."""

import time

LONGEST_WAIT = 1e6  # s at once; with a longer time (`--linger inf`) Python's clock overflows on some systems


def remaining(deadline: float | None) -> float:
    """The seconds to wait at once, at least 0.

    Args:
        deadline: by `time.monotonic()`; None: there is none.
    """
    return LONGEST_WAIT if deadline is None else min(max(0.0, deadline - time.monotonic()), LONGEST_WAIT)
