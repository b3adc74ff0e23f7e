"""The receiving end of a transfer: the bytes of a link in, steps out. Pure.

The host is this end when a member sends a file, and a member when it fetches one. Lines and raw bytes stand on the same
link without framing, so nothing may be read as a line before exactly as many bytes have come as were announced.
"""

from collections.abc import Iterator

from lanchat.errors import ProtocolError
from lanchat.protocol.file_messages import Go, Sum, Wait
from lanchat.protocol.framing import TRANSFER, decode
from lanchat.protocol.messages import Refused

PIECE = 64 * 1024  # bytes that are sent, hashed and written at once; with more, sealing joins them and is slower
MAX_TRANSFER_LINE = 1024  # bytes

Step = Wait | Refused | Go | bytes | Sum  # bytes are never empty


class FileReceiver:
    """Owned by the thread that reads the link.

    Args:
        size: of the whole file.
        have: bytes of it that this end has.
    """

    def __init__(self, size: int, have: int) -> None:
        self._size = size
        self._have = have
        self._line = b""  # the line that has begun
        self._left = -1  # raw bytes to come; -1: the other end has not said where it begins
        self._summed = False

    def feed(self, data: bytes) -> Iterator[Step]:
        """The steps that these bytes complete.

        Raises:
            ProtocolError: the other end breaks the rules of a transfer.
        """
        while data:
            if self._left > 0:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                yield piece
                continue
            begun, end, rest = data.partition(b"\n")
            self._line += begun
            if len(self._line) > MAX_TRANSFER_LINE:
                raise ProtocolError(f"A line of a transfer is longer than {MAX_TRANSFER_LINE} bytes.")
            if not end:
                return
            line, self._line, data = self._line, b"", rest
            message = decode(line, TRANSFER) if line.strip() else None
            if message is not None:
                yield self._step(message)

    def _step(self, message: object) -> Step:
        match message:
            case Wait() | Refused():
                return message
            case Go(at=at) if self._left < 0 and at in (0, self._have):
                self._left = self._size - at
                return message
            case Sum() if self._left == 0 and not self._summed:
                self._summed = True
                return message
        raise ProtocolError("This message does not belong at this point of a transfer.")
