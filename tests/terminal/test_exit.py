"""Signals while an event loop runs, and while Python drops what is raised."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lanchat.terminal.exit import handle_signals, signals_restored
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="event loops handle no signals on Windows")


@pytest.fixture
def wakeup() -> Iterator[int]:
    """The descriptor that Python writes to when a signal comes, as `catch_signals` sets it."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    with reading, writing:
        before = signal.set_wakeup_fd(writing.fileno())
        yield writing.fileno()
        signal.set_wakeup_fd(before)


def test_a_signal_is_handled_in_the_loop_and_the_old_handlers_come_back(wakeup):
    handled: list[int] = []
    before = signal.getsignal(signal.SIGTERM)

    async def show() -> None:
        over = asyncio.Event()

        def end(number: int) -> None:
            handled.append(number)
            over.set()

        handle_signals(end)
        signal.raise_signal(signal.SIGTERM)
        await over.wait()

    with signals_restored():
        asyncio.run(show())
    assert handled == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(wakeup) == wakeup


SWALLOWS = """
import signal, time, weakref
from lanchat.terminal.exit import catch_signals

class Thing: pass

catch_signals()
thing = Thing()
known = weakref.ref(thing, lambda gone: signal.raise_signal(signal.SIGINT))  # as an import has one for its lock
try:
    del thing
    time.sleep(600)
except KeyboardInterrupt:
    print("ended")
"""


def test_an_interrupt_that_comes_while_an_object_is_collected_ends_the_program_all_the_same():
    ended = subprocess.run([sys.executable, "-c", SWALLOWS], capture_output=True, text=True, timeout=PATIENCE)
    assert (ended.stdout, ended.stderr) == ("ended\n", "")
