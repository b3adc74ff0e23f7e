"""Threads that dawdle: `scripts/test --shaken 1` finds tests that pass only because a thread of the product is quick.

Some threads are slow, which is what a busy machine does to them; the others pause now and then. Most pauses are short,
a few are long. They lie where lanchat or a test calls a function, or comes back from one of Python's own (a lock, a
socket, a queue); on Python 3.12 and later before any line of theirs. Programs that are forks pause as well.

Who is slow depends on the seed, on the test, and on which of its threads this is ("the second reader"): one test alone
with the seed of a whole run meets the same slow threads, but not the same pauses.
"""

import random
import re
import sys
import threading
from collections import Counter
from pathlib import Path
from time import sleep  # the true one: some tests put another into the module
from types import CodeType, FrameType
from typing import Any

_TOP = Path(__file__).parents[2]
_OURS = (f"{_TOP}/lanchat/", f"{_TOP}/tests/")
_SLOW = 0.25  # of all threads
_OFTEN, _SELDOM = 20, 500  # places to one pause, of a slow thread and of another
_LONGEST = 0.3  # s; a ninth of it in the mean, and one of eight is longer than a third
_ENOUGH = 2.0  # s; who has paused so long is quick from then on: a test that works much is no test that takes an hour


class _Thread:
    """When one thread pauses."""

    def __init__(self, who: str) -> None:
        self._draw = random.Random(who).random
        self._chance = 1 / (_OFTEN if self._draw() < _SLOW else _SELDOM)
        self._left = _ENOUGH

    def pass_by(self, code: CodeType) -> None:
        """It comes to a place where it could pause."""
        if self._draw() < self._chance and self._left > 0 and code.co_filename.startswith(_OURS):
            pause = self._draw() ** 8 * _LONGEST
            self._left -= pause
            sleep(pause)


class Shaker:
    """Lets threads pause: the one that makes it, and those that start from now on.

    Args:
        story: what else decides who is slow; that of a program is not that of its test.
    """

    def __init__(self, seed: int, story: str = "") -> None:
        self.seed = seed
        self._lock = threading.Lock()  # guards the names, and the number of programs
        self.begin(story)
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            monitoring.use_tool_id(monitoring.PROFILER_ID, "shaken")
            monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.LINE, self._on_line)
            monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.LINE)
        else:
            threading.setprofile(self._on_first_call)
            sys.setprofile(self._on_first_call)

    def begin(self, story: str) -> None:
        """A test begins. Its main thread only."""
        with self._lock:
            self._story = story
            self._programs = 0
            self._names: Counter[str] = Counter()
        self._threads = threading.local()
        if sys.version_info < (3, 12):
            sys.setprofile(self._on_first_call)

    def for_a_program(self) -> tuple[int, str]:
        """The arguments for that of a program which the test starts."""
        with self._lock:
            self._programs += 1
            return self.seed, f"{self._story} {self._programs}"

    def _this_thread(self) -> _Thread:
        with self._lock:
            role = re.sub("[0-9]+", "", threading.current_thread().name)
            self._names[role] += 1
            return _Thread(f"{self.seed} {self._story} {role} {self._names[role]}")

    def _on_first_call(self, frame: FrameType, event: str, argument: Any) -> None:
        pass_by = self._this_thread().pass_by

        def on_event(frame: FrameType, event: str, argument: Any) -> None:
            if event != "return":
                pass_by(frame.f_code)

        sys.setprofile(on_event)

    if sys.version_info >= (3, 12):

        def _on_line(self, code: CodeType, line: int) -> Any:
            if not code.co_filename.startswith(_OURS):
                return sys.monitoring.DISABLE
            try:
                thread = self._threads.it
            except AttributeError:
                thread = self._threads.it = self._this_thread()
            thread.pass_by(code)
