"""Cuts what a plain client sends into messages, whether it sends lines, whole messages without an end, or single keys.

netcat sends a line when Enter is pressed, a simple program may send each message as it is, and the telnet of Windows
sends each key at once. Nothing announces which of them it is, so the first pieces tell.
"""

from collections.abc import Callable
from enum import Enum, auto

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.framing import MAX_LINE, LineSplitter
from lanchat.protocol.timing import Timing
from lanchat.server.doors.telnet import Telnet

_FEW_KEYS = 4  # bytes; two quick keys may come in one read, and an arrow key has three bytes
_ERASING = "\b\x7f"  # what the key above Enter sends, as terminals differ


class _Sends(Enum):
    UNKNOWN = auto()
    LINES = auto()
    MESSAGES = auto()  # without line ends: each send is one
    KEYS = auto()  # a person types, and only Enter ends a line, however long they think


class PlainInput:
    """The messages of one plain client. Reader thread only."""

    def __init__(self, link: Link, timing: Timing) -> None:
        self._link = link
        self._timing = timing
        self._splitter = LineSplitter(MAX_LINE)  # the room tells who says more than a message holds
        self._telnet = Telnet()
        self.ready: list[bytes] = []  # messages that were read and not taken yet
        self._sends = _Sends.UNKNOWN
        self._ended = False

    def next(self) -> bytes | None:
        """The next message, perhaps empty; None at the end of the link."""
        while not self.ready and not self._ended:
            self._read(self._link.receive)
        return self.ready.pop(0) if self.ready else None

    def all(self) -> list[bytes] | None:
        """The messages of the next read, some perhaps empty; none: the client pauses; None at the end of the link."""
        while not self.ready and not self._ended:
            if not self._read(self._link.hear):
                return []
        ready, self.ready = self.ready, []
        return ready or None

    def _read(self, hear: Callable[[], bytes | None]) -> bool:
        """Returns whether anything has come."""
        if (begun := self._splitter.partial) and self._sends is not _Sends.KEYS:
            timing = self._timing
            if self._link.quiet(timing.single_key if _is_key(begun) else timing.unended_line):
                if self._sends is _Sends.UNKNOWN:
                    self._sends = _Sends.MESSAGES
                self._cut(b"\n")
                return True
        if (read := hear()) is None:
            return False
        data = self._telnet.feed(read)
        if b"\0" in data:
            raise ProtocolError("This port takes text only.")
        if not read or self._telnet.interrupted:
            self._ended = True
            if begun:
                self._cut(b"\n")
            return True
        if answer := self._telnet.take_answer():
            self._link.send(answer)
        if data:
            self._sends = self._judge(begun, data)
            whole = self._sends is _Sends.MESSAGES
            self._cut((b"\n" if begun else b"") + data + b"\n" if whole else data)
        return True

    def _judge(self, begun: bytes, data: bytes) -> _Sends:
        """What the client sends, after this piece of data behind a line that has perhaps begun."""
        if self._sends is _Sends.KEYS or self._telnet.offered or (_is_key(begun) and len(data) <= _FEW_KEYS):
            return _Sends.KEYS
        if b"\n" in data:
            return _Sends.LINES
        if self._sends is _Sends.UNKNOWN and (begun or not _is_key(data)):
            return _Sends.MESSAGES
        return self._sends

    def _cut(self, data: bytes) -> None:
        lines = self._splitter.feed(data)
        self.ready += map(_edited, lines) if self._sends is _Sends.KEYS else lines


def _is_key(data: bytes) -> bool:
    """Whether these bytes are a single character."""
    return len(data.decode(errors="replace")) == 1


def _edited(line: bytes) -> bytes:
    """The line as it was meant: a terminal that sends each key leaves it to us to erase."""
    text: list[str] = []
    for char in line.decode(errors="surrogateescape"):
        if char not in _ERASING:
            text.append(char)
        elif text:
            text.pop()
    return "".join(text).encode(errors="surrogateescape")
