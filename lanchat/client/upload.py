"""The sending end of a transfer, for one file or folder of this machine."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lanchat.client.questions import FileQuestions
from lanchat.client.sources import Source, open_source
from lanchat.errors import ConnectionLost, Refused
from lanchat.network.bulk import send_wait
from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.fields import MAX_NAME
from lanchat.protocol.file_messages import Done, FileSend, FileTicket, Go, Have, Sum, Transfer
from lanchat.protocol.framing import TRANSFER, LineSplitter, TransferLine, decode_all, encode
from lanchat.protocol.timing import Timing
from lanchat.protocol.transfer import MAX_TRANSFER_LINE, PIECE

_ASK_EVERY = 1 << 20  # bytes between two looks at whether the host has said something

T = TypeVar("T", bound=TransferLine)

_CHECKPOINT = 8 << 20  # bytes between two copies of the running hash, so that a resume reads no more than this again


class Upload:
    """Owned by the thread of its transfer. The hash stays from one link to the next.

    Args:
        source: of the bytes; None: the file or folder at the path.

    Raises:
        LanchatError: there is none, or it cannot be read.
    """

    def __init__(self, path: Path, timing: Timing, source: Source | None = None) -> None:
        self.path = path
        self._timing = timing
        self._source: Source = source or open_source(path)
        self._hashes = {0: hashlib.sha256()}  # of the first so many bytes
        self.sha256 = ""  # of the whole, once it is sent

    @property
    def size(self) -> int:
        return self._source.size

    @property
    def left_out(self) -> list[str]:
        """The entries of a folder that are not sent: links, special files, files that are too large."""
        return self._source.left_out

    @property
    def name(self) -> str:
        return self._source.name

    def prepare(self, id: str, questions: FileQuestions, check: Callable[[], None]) -> None:
        """Do what has to be done once, before the host is asked.

        Args:
            id: of the FileSend.
            check: called often while this waits; raises an error to end it.
        """

    def offer(self, id: str, *, again: bool) -> FileSend:
        """The offer for the host."""
        return FileSend(id, self.name[-MAX_NAME:], self.size, again)

    def run(self, link: Link, ticket: FileTicket, on_progress: Callable[[int], None]) -> None:
        """Send what the host does not have, until it has stored the file.

        Args:
            on_progress: called with the number of bytes that the host has.

        Raises:
            FileChanged: while it was read.
            Refused: the host does not want it.
            LanchatError: the link is lost, or the file cannot be read.
        """
        link.send(encode(Transfer(wire.VERSION, ticket.ticket)))
        lines = _Lines(link, self._timing.transfer_stall)
        have = lines.until(Have)
        running = self._hash_of(min(have.at, self.size))
        at = have.at if running.hexdigest() == have.sha256 else 0
        link.send(encode(Go(at)))
        running, asked = self._hash_of(at), -1
        while at < self.size:
            on_progress(at)
            data = self._source.read(at, PIECE)
            if at // _ASK_EVERY != asked:
                asked = at // _ASK_EVERY
                if not link.quiet(0):
                    lines.check()
            if not send_wait(link, data, self._timing.transfer_stall):
                lines.check()
                raise ConnectionLost(f"Lost the connection to the host: {link.reason or 'it reads too slowly'}.")
            running.update(data)
            at += len(data)
            if at // _CHECKPOINT > (at - len(data)) // _CHECKPOINT:
                self._hashes[at] = running.copy()
        on_progress(at)
        self._source.check()
        self.sha256 = running.hexdigest()
        link.send(encode(Sum(self.sha256)))
        lines.until(Done)

    def close(self) -> None:
        self._source.close()

    def _hash_of(self, size: int) -> "hashlib._Hash":
        """The hash of the first bytes, from the nearest copy on."""
        at = max(known for known in self._hashes if known <= size)
        running = self._hashes[at].copy()
        while at < size:
            data = self._source.read(at, min(PIECE, size - at))
            running.update(data)
            at += len(data)
        return running


class _Lines:
    """Reads the lines of the host on a link on which this end sends a file."""

    def __init__(self, link: Link, stall: float) -> None:
        self._link = link
        self._stall = stall
        self._splitter = LineSplitter(MAX_TRANSFER_LINE)
        self._lines: list[TransferLine] = []

    def check(self) -> None:
        """See whether the host has said anything while we send: a refusal, or the end of the link."""
        self._read()
        for line in self._lines:
            _raise_refusal(line)

    def until(self, kind: type[T]) -> T:
        """The next line of this kind."""
        while True:
            while self._lines:
                line = self._lines.pop(0)
                _raise_refusal(line)
                if isinstance(line, kind):
                    return line
            self._read()

    def _read(self) -> None:
        self._link.within(self._stall, "late", "the host did not answer")
        data = self._link.receive()
        self._link.within(None)
        if not data:
            raise ConnectionLost(f"Lost the connection to the host: {self._link.reason}.")
        self._lines += decode_all(self._splitter.feed(data), TRANSFER)


def _raise_refusal(line: TransferLine) -> None:
    if isinstance(line, wire.Refused):
        raise Refused(line.text, code=line.code)
