"""A system that gives this process no more threads."""

import threading

import pytest

NO_THREAD = "can't start new thread"  # what Python says


class NoThread:
    """`no_thread("log", "hub")`: threads with these names are not started any more; `no_thread()`: all are again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._refused: tuple[str, ...] = ()
        start = threading.Thread.start

        def start_or_not(thread: threading.Thread) -> None:
            if thread.name.startswith(self._refused):
                raise RuntimeError(NO_THREAD)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_or_not)

    def __call__(self, *names: str) -> None:
        self._refused = names
