"""A plain thread around a library that runs an asyncio loop of its own, such that closing never hangs."""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from lanchat.threads import Closable

CLOSE_LIMIT = 3.0  # s; three goodbyes take 0.25 s, a starved loop of zeroconf would take 10

_log = logging.getLogger(__name__)

T = TypeVar("T")
Tell = Callable[[str], None]  # a problem, as one sentence for a person


class Looped(Protocol):
    """What runs a loop."""

    loop: asyncio.AbstractEventLoop | None

    def close(self) -> None: ...


L = TypeVar("L", bound=Looped)


class Station(Closable, Generic[L]):
    """A plain thread with a library's loop in it. Whatever waits there can be cut short by `close`, from any thread."""

    def __init__(self, thread_name: str, tell: Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()  # guards the two below
        self._closing = False
        self._pending: concurrent.futures.Future[Any] | None = None
        # A daemon: a starved loop must not hold up the end of the program.
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)

    def close(self) -> None:
        """Say goodbye and come to rest, within CLOSE_LIMIT. May be called twice."""
        with self._lock:
            self._closing = True
            if self._pending is not None:
                self._pending.cancel()
        self._wake()
        self._thread.join(CLOSE_LIMIT)
        if self._thread.is_alive():
            _log.warning("%s does not come to rest; leaving it", self._thread.name)

    def _work(self, looped: L) -> None:
        raise NotImplementedError

    def _open(self) -> L:
        raise NotImplementedError

    def _wake(self) -> None:
        raise NotImplementedError

    def _trouble(self, why: str) -> str:
        raise NotImplementedError

    def _wait_again(self) -> bool:
        """Wait for a reason to begin anew.

        Returns:
            Whether there is one; else this was all.
        """
        return False

    def _run(self) -> None:
        self._run_once()
        while not self._closing and self._wait_again():
            self._run_once()

    def _run_once(self) -> None:
        try:
            looped = self._open()
        except Exception as error:  # no network, a broken library: the chat goes on without
            _log.info("%s cannot begin: %r", self._thread.name, error)
            self._tell(self._trouble(told(error)))
            return
        try:
            self._work(looped)
        except concurrent.futures.CancelledError:
            pass  # closed while we waited
        except Exception as error:
            _log.info("%s failed: %r", self._thread.name, error)
            self._tell(self._trouble(told(error)))
        finally:
            try:
                looped.close()
            except Exception as error:  # EventLoopBlocked: a starved loop
                _log.info("%s did not close: %r", self._thread.name, error)

    def _await(self, looped: L, work: Coroutine[Any, Any, T], limit: float) -> T:
        """Run this in its loop.

        Raises:
            CancelledError: `close` was called.
            TimeoutError: it took longer than `limit` seconds.
        """
        assert looped.loop is not None
        with self._lock:
            if self._closing:
                work.close()
                raise concurrent.futures.CancelledError
            self._pending = future = asyncio.run_coroutine_threadsafe(work, looped.loop)
        try:
            return future.result(limit)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise


def told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
