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
from lanchat.storage.rooms import LOCK, LOG, RoomFolder, hosted_path, note_keep


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


def kept_retention(home: Path, room: str, folder: RoomFolder | None, wished: str | None) -> str | None:
    """How much of the log of a room of ours is kept: what its folder here says, whatever other hosts have passed on.

    Otherwise a host could let the log of the owner be pruned, and what was wished once would be forgotten.

    Args:
        folder: as for `open_kept`, which has locked it.
        wished: what the folder says from now on; None: as before.

    Returns:
        None: the folder does not say it.
    """
    if folder is not None:
        if wished is not None:
            folder.note_keep(wished)
        return folder.about.keep
    path = hosted_path(home, room)
    return note_keep(path, wished) if path is not None else wished


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
