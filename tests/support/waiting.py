"""Waiting for something to become true: the one way a test waits for another thread."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0  # s; a test that waits so long has failed, however busy the machine
_FIRST_STEP, _LAST_STEP = 0.001, 0.02  # s between two looks; in between, a tenth of what was waited for so far


def wait_until(condition: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """What the condition gives, as soon as that is true.

    Raises:
        AssertionError: it was not, for so many seconds.
    """
    began = time.monotonic()
    while not (result := condition()):
        waited = time.monotonic() - began
        if waited > timeout:
            raise AssertionError(f"waited {timeout} s for {what or getattr(condition, '__name__', 'it')}")
        time.sleep(min(max(_FIRST_STEP, waited / 10), _LAST_STEP))
    return result


def ended(call: Callable[[], T]) -> T:
    """What a call gives that has to end by itself, although it would wait longer than a test does.

    Raises:
        AssertionError: it went on waiting.
    """
    given: list[T] = []
    thread = threading.Thread(target=lambda: given.append(call()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert given, "it went on waiting"
    return given[0]
