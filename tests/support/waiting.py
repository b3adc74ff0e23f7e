"""Waiting for something to become true: the one way a test waits for another thread."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0  # s; a test that waits so long has failed, however busy the machine
_STEP = 0.002  # s between two looks


def wait_until(condition: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """What the condition gives, as soon as that is true.

    Raises:
        AssertionError: it was not, for so many seconds.
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what or getattr(condition, '__name__', 'it')}")
        time.sleep(_STEP)
    return result
