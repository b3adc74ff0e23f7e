"""The fetching end of a transfer: one file, into one folder of this machine."""

from collections.abc import Callable
from pathlib import Path

from lanchat.errors import ConnectionLost, LanchatError, ProtocolError, Refused
from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FileTicket, Go, Sum, Transfer, Wait
from lanchat.protocol.framing import encode
from lanchat.protocol.sizes import size_text
from lanchat.protocol.timing import Timing
from lanchat.protocol.transfer import PIECE, FileReceiver
from lanchat.storage.downloads import finish_download, missing_space, part_path
from lanchat.storage.files import file_errors
from lanchat.storage.parts import Part

_HINT = "Choose another folder."


class Damaged(LanchatError):
    """What came is not what was sent."""


class NoSpace(LanchatError):
    """This machine's disk does not take the file now."""


class Download:
    """Owned by the thread of its transfer. The part and its hash stay from one link to the next.

    Args:
        file: 32 hex digits.
        name: as the host says, and made safe here.
        size: that the person knows of; no host may send more.
        folder: made if it is not there.
    """

    def __init__(self, file: str, name: str, size: int, folder: Path, timing: Timing) -> None:
        self.file = file
        self.name = name
        self.size = size
        self.sha256 = ""  # of the whole, once it is there
        self.path: Path | None = None
        self._folder = folder
        self._timing = timing
        self._part = Part(part_path(folder, file))
        self._take = 0  # of which the part is; 0: not known, since it is of an earlier run, and the sum has to tell

    def run(self, link: Link, ticket: FileTicket, on_progress: Callable[[int], None]) -> None:
        """Fetch what is missing, until the file is whole and has its name.

        Args:
            on_progress: called with the number of bytes that are here.

        Raises:
            NoSpace: the disk is full, or would be.
            Damaged: the SHA-256 does not fit, so the part is empty again.
            Refused: the host does not give it.
            LanchatError: the link is lost, or the folder cannot be used.
        """
        if ticket.size != self.size:
            raise ProtocolError("The host gives the file another size than it was offered with.")
        with file_errors(self._folder, _HINT):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._part.open()
        try:
            self._check_space()
            self._receive(link, ticket, on_progress)
        finally:
            self._part.close()
        with file_errors(self._folder, _HINT):
            self.path = finish_download(self._part.path, self.name)

    def _receive(self, link: Link, ticket: FileTicket, on_progress: Callable[[int], None]) -> None:
        part, progress = self._part, PIECE
        if part.have > ticket.size:
            part.restart()
        link.send(encode(Transfer(wire.VERSION, ticket.ticket, part.have, self._take)))
        receiver = FileReceiver(ticket.size, part.have)
        while True:
            if progress >= PIECE:
                progress = 0
                link.within(self._timing.transfer_stall, "late", "the host sends nothing")
            data = link.receive()
            if not data:
                raise ConnectionLost(f"Lost the connection to the host: {link.reason}.")
            for step in receiver.feed(data):
                match step:
                    case bytes():
                        self._write(step)
                        progress += len(step)
                    case Go(at=at, take=take):
                        self._take = take
                        if at == 0 and part.have:
                            part.restart()
                    case Sum(sha256=sha256):
                        self._finish(sha256)
                        on_progress(part.have)
                        return
                    case wire.Refused(code=code, text=text):
                        raise Refused(text, code=code)
                    case Wait():
                        progress = PIECE
            on_progress(part.have)

    def _write(self, data: bytes) -> None:
        try:
            self._part.write(data)
        except OSError:
            raise self._no_space(self.size - self._part.have) from None

    def _finish(self, sha256: str) -> None:
        if sha256 != self._part.digest:
            self._part.restart()
            self._take = 0
            raise Damaged(f"{self.name} arrived damaged (its SHA-256 does not fit).")
        with file_errors(self._folder, _HINT):
            self._part.sync()
        self.sha256 = sha256

    def _check_space(self) -> None:
        with file_errors(self._folder, _HINT):
            missing = missing_space(self._folder, self.size - self._part.have)
        if missing is not None:
            raise self._no_space(missing[0])

    def _no_space(self, needed: int) -> NoSpace:
        return NoSpace(f"{self.name} needs {size_text(needed)} more than this disk takes.")
