"""The lines of one IRC client, each when the rate allows it."""

from collections.abc import Callable, Iterator

from lanchat.network.link import Link
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.irc.line import MAX_PARTIAL
from lanchat.protocol.timing import Timing
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.throttle import Throttle


class Lines:
    """Reads lines from a link. Owned by its reader thread."""

    def __init__(self, link: Link, session: IrcSession, throttle: Throttle, timing: Timing) -> None:
        self._link = link
        self._session = session
        self._throttle = throttle
        self._timing = timing
        self._splitter = LineSplitter(MAX_PARTIAL)
        self._ready: list[bytes] = []  # lines that were read and not taken yet
        self._stopped = False

    def stop(self) -> None:
        """Read no more lines."""
        self._stopped = True

    def next(self) -> bytes | None:
        """The next line, before registration; None: the link is over."""
        while not self._ready and not self._stopped:
            if not (data := self._link.receive()):
                return None
            self._ready += self._splitter.feed(data)
        return None if self._stopped else self._ready.pop(0)

    def all(self, taken: Callable[[], None]) -> Iterator[bytes | None]:
        """All lines from now on; None wherever the client pauses.

        Args:
            taken: called after each portion of them.
        """
        lines, self._ready = self._ready, []
        while True:
            for portion in self._throttle.portions(lines):
                for raw in portion:
                    yield raw
                    if self._stopped:
                        return
                taken()
            began_before = bool(self._splitter.partial)
            while not self._link.over and (data := self._link.hear()) is None:
                yield None
            if self._link.over or not data:
                return
            lines = self._splitter.feed(data)
            if self._session.inside:  # outside the room, the deadline of registering holds
                if lines or not self._splitter.partial:
                    self._link.within(None)
                if self._splitter.partial and (lines or not began_before):
                    self._link.within(self._timing.line, "rules", "did not finish a line in time")
