"""Accepts connections at the listeners of all doors, and lets the listeners follow the addresses of this machine.

A door can be opened and closed while the room is open.
"""

import errno
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue

from lanchat.network.listen import Listeners, Spare
from lanchat.server.doors.base import Door
from lanchat.threads import Closable, Wakeup, join_started

_CLOSING = 5.0  # s for the accept thread to close a door; it does nothing that takes longer
_PAUSE = 0.2  # s without accepting when this process has no descriptor left, not even a spare one; else accept() spins
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = logging.getLogger(__name__)


class Acceptor(Closable):
    """The accept thread, from `start()` to `stop()`. It owns the listeners, and closes them in `close()`.

    All methods are for one other thread.

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
        self._doors = list(doors)
        self._accepted = accepted
        self._every = every
        self._started = self._stopping = False
        self._opened: SimpleQueue[tuple[Door, Listeners]] = SimpleQueue()
        self._closed: SimpleQueue[tuple[Door, threading.Event]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="accept")
        self._spare = Spare()
        try:
            self._wakeup = Wakeup()
        except BaseException:
            self._spare.close()
            raise

    def start(self) -> None:
        """Accept from now on. Connections that came before have waited in the backlog."""
        self._started = True
        self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called twice."""
        self._stopping = True
        self._wakeup.set()
        if self._started:
            join_started(self._thread)

    def open_door(self, door: Door, listeners: Listeners) -> None:
        """Accept at these listeners as well, from now on."""
        self._opened.put((door, listeners))
        self._wakeup.set()

    def close_door(self, door: Door) -> None:
        """Close the listeners of this door, and wait until that is done."""
        done = threading.Event()
        self._closed.put((door, done))
        self._wakeup.set()
        if self._started:
            done.wait(_CLOSING)

    def close(self) -> None:
        """Close the listeners, after `stop()`. May be called twice."""
        while not self._opened.empty():
            self._doors.append(self._opened.get())
        for _, listeners in self._doors:
            listeners.close()
        self.detach()

    def detach(self) -> None:
        """Release all but the listeners, after `stop()`: somebody else uses them from now on. May be called twice."""
        self._wakeup.close()
        self._spare.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            for door, listeners in self._doors:
                _register(selector, door, listeners)
            follow_at = 0.0
            while True:
                for key, _ in selector.select(self._every):
                    if key.fileobj is self._wakeup:
                        self._wakeup.drain()
                        continue
                    assert isinstance(key.fileobj, socket.socket)
                    self._accept(key.fileobj, key.data)
                if self._stopping:
                    return
                self._change(selector)
                if (now := time.monotonic()) >= follow_at:
                    follow_at = now + self._every
                    self._follow(selector)

    def _change(self, selector: selectors.BaseSelector) -> None:
        """Open and close the doors that are to be opened and closed."""
        while not self._opened.empty():
            self._doors.append(self._opened.get())
            _register(selector, *self._doors[-1])
        while not self._closed.empty():
            gone, done = self._closed.get()
            for listeners in [listeners for door, listeners in self._doors if door is gone]:
                for listener in listeners.sockets:
                    selector.unregister(listener)
                listeners.close()
            self._doors = [(door, listeners) for door, listeners in self._doors if door is not gone]
            done.set()

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


def _register(selector: selectors.BaseSelector, door: Door, listeners: Listeners) -> None:
    for listener in listeners.sockets:
        selector.register(listener, selectors.EVENT_READ, door)
