"""One file of a room, and the messages about it. Pure.

A file for everybody is told by events. A file for one person is told to its sender and recipient alone, by a
`FilePrivate`: nobody else learns that it exists.
"""

from dataclasses import dataclass, replace

from lanchat.protocol.file_messages import (
    FileChange,
    FileEndReason,
    FileEntry,
    FileOffered,
    FilePrivate,
    FileRemoved,
    FileSend,
    FileStored,
)
from lanchat.protocol.filenames import safe_name
from lanchat.protocol.messages import UNNUMBERED
from lanchat.room.members import Member


@dataclass(frozen=True)
class RoomFile:
    """A file that is there, or is just being sent."""

    file: str  # 32 hex digits
    id: str  # of its FileSend
    name: str  # "" for one person: it is in the sealed offer
    size: int
    by: str
    nick: str
    at: int  # ms since 1970, when it was offered
    sha256: str = ""  # once it is whole at the host
    epoch: int = 0  # of the host at which it became whole
    private: FilePrivate | None = None  # the last state, as the two were told; None: it is for everybody

    def is_shown_to(self, id: str) -> bool:
        """Whether the member of this id may know of it."""
        return self.private is None or id in (self.private.by, self.private.to)

    def waits_for(self, id: str) -> bool:
        """Whether the offer has to come again until this member has got it."""
        return self.private is not None and self.private.to == id and not self.private.seen

    def stored(self, sha256: str, now: int) -> FileChange:
        """A draft: it is whole on the disk."""
        if self.private is not None:
            return self.private.become("stored", sha256=sha256)
        return FileStored(UNNUMBERED, now, self.by, self.nick, self.file, sha256)

    def removed(self, reason: FileEndReason, now: int, by: Member | None = None) -> FileChange:
        """A draft: it is gone.

        Args:
            by: who removed it; None: nobody did.
        """
        if self.private is not None:
            return self.private.become("removed", reason=reason)
        id, nick = (by.id, by.nick) if by is not None else (self.by, self.nick)
        return FileRemoved(UNNUMBERED, now, id, nick, self.file, reason)

    def entry(self, have: int, to: str, answers: str = "", elsewhere: str = "") -> FileEntry:
        """The file as it is listed.

        Args:
            have: bytes that are at the host.
            to: the member id of the one who asks.
            answers: the id of the FileSend that this answers.
            elsewhere: the nick of whose computer has it; "": the host has.
        """
        about = self.file, self.name, self.size, self.by, self.nick, self.at
        if self.private is None:
            return FileEntry(*about, have=have, sha256=self.sha256, id=answers, elsewhere=elsewhere)
        whose = self.private
        box = whose.box if to == whose.to else whose.copy
        return FileEntry(*about, have, self.sha256, answers, whose.to, whose.to_nick, whose.id, box, elsewhere)


def offer_of(command: FileSend, file: str, member: Member, recipient: tuple[str, str] | None, now: int) -> FileChange:
    """A draft: a member sends a file.

    Args:
        recipient: member id and nick of the one person that it is for; None: it is for everybody.
    """
    if recipient is None:
        about = command.id, file, safe_name(command.name), command.size
        return FileOffered(UNNUMBERED, now, member.id, member.nick, *about)
    return FilePrivate(
        id=command.id,
        file=file,
        at=now,
        by=member.id,
        nick=member.nick,
        to=recipient[0],
        to_nick=recipient[1],
        size=command.size,
        state="offered",
        box=command.box,
        copy=command.copy,
    )


def offered(draft: FileOffered | FilePrivate) -> RoomFile:
    """The file that an event or a message to the two is about."""
    if isinstance(draft, FileOffered):
        return RoomFile(draft.file, draft.id, draft.name, draft.size, draft.by, draft.nick, draft.at)
    about = draft.file, draft.id, "", draft.size, draft.by, draft.nick, draft.at
    return RoomFile(*about, draft.sha256, private=draft)


def seen(file: RoomFile) -> RoomFile:
    """The file, once the recipient has got the offer."""
    assert file.private is not None, "only a file for one person waits for them"
    return replace(file, private=file.private.got())
