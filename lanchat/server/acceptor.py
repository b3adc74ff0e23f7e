"""Accepts connections at the listeners of all doors, and lets the listeners follow the addresses of this machine."""

import errno
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from lanchat.network.listen import Listeners, Spare
from lanchat.server.doors.base import Door
from lanchat.threads import Closable, Wakeup, join_started

_PAUSE = 0.2  # s without accepting when this process has no descriptor left, not even a spare one; else accept() spins
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = logging.getLogger(__name__)


class Acceptor(Closable):
    """The accept thread, from `start()` to `stop()`. It owns the listeners, and closes them in `close()`.

    Args:
        doors: with the listeners of each.
        accepted: called from the accept thread with a new socket, the IP address of its other end, and its door.
        every: s between two looks at our own addresses.

    Raises:
        OSError: this process has no file descriptors left.
    """

    def __init__(
        self,
        doors: Sequence[tuple[Door, Listeners]],
        accepted: Callable[[socket.socket, str, Door], object],
        every: float,
    ) -> None:
        self._doors = doors
        self._accepted = accepted
        self._every = every
        self._started = False
        self._thread = threading.Thread(target=self._run, name="accept")
        self._spare = Spare()
        try:
            self._stop = Wakeup()
        except BaseException:
            self._spare.close()
            raise

    def start(self) -> None:
        """Accept from now on. Connections that came before have waited in the backlog."""
        self._started = True
        self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called twice."""
        self._stop.set()
        if self._started:
            join_started(self._thread)

    def close(self) -> None:
        """Close the listeners, after `stop()`. May be called twice."""
        for _, listeners in self._doors:
            listeners.close()
        self.detach()

    def detach(self) -> None:
        """Release all but the listeners, after `stop()`: somebody else uses them from now on. May be called twice."""
        self._stop.close()
        self._spare.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop, selectors.EVENT_READ)
            for door, listeners in self._doors:
                for listener in listeners.sockets:
                    selector.register(listener, selectors.EVENT_READ, door)
            follow_at = 0.0
            while True:
                for key, _ in selector.select(self._every):
                    if key.fileobj is self._stop:
                        return
                    assert isinstance(key.fileobj, socket.socket)
                    self._accept(key.fileobj, key.data)
                if (now := time.monotonic()) >= follow_at:
                    follow_at = now + self._every
                    self._follow(selector)

    def _follow(self, selector: selectors.BaseSelector) -> None:
        for door, listeners in self._doors:
            listeners.follow(partial(selector.register, events=selectors.EVENT_READ, data=door), selector.unregister)

    def _accept(self, listener: socket.socket, door: Door) -> None:
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._send_away(listener)
            return  # else the client went away before it was accepted
        self._accepted(sock, str(address[0]), door)

    def _send_away(self, listener: socket.socket) -> None:
        try:
            self._spare.send_away(listener)
        except OSError as error:
            _log.warning("cannot take another link: %s", error.strerror)
            time.sleep(_PAUSE)
