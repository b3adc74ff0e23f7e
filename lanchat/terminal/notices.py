"""Sentences from other threads, on their way to whatever shows them."""

import threading
from collections.abc import Callable


class Problems:
    """Sentences from other threads for whoever is there: kept until the screen is up, then shown in it."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._show: Callable[[str], None] | None = None
        self._lock = threading.Lock()  # guards both

    def __call__(self, problem: str) -> None:
        with self._lock:
            if self._show is None:
                self._kept.append(problem)
            else:
                self._show(problem)

    def show_by(self, show: Callable[[str], None]) -> None:
        with self._lock:
            self._show = show
            for problem in self._kept:
                show(problem)
            self._kept.clear()
