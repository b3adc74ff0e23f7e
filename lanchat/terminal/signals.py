"""Signals while prompt_toolkit's event loop runs: they end what it shows, and afterwards all is as it was before."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANGUP: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
_ENDING = [signal.SIGTERM, *([signal.Signals(HANGUP)] if HANGUP else [])]


def hear(end: Callable[[int], None]) -> None:
    """From now on a polite kill or a closed terminal calls this with its number, in the event loop that runs."""
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            try:
                asyncio.get_running_loop().add_signal_handler(number, end, number)
            except NotImplementedError:  # Windows
                return


@contextmanager
def restored() -> Iterator[None]:
    """Around an event loop: it leaves the default behind for each signal it has handled, and wakes nobody else."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    wakes = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
