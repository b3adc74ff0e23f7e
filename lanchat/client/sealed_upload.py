"""The sending end of a file for one person: it is sealed piece by piece while it is sent."""

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

from lanchat.client.private_files import Recipient
from lanchat.client.questions import FileQuestions
from lanchat.client.sources import FileChanged, Source, open_source
from lanchat.client.upload import Upload
from lanchat.errors import Refused
from lanchat.network.link import Link
from lanchat.protocol.file_messages import FileSend, FileTicket
from lanchat.protocol.messages import Receipt
from lanchat.protocol.people import Owner, Who
from lanchat.protocol.sealed import Sealer, can_seal_to
from lanchat.protocol.sealed_file import (
    FILE_KEY,
    PLAIN_PIECE,
    SEALED_PIECE,
    TAG,
    Offer,
    PieceCipher,
    sealed_size,
)
from lanchat.protocol.timing import Timing
from lanchat.storage.unfinished import Unfinished


class SealedSource:
    """A file or a folder as the host stores it. What was sealed once has to be the same if it is sealed again.

    Else the host could compare two pieces that one number has sealed, and read parts of both.
    """

    def __init__(self, plain: Source, key: bytes) -> None:
        self.path, self.name, self.left_out = plain.path, plain.name, plain.left_out
        self.size = sealed_size(plain.size)
        self._plain = plain
        self._cipher = PieceCipher(key, plain.size)
        self._tags: dict[int, bytes] = {}  # of the pieces that were sealed, by their numbers
        self._last = (-1, b"")  # the piece that was sealed last, with its number

    def read(self, at: int, most: int) -> bytes:
        number, within = divmod(at, SEALED_PIECE)
        return self._piece(number)[within : within + most]

    def check(self) -> None:
        self._plain.check()

    def close(self) -> None:
        self._plain.close()

    def plain_hash(self, check: Callable[[], None], *, seal: bool) -> str:
        """The SHA-256 of the plain bytes, in hex.

        Args:
            check: called often; raises an error to end it.
            seal: note each piece too, because an earlier run may have sent it.
        """
        running = hashlib.sha256()
        for number in range(-(-self._plain.size // PLAIN_PIECE)):
            check()
            data = self._read(number)
            running.update(data)
            if seal:
                self._seal(number, data)
        return running.hexdigest()

    def _piece(self, number: int) -> bytes:
        if self._last[0] != number:
            self._last = number, self._seal(number, self._read(number))
        return self._last[1]

    def _seal(self, number: int, plain: bytes) -> bytes:
        piece = self._cipher.seal(number, plain)
        if self._tags.setdefault(number, piece[-TAG:]) != piece[-TAG:]:
            raise FileChanged(self.name)
        return piece

    def _read(self, number: int) -> bytes:
        at = number * PLAIN_PIECE
        ends = min(at + PLAIN_PIECE, self._plain.size)
        data = b""
        while at + len(data) < ends:
            data += self._plain.read(at + len(data), ends - at - len(data))
        return data


class SealedUpload(Upload):
    """Owned by the thread of its transfer.

    Args:
        kept: what an earlier run has noted of the same file; None: there was none.
    """

    def __init__(
        self, path: Path, timing: Timing, sealer: Sealer, recipient: Recipient, kept: Unfinished | None = None
    ) -> None:
        self._sealer = sealer
        self.recipient = recipient
        self._kept = kept
        self._key = kept.key if kept is not None and kept.key else secrets.token_bytes(FILE_KEY)
        self._plain = open_source(path)
        self._sealed = SealedSource(self._plain, self._key)
        self._plain_sha256 = ""
        self._boxes = b"", b""
        super().__init__(path, timing, self._sealed)

    def prepare(self, id: str, questions: FileQuestions, check: Callable[[], None]) -> None:
        """Find out the recipient's key, hash the file, and seal the offer.

        Raises:
            Refused: there is no such recipient.
            FileChanged: an earlier run has sent something else.
        """
        recipient = self.recipient
        if not can_seal_to(recipient.key, recipient.id):
            recipient = self.recipient = _addressed(recipient, id, questions, check)
        kept = self._kept
        earlier = kept.sha256 if kept is not None else ""
        self._plain_sha256 = self._sealed.plain_hash(check, seal=earlier != "")
        if earlier not in ("", self._plain_sha256):
            raise FileChanged(self.name)
        if kept is not None and not earlier:
            kept.note_sealed(recipient.id, recipient.key, self._key, self._plain_sha256)
        offer = Offer(self._key, self._plain_sha256, self._plain.size, self.name)
        self._boxes = self._sealer.seal_offer(recipient.key, id, offer.pack())

    def offer(self, id: str, *, again: bool) -> FileSend:
        box, copy = self._boxes
        return FileSend(id, "", self.size, again, self.recipient.id, self.recipient.nick, box, copy)

    def run(self, link: Link, ticket: FileTicket, on_progress: Callable[[int], None]) -> None:
        super().run(link, ticket, on_progress)
        self.sha256 = self._plain_sha256


def _addressed(recipient: Recipient, id: str, questions: FileQuestions, check: Callable[[], None]) -> Recipient:
    """The recipient with the key that the host names."""
    answer = questions.ask(Who(id, recipient.id, recipient.nick), id, check)
    if isinstance(answer, Receipt):
        raise Refused(f"Not sent: {answer.text.removesuffix(' Nothing was sent.')}", code="private")
    if not isinstance(answer, Owner) or recipient.id not in ("", answer.to) or not can_seal_to(answer.key, answer.to):
        words = f"The host does not show a key of {recipient.nick} to seal the file to."
        raise Refused(f"Not sent: {words}", code="private")
    return Recipient(recipient.nick, answer.to, answer.key)
