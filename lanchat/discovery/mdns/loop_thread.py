"""A plain thread around a library that runs an asyncio loop of its own, made so that closing it never hangs."""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Coroutine
from typing import Any, Generic, Protocol, TypeVar

from lanchat.discovery.sighting import OnProblem
from lanchat.threads import Closable

CLOSE_LIMIT = 3.0  # s; three goodbyes take 0.25 s, while zeroconf with a blocked loop would take 10

_log = logging.getLogger(__name__)

T = TypeVar("T")


class HasLoop(Protocol):
    """An object of the library: it runs an asyncio loop until it is closed."""

    loop: asyncio.AbstractEventLoop | None

    def close(self) -> None: ...


L = TypeVar("L", bound=HasLoop)


class LoopThread(Closable, Generic[L]):
    """A thread that opens the library's object, works with it, and closes it. `close` interrupts whatever it waits for.

    A subclass says what to open and what to do, and starts the thread at the end of its constructor.
    """

    def __init__(self, name: str, on_problem: OnProblem) -> None:
        self._on_problem = on_problem
        self._lock = threading.Lock()  # guards the next two
        self._closing = False
        self._pending: concurrent.futures.Future[Any] | None = None
        self._reported: set[str] = set()  # problems of this try ...
        self._standing: set[str] = set()  # ... and of those before, which are not over yet
        # A daemon, because a blocked loop must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def close(self) -> None:
        """Say goodbye and end, within CLOSE_LIMIT. May be called twice."""
        with self._lock:
            self._closing = True
            if self._pending is not None:
                self._pending.cancel()
        self._wake()
        self._thread.join(CLOSE_LIMIT)
        if self._thread.is_alive():
            _log.warning("%s does not end; leaving it", self._thread.name)

    def _open(self) -> L:
        raise NotImplementedError

    def _work(self, opened: L) -> None:
        raise NotImplementedError

    def _wake(self) -> None:
        """End any wait of the thread that `_await` does not know of."""
        raise NotImplementedError

    def _problem(self, why: str) -> str:
        """The sentence for a person when `_open` or `_work` fails."""
        raise NotImplementedError

    def _should_start(self) -> bool:
        """Wait until there is something to open.

        Returns:
            Whether there is; otherwise the thread ends.
        """
        return True

    def _should_restart(self) -> bool:
        """Wait until there is a reason to start over.

        Returns:
            Whether there is one; otherwise the thread ends.
        """
        return False

    def _say(self, problem: str) -> None:
        """Report a problem, unless it stands already."""
        self._reported.add(problem)
        if problem not in self._standing:
            self._standing.add(problem)
            self._on_problem(problem)

    def _take_back_problems(self) -> None:
        """Say that the problems of earlier tries are over, if this try has none."""
        if self._standing and not self._reported:
            self._standing.clear()
            self._on_problem("")

    def _run(self) -> None:
        while not self._closing and self._should_start():
            self._run_once()
            if self._closing or not self._should_restart():
                return

    def _run_once(self) -> None:
        self._reported.clear()
        try:
            opened = self._open()
        except Exception as error:  # no network, a broken library: the chat works without this
            _log.info("%s cannot start: %r", self._thread.name, error)
            self._say(self._problem(describe_error(error)))
            return
        try:
            self._work(opened)
        except concurrent.futures.CancelledError:
            pass  # closed during a wait
        except Exception as error:
            _log.info("%s failed: %r", self._thread.name, error)
            self._say(self._problem(describe_error(error)))
        finally:
            try:
                opened.close()
            except Exception as error:  # EventLoopBlocked: a blocked loop
                _log.info("%s did not close: %r", self._thread.name, error)

    def _await(self, opened: L, work: Coroutine[Any, Any, T], limit: float) -> T:
        """Run a coroutine in the library's loop and wait for it.

        Raises:
            CancelledError: `close` was called.
            TimeoutError: it took longer than `limit` seconds.
        """
        assert opened.loop is not None
        with self._lock:
            if self._closing:
                work.close()
                raise concurrent.futures.CancelledError
            self._pending = future = asyncio.run_coroutine_threadsafe(work, opened.loop)
        try:
            return future.result(limit)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise


def describe_error(error: Exception) -> str:
    """What went wrong, in lower case, to stand inside a sentence."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
