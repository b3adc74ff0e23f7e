"""Signals while an event loop runs."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import pytest

from lanchat.terminal.exit import handle_signals, signals_restored

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
