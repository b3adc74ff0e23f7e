"""The link to the host, for questions that nobody resends: they are asked once more on the next link."""

from collections.abc import Callable

from lanchat.errors import LanchatError
from lanchat.protocol.messages import FromMember


class HostLink:
    """Owned by `Delivery`, which guards `begin`, `pause` and `end`; all else is for any thread.

    Args:
        send: hands a message to the current link; never waits.

    Attributes:
        number: of this link, or of the last one; the first has 1.
        key: the raw public key of its host.
        largest_file: bytes of the largest file that its host takes; 0: it takes none.
        over: why the connection has ended for good; None: it has not.
    """

    def __init__(self, send: Callable[[FromMember], None]) -> None:
        self.number = 0
        self.key = b""
        self.largest_file = 0
        self.over: LanchatError | None = None
        self.connected = False
        self._send = send

    def begin(self, key: bytes, largest_file: int) -> None:
        """The host with this key has admitted us."""
        self.key, self.largest_file = key, largest_file
        self.number += 1
        self.connected = True

    def pause(self) -> None:
        """The link is lost."""
        self.connected = False

    def end(self, error: LanchatError) -> None:
        """The connection has ended for good."""
        self.connected, self.over = False, error

    def ask(self, message: FromMember) -> int:
        """Send a question. Returns the number of the link that it goes over; 0: there is none now."""
        number = self.number
        if not self.connected:
            return 0
        self._send(message)
        return number

    def is_lost(self, asked: int) -> bool:
        """Whether the link that a question went over is gone."""
        return not self.connected or self.number != asked
