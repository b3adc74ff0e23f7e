"""The fetching end of a transfer: one file, into one folder of this machine."""

from collections.abc import Callable
from pathlib import Path

from lanchat.errors import ConnectionLost, LanchatError, ProtocolError, Refused
from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FileTicket, Go, Sum, Transfer, Wait
from lanchat.protocol.framing import encode
from lanchat.protocol.sealed import CannotOpen
from lanchat.protocol.sealed_file import PLAIN_PIECE, SEALED_PIECE, Offer, Opening, sealed_size, whole_pieces
from lanchat.protocol.sizes import size_text
from lanchat.protocol.timing import Timing
from lanchat.protocol.transfer import PIECE, FileReceiver
from lanchat.storage.downloads import finish_download, missing_space, part_path
from lanchat.storage.files import file_errors
from lanchat.storage.parts import Part

_HINT = "Choose another folder."


class Damaged(LanchatError):
    """The file that came has another SHA-256 than the one that was sent."""


class NoSpace(LanchatError):
    """The disk of this machine has no space for the file now."""


class Download:
    """Owned by the thread of its transfer. The part and its hash stay from one link to the next.

    Args:
        file: 32 hex digits.
        name: as the host says; it is made safe here.
        size: as the person was told; no host may send more.
        folder: is made if it does not exist.
        offer: opens the file, if it is sealed. Here are its plain bytes, and at the host the sealed ones.
    """

    def __init__(
        self, file: str, name: str, size: int, folder: Path, timing: Timing, offer: Offer | None = None
    ) -> None:
        self.file = file
        self.name = name
        self.size = size
        self.sha256 = ""  # of the whole, once it is there
        self.path: Path | None = None
        self._folder = folder
        self._timing = timing
        self._offer = offer
        self._part = Part(part_path(folder, file), step=PLAIN_PIECE if offer is not None else 1)
        self._opening: Opening | None = None
        self._take = 0  # of the part; 0: not known, as it is of an earlier run: the hash will tell

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
        if ticket.size != (self.size if self._offer is None else sealed_size(self.size)):
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

    def lacks(self, ticket: FileTicket) -> bool:
        """Whether the host has bytes that are not here yet."""
        whole = ticket.have if self._offer is None else ticket.have - ticket.have % SEALED_PIECE
        return ticket.have >= ticket.size or whole > self._at

    @property
    def _at(self) -> int:
        """The number of the host's bytes that have come."""
        have = self._part.have
        return have if self._offer is None else whole_pieces(have) * SEALED_PIECE

    def _receive(self, link: Link, ticket: FileTicket, on_progress: Callable[[int], None]) -> None:
        part, progress = self._part, PIECE
        if part.have > self.size:
            part.restart()
        link.send(encode(Transfer(wire.VERSION, ticket.ticket, self._at, self._take)))
        receiver = FileReceiver(ticket.size, self._at)
        self._begin_opening()
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
                            self._begin_opening()
                    case Sum(sha256=sha256):
                        self._finish(sha256)
                        on_progress(part.have)
                        return
                    case wire.Refused(code=code, text=text):
                        raise Refused(text, code=code)
                    case Wait():
                        progress = PIECE
            on_progress(part.have)

    def _begin_opening(self) -> None:
        self._opening = Opening(self._offer, self._part.have) if self._offer is not None else None

    def _write(self, data: bytes) -> None:
        try:
            for plain in (data,) if self._opening is None else self._opening.feed(data):
                self._part.write(plain)
        except CannotOpen as error:  # the pieces before it are right
            raise Damaged(f"{self.name} arrived damaged: {error}.") from None
        except OSError:
            raise self._no_space(self.size - self._part.have) from None

    def _finish(self, sha256: str) -> None:
        if self._offer is not None:
            sha256 = self._offer.sha256
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
        return NoSpace(f"{self.name} needs {size_text(needed)} more than this disk has.")
