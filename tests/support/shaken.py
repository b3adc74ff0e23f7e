"""Threads that dawdle: `scripts/test --shaken 1` finds tests that pass only because a thread of the product is quick.

Each thread pauses now and then when it calls a function of lanchat, and some are slow all their life, which is what a
busy machine does to them. The number is the seed. Another run with the same one is not quite the same, since threads do
not start in the same order.
"""

import random
import sys
import threading
import time
from types import FrameType
from typing import Any

_OURS = "/lanchat/"
_OFTEN, _SELDOM = 20, 400  # calls to one pause
_SLOW = 0.25  # of all threads
_LONGEST = 0.03  # s


def shake(seed: int) -> None:
    """Let this thread and those that start from now on pause."""
    seeds = random.Random(seed)

    def begin(frame: FrameType, event: str, argument: Any) -> None:
        own = random.Random(seeds.random())
        sys.setprofile(_pauses(own, _OFTEN if own.random() < _SLOW else _SELDOM))

    threading.setprofile(begin)
    sys.setprofile(_pauses(random.Random(seed), _SELDOM))


def _pauses(own: random.Random, calls: int) -> Any:
    chance = 1 / calls

    def pause(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and own.random() < chance and _OURS in frame.f_code.co_filename:
            time.sleep(own.random() * _LONGEST)

    return pause
