"""The links of a host. Each of them is served by a thread of its own, from the accepted socket to the end."""

import logging
import socket
from collections.abc import Callable
from functools import partial

from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol.limits import Limits
from lanchat.protocol.timing import Timing
from lanchat.server.admission import Admission, source_of
from lanchat.server.doors.base import Door
from lanchat.server.quotas import Quota, Quotas
from lanchat.server.readers import Readers
from lanchat.server.session import Reading

_OVER = object()

_log = logging.getLogger(__name__)


class Links:
    """Serves links from `start()` to `close()`, which are for one thread; all other methods are for any thread.

    Args:
        limits: what strangers and members may do.
        hosted_elsewhere: whether another computer hosts the room now. Nobody is accepted then.
    """

    def __init__(self, limits: Limits, timing: Timing, hosted_elsewhere: Callable[[], bool]) -> None:
        self.admission = Admission(limits)
        self._quotas = Quotas(limits)
        self._timing = timing
        self._hosted_elsewhere = hosted_elsewhere
        self._readers = Readers()
        self._flusher: Flusher | None = None

    @property
    def read(self) -> list[Link]:
        """All links that are served now, of members and strangers."""
        return self._readers.links

    def start(self) -> None:
        self._readers.allow_parking(self._timing.park)
        try:
            self._flusher = Flusher("host-flusher", self._timing)
        except BaseException:
            self._readers.finish(0.0)
            raise

    def finish(self) -> None:
        """Wait until all links have ended, and drop those that take too long."""
        self._readers.finish(self._timing.goodbye)

    def close(self) -> None:
        """Send nothing any more, after `finish()`."""
        if self._flusher is not None:
            self._flusher.close()

    def accept(self, sock: socket.socket, address: str, door: Door) -> None:
        """Serve an accepted connection, or close it if the limits do not allow it."""
        source = source_of(address)
        # A host that has handed its room over shows no card: the new host would see it, and yield to this one.
        if self._hosted_elsewhere() or not self.admission.accepts(source):
            sock.close()
            return
        try:
            self.serve(sock, door, source)
        except (RuntimeError, OSError) as error:  # no thread is left, or the client is gone already
            _log.warning("cannot serve another link: %s", error)
            sock.close()

    def serve(self, sock: socket.socket, door: Door, source: str | None = None) -> None:
        """Serve a connection in a new thread. `source` is whom it counts for; None: it is the host's own link."""
        assert self._flusher is not None
        link = Link(sock, door.channel(sock), self._flusher)
        quota = self._quotas.open(source or "")
        link.limit_bytes(quota.bytes)
        if source is not None:
            self.admission.begin(link, source)
        try:
            self._readers.start(link, partial(self._greet, link, quota, door), own=source is None)
        except RuntimeError:
            self._end(link, quota)
            raise

    def _greet(self, link: Link, quota: Quota, door: Door) -> None:
        """Run the greeting. A link that is admitted continues on another thread, because a thread that has made a TLS
        handshake holds 29 KiB of OpenSSL's random generators and of stack until it ends."""
        reading = None
        try:
            reading = door.greet(link, quota)
        finally:
            if reading is None:
                self._end(link, quota)
        if reading is not None:
            self._readers.go_on(link, partial(self._read, link, quota, reading))

    def _read(self, link: Link, quota: Quota, reading: Reading) -> bool:
        """Read until the link pauses, or is over. Returns whether it goes on."""
        goes_on = False
        try:
            goes_on = next(reading, _OVER) is not _OVER
        finally:
            if not goes_on:
                self._end(link, quota)
        return goes_on

    def _end(self, link: Link, quota: Quota) -> None:
        """Release everything that belongs to this link. Its last reader calls this."""
        try:
            self.admission.end(link)
            quota.close()
            self._readers.leave(link)
            link.close()
        finally:
            self._readers.done(link)
