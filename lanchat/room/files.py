"""The files of a room: who may send, fetch and remove them, and when they expire. Pure; owned by the room.

The bytes are elsewhere. The log has what happens to a file: the events `file_offered`, `file_stored` and
`file_removed`, or the states of a file for one person. So the files of a room can be rebuilt from the log.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lanchat.protocol.file_messages import (
    FileChange,
    FileCommand,
    FileEnd,
    FileEntry,
    FileGet,
    FileList,
    FileOffered,
    FilePrivate,
    FileRefusal,
    FileRefused,
    FileRemove,
    FileRemoved,
    FileSend,
    FileStored,
)
from lanchat.protocol.ids import is_verified
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.padding import OFFER_SIZE, OVERHEAD
from lanchat.protocol.timeline import epoch_of
from lanchat.room.access import Access
from lanchat.room.effects import Decision, OpenTicket, Reply, StoreFile
from lanchat.room.file_quota import FileQuota, Refusal
from lanchat.room.members import Member, Members
from lanchat.room.private import addressee
from lanchat.room.room_file import RoomFile, offer_of, offered, seen

_EXPIRE_EVERY = 10_000  # ms
_ANOTHERS = 24 * 3600 * 1000  # ms, by which what another host has expires later


@dataclass(frozen=True)
class FileWhole:
    """A transfer has brought a whole file to the disk."""

    file: str
    sha256: str


class Files:
    """The files of one room.

    Args:
        limits: None: the room takes no files.
        have: how many bytes of a file are at the host.
        free: how many bytes more its disk takes.
        seed: makes the file ids of this room differ from those of others.
    """

    def __init__(
        self,
        limits: FileLimits | None,
        *,
        have: Callable[[str], int] = lambda file: 0,
        free: Callable[[], int] = lambda: 1 << 60,
        seed: str = "",
    ) -> None:
        self._limits = limits
        self._have = have
        self._quota = FileQuota(limits, free) if limits is not None else None
        self._seed = seed
        self._files: dict[str, RoomFile] = {}  # oldest first
        self._progress_at: dict[str, tuple[int, int]] = {}  # bytes of unfinished files, and since when, in ms
        self._expire_at = 0  # ms since 1970
        self.elsewhere: dict[str, str] = {}  # nick of the host by id of a file that only this earlier host has

    @property
    def largest(self) -> int:
        """The largest size that the room takes; 0: it takes no files."""
        return self._limits.file if self._limits is not None else 0

    @property
    def all(self) -> Mapping[str, RoomFile]:
        """All files, by their ids, the oldest first."""
        return self._files

    def decide(
        self, member: Member, command: FileCommand, now: int, recipient: tuple[str, str] | None = None
    ) -> Sequence[Decision]:
        """Decide what follows from a member's command.

        Args:
            now: ms since 1970.
            recipient: member id and nick of the one person that a file is for; None: it is for everybody.
        """
        match command:
            case FileSend():
                return self._send(member, command, now, recipient)
            case FileGet(file=file, download=download):
                known = self._known(file, member)
                if known is None or (download and (known.private is not None or not known.sha256)):
                    return [_unknown(file)]
                if nick := self.elsewhere.get(file):
                    return [Reply(FileRefused("elsewhere", elsewhere_text(known.name, nick), file=file))]
                return [OpenTicket(known.file, known.size, name=known.name if download else "")]
            case FileRemove(file=file):
                return [self._remove(member, file, now)]
            case FileList():
                shown = [known for known in self._files.values() if known.is_shown_to(member.id)]
                shown.sort(key=lambda known: known.at)  # a log that was read has those for one person at its end
                return [*(Reply(self._entry(known, member)) for known in shown), Reply(FileEnd())]

    def send_to_one(
        self, member: Member, command: FileSend, now: int, members: Members, access: Access
    ) -> Sequence[Decision]:
        """Decide what follows from a member's wish to send a file to one person."""
        try:
            recipient = addressee(member, command, members, access)
        except ValueError as error:
            return [Reply(FileRefused("unknown", str(error), id=command.id))]
        return self.decide(member, command, now, recipient)

    def finish(self, whole: FileWhole, now: int) -> FileChange | None:
        """A file is whole on the disk. Returns the draft for it; None: it was removed, or is stored already."""
        known = self._files.get(whole.file)
        if known is None or known.sha256:
            return None
        return known.stored(whole.sha256, now)

    def waiting(self, to: str) -> tuple[FilePrivate, ...]:
        """The files for this member id whose offers they have not got yet."""
        return tuple(known.private for known in self._files.values() if known.private and known.waits_for(to))

    def confirm(self, to: str, by: str, id: str) -> list[Decision]:
        """The recipient has got this offer, so it waits no longer."""
        for known in self._files.values():
            if (known.by, known.id) == (by, id) and known.waits_for(to):
                got = self._files[known.file] = seen(known)
                return [StoreFile(got.private)] if got.private else []
        return []

    def expire(self, now: int) -> Iterator[FileChange]:
        """Drafts for the files that are too old, or that were never finished. Cheap if called often."""
        if now < self._expire_at or self._limits is None:
            return
        self._expire_at = now + _EXPIRE_EVERY
        for known in list(self._files.values()):
            if known.sha256:
                late = _ANOTHERS if known.file in self.elsewhere else 0  # its own host comes first, if it is there
                if now - known.at > self._limits.kept + late:
                    yield known.removed("expired", now)
                continue
            have = self._have(known.file)
            before, since = self._progress_at.get(known.file, (-1, now))
            if have != before:
                self._progress_at[known.file] = have, now
            elif now - since > self._limits.unfinished and known.file not in self.elsewhere:
                yield known.removed("unfinished", now)

    def lose(self, files: Iterable[str], now: int) -> Iterator[FileChange]:
        """Drafts for stored files that are missing on the disk."""
        for file in files:
            if (known := self._files.get(file)) is not None:
                yield known.removed("lost", now)

    def apply(self, event: FileChange) -> None:
        """Apply this change, now that an event has its number."""
        if self._limits is None:
            return  # from an earlier start, when the room took files
        match event:
            case FileRemoved(file=file) | FilePrivate(file=file, state="removed"):
                self._files.pop(file, None)
                self.elsewhere.pop(file, None)
                self._progress_at.pop(file, None)
            case FileOffered(file=file):
                self._files[file] = offered(event)
            case FilePrivate(file=file):
                self._files[file] = offered(event)
                if event.sha256:
                    self._progress_at.pop(file, None)
            case FileStored(file=file, sha256=sha256):
                if file in self._files:
                    self._files[file] = replace(self._files[file], sha256=sha256, epoch=epoch_of(event.seq))
                self._progress_at.pop(file, None)

    def _send(
        self, member: Member, command: FileSend, now: int, recipient: tuple[str, str] | None
    ) -> Sequence[Decision]:
        file = hashlib.sha256(f"{self._seed} {member.id} {command.id}".encode()).hexdigest()[:32]
        known = self._files.get(file)
        if known is not None:
            if known.size != command.size:
                return [_refused(command, "size", "The file has another size than it was offered with.")]
            if known.sha256:
                return [Reply(self._entry(known, member, command.id))]
            return [OpenTicket(file, known.size, id=command.id, up=True)]
        if self._quota is None:
            return [_refused(command, "off", "This room takes no files.")]
        if not is_verified(member.id):
            return [_refused(command, "rights", "Only members with a key can send files.")]
        if refusal := _unsealed(command, recipient):
            return [_refused(command, "rights", refusal)]
        here = {id: known for id, known in self._files.items() if id not in self.elsewhere}
        expected = sum(known.size - self._have(known.file) for known in here.values() if not known.sha256)
        gone = self._quota.make_room(member.id, command.size, here, expected, now)
        if isinstance(gone, Refusal):
            return [_refused(command, gone.code, gone.text)]
        removed = [known.removed("quota", now) for known in gone]
        draft = offer_of(command, file, member, recipient, now)
        return [*removed, draft, OpenTicket(file, command.size, id=command.id, up=True)]

    def _remove(self, member: Member, file: str, now: int) -> Decision:
        known = self._known(file, member)
        if known is None:
            return _unknown(file)
        if member.id != known.by and (known.private is not None or not member.host):
            and_host = "" if known.private is not None else " and the host"
            words = f"Only {known.nick}{and_host} may remove {known.name or 'this file'}."
            return Reply(FileRefused("rights", words, file=file))
        return known.removed("removed", now, by=member)

    def _known(self, file: str, member: Member) -> RoomFile | None:
        """The file of this id, if this member may know of it."""
        known = self._files.get(file)
        return known if known is not None and known.is_shown_to(member.id) else None

    def _entry(self, known: RoomFile, member: Member, answers: str = "") -> FileEntry:
        elsewhere = self.elsewhere.get(known.file, "")
        have = known.size if known.sha256 and not elsewhere else self._have(known.file)
        return known.entry(have, member.id, answers, elsewhere)


def elsewhere_text(name: str, nick: str) -> str:
    return f"{name} is on the computer of {nick}. It can be fetched while they host the room."


def _unsealed(command: FileSend, recipient: tuple[str, str] | None) -> str:
    """Why a file is not sealed as it must be; "": it is."""
    if recipient is None:
        return "It is sealed, and not for anybody." if command.box or command.copy else ""
    if not is_verified(recipient[0]):
        return f"~{recipient[1]} has no key, so nothing can be sealed for them."
    if command.name or any(len(box) != OFFER_SIZE + OVERHEAD for box in (command.box, command.copy)):
        return "A file for one person must be sealed and padded."
    return ""


def _refused(command: FileSend, code: FileRefusal, text: str) -> Reply:
    return Reply(FileRefused(code, text, id=command.id))


def _unknown(file: str) -> Reply:
    return Reply(FileRefused("unknown", "This file is not there any more.", file=file))
