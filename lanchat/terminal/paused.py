"""Waits for a room that lets nobody in while the engine that numbers it does not answer."""

import time
from collections.abc import Callable
from typing import TypeVar

from lanchat.errors import Refused, TimedOut
from lanchat.protocol.closings import is_paused

AGAIN = 1.0  # s between two tries

T = TypeVar("T")


def enter(
    join: Callable[[], T], deadline: float | None, say: Callable[[str], None], *, longest: float, again: float = AGAIN
) -> T:
    """Join, and while the room is paused try again.

    Args:
        deadline: when to give up, by `time.monotonic()`; None: after `longest` s.
        say: called once with a sentence that says what to wait for.

    Raises:
        TimedOut: the deadline has passed, and the room is still paused.
        Refused: the same, without a deadline; or it is refused for another reason.
    """
    until = time.monotonic() + longest if deadline is None else deadline
    told = False
    while True:
        try:
            return join()
        except Refused as refused:
            if not is_paused(refused):
                raise
            if time.monotonic() + again > until:
                what = "The room is still paused: the server that keeps its messages does not answer."
                if deadline is not None:
                    raise TimedOut(what) from None
                raise Refused(what, "Try again later.", code=refused.code) from None
        if not told:
            told = True
            say("The room is paused: the server that keeps its messages does not answer. Waiting until it goes on.")
        time.sleep(again)
