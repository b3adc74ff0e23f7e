"""Files for one person: opens what only their sender and recipient can read of them."""

import threading
from dataclasses import dataclass

from lanchat.client.events import PrivateFile
from lanchat.protocol.file_messages import FileEntry, FilePrivate
from lanchat.protocol.sealed import CannotOpen, Sealer
from lanchat.protocol.sealed_file import Offer, unpack_offer

MOST = 2000  # offers that are remembered; ten times the files of a room


@dataclass(frozen=True)
class Recipient:
    """The one person that a file is for.

    Args:
        nick: as the sender typed it, without a tilde.
        id: their member id; "": the host finds it by the nick.
        key: theirs; empty: the host is asked for it.
    """

    nick: str
    id: str = ""
    key: bytes = b""


class Offers:
    """The offers of files that we sent or got. Any thread.

    Args:
        sealer: opens them.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._offers: dict[str, Offer] = {}  # by the host's name for the file, oldest first
        self._lock = threading.Lock()  # guards it

    def of(self, file: str) -> Offer | None:
        """The offer that opens this file; None: the file is for everybody, or its offer is not known."""
        with self._lock:
            return self._offers.get(file)

    def opened(self, told: FilePrivate) -> PrivateFile:
        """The item for what the host has told about a file for one person."""
        offer, problem = open_offer(told, self._sealer)
        if offer is not None:
            self._remember(told.file, offer)
        return described(told, offer, problem)

    def listed(self, entry: FileEntry) -> FileEntry:
        """An entry of the host's list, with the true name and size of a file that is sealed."""
        if not entry.to:
            return entry
        try:
            offer = unpack_offer(self._sealer.open_offer(entry.by, entry.to, entry.offer, entry.box))
        except CannotOpen:
            return entry.reads_as(f"(sealed by {entry.nick}, cannot be opened)", entry.size, entry.sha256)
        self._remember(entry.file, offer)
        return entry.reads_as(offer.name, offer.size, offer.sha256 if entry.sha256 else "")

    def _remember(self, file: str, offer: Offer) -> None:
        with self._lock:
            self._offers.setdefault(file, offer)
            if len(self._offers) > MOST:
                del self._offers[next(iter(self._offers))]


def open_offer(told: FilePrivate, sealer: Sealer) -> tuple[Offer | None, str]:
    """The offer of a file; or None, and why it cannot be opened."""
    box = told.box if told.to == sealer.id else told.copy
    try:
        return unpack_offer(sealer.open_offer(told.by, told.to, told.id, box)), ""
    except CannotOpen as error:
        return None, str(error)


def described(told: FilePrivate, offer: Offer | None, problem: str) -> PrivateFile:
    """The file as an item for a person."""
    name, size = (offer.name, offer.size) if offer is not None else ("", told.size)
    who = told.by, told.nick, told.to, told.to_nick
    return PrivateFile(told.id, told.file, told.at, *who, told.state, name, size, told.reason, problem)


def opened_again(told: FilePrivate, sealer: Sealer | None) -> PrivateFile:
    """A file from our own disk.

    Args:
        sealer: None: the identity is not on this machine.
    """
    if sealer is None:
        return described(told, None, "your key is not on this machine")
    return described(told, *open_offer(told, sealer))
