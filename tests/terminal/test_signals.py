"""Signals around an event loop of prompt_toolkit."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import pytest

from lanchat.terminal import signals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no loop hears signals there")


@pytest.fixture
def wakes() -> Iterator[int]:
    """Where Python tells of signals, as `catch_signals` has it."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    with reading, writing:
        before = signal.set_wakeup_fd(writing.fileno())
        yield writing.fileno()
        signal.set_wakeup_fd(before)


def test_a_signal_is_heard_in_the_loop_and_afterwards_all_is_as_before(wakes):
    heard: list[int] = []
    before = signal.getsignal(signal.SIGTERM)

    async def show() -> None:
        over = asyncio.Event()

        def end(number: int) -> None:
            heard.append(number)
            over.set()

        signals.hear(end)
        signal.raise_signal(signal.SIGTERM)
        await over.wait()

    with signals.restored():
        asyncio.run(show())
    assert heard == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(wakes) == wakes
