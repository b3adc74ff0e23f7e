"""What the disk of this computer has of a room that moves: its copy, and the right to sign lists of standbys."""

from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers
from lanchat.storage.copies import open_replica
from lanchat.storage.delegations import Signing
from lanchat.storage.files import file_errors, lock_file
from lanchat.storage.identity import Identity
from lanchat.storage.replica import Replica
from lanchat.storage.rooms import LOCK, LOG, RoomFolder, hosted_path


def open_kept(home: Path, papers: Papers, identity: Identity, folder: RoomFolder | None) -> Replica | None:
    """The copy of the room; None: another program of this computer has it, or it was opened on another computer.

    Args:
        folder: of the room, if this program has opened it because it is the owner's.

    Raises:
        LanchatError: the disk cannot be used.
    """
    if papers.owner != identity.public:
        return open_replica(home, papers.room)
    if folder is not None:
        return Replica(folder.log_path)
    path = hosted_path(home, papers.room)
    if path is None:
        return None
    with file_errors(path):
        lock = lock_file(path / LOCK)
    return Replica(path / LOG, lock) if lock is not None else None


def signing_of(home: Path, card: Card, identity: Identity, *, owner: bool) -> Signing:
    """Signs lists of standbys for a room of ours.

    Raises:
        LanchatError: this computer has nothing to do it with.
    """
    path = hosted_path(home, card.room)
    if path is None or not owner:
        raise LanchatError("Only the owner of the room may do that, at the computer where it was opened.")
    return Signing(path, card.room, identity, password=card.password)


def continues_here(home: Path, card: Card, *, owner: bool) -> bool:
    """Whether `lanchat host TITLE` goes on with the room at this computer, while nobody hosts it."""
    from lanchat.api.continuing import find_copy  # it builds upon what uses this module

    if owner:
        return hosted_path(home, card.room) is not None
    try:
        copy = find_copy(card.title, home=home)
    except LanchatError:
        return False  # the command says why
    return copy is not None and copy.papers.room == card.room and not copy.problem
