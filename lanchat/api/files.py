"""The files of a joined room: sending, listing and fetching them, for programs and for the screen alike."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lanchat.api.requests import RoomRequests
from lanchat.client.private import another_key_text, is_guest
from lanchat.client.private_files import Recipient
from lanchat.client.queue import EventQueue
from lanchat.client.running import Progress, RunningTransfer
from lanchat.client.transfer import KnownFile
from lanchat.errors import LanchatError, Refused
from lanchat.protocol.file_messages import FileEntry, FileRemove
from lanchat.protocol.filenames import safe_name
from lanchat.protocol.ids import is_room_id
from lanchat.protocol.messages import Card
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.sizes import size_text
from lanchat.protocol.text import listed, safe_text
from lanchat.storage.home import downloads_folder, home_folder
from lanchat.storage.reader import LogReader
from lanchat.storage.rooms import HOSTED, JOINED, log_paths
from lanchat.storage.unfinished import Unfinished, remember, take_over

LIST_WAIT = 10.0  # s for the host to list its files

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class SentFile:
    """A file that the host has stored.

    Args:
        file: the host's name for it, 32 hex digits.
        sha256: of the whole, in hex.
    """

    file: str
    sha256: str


class RoomFiles(RoomRequests):
    """The part of a `JoinedRoom` that is about files. Any thread."""

    card: Card
    _queue: EventQueue

    @property
    def largest_file(self) -> int:
        """Bytes of the largest file that the room takes; 0: it takes none."""
        return self._member.delivery.host.largest_file

    def send_file(self, path: str | Path, to: str | None = None, *, on_progress: OnProgress | None = None) -> SentFile:
        """Send a file to everybody in the room, or to one person. Returns when it is on the host's disk, so it may take
        long.

        A folder is sent as a ZIP, which is made while it is sent. After a lost link the transfer continues by itself.
        Others may fetch the file while it is being sent. One for one person is sealed: the host stores what it cannot
        read, and nobody else learns of it. Its recipient may be away.

        Args:
            to: the nick of the one person, who is or was in this room. It stands for their key.
            on_progress: called often, from another thread.

        Raises:
            ValueError: the nick breaks its rules or is your own, or that person is a guest without a key, or the host
                has given the nick to two keys.
            Refused: the host does not take it, or knows no such person.
            LanchatError: there is no such file, it changed meanwhile, or the connection has ended.
        """
        recipient = None if to is None else self.recipient(to)
        transfer = self.start_sending(Path(path), _shown(on_progress), to=recipient)
        _finish(transfer)
        return SentFile(transfer.file, transfer.sha256)

    def recipient(self, nick: str, *, has_rival: bool = False) -> Recipient:
        """The one person that a file for this nick is for.

        Args:
            has_rival: accept a nick that the host has given to two keys, because the caller knows it.

        Raises:
            ValueError: as for `send_file`.
        """
        with self._queue.lock:
            person = self._state.roster.addressee(nick)
            rival = self._state.roster.rival(person) if person else None
        name = clean_nick(nick.removeprefix("~"))
        if person is None:
            return Recipient(name)
        if rival is not None and not has_rival:
            raise ValueError(f"{another_key_text(person, rival)} Nothing was sent.")
        if is_guest(person.id):
            raise ValueError(f"~{person.nick} is a guest without a key: a file cannot be sealed for them.")
        return Recipient(name, person.id, person.key)

    @property
    def files(self) -> list[FileEntry]:
        """The files that are in the room now, oldest first. Asks the host.

        Raises:
            TimedOut: it does not answer.
            LanchatError: the connection has ended.
        """
        if not self.largest_file:
            return []
        transfers = self._member.transfers
        return [transfers.offers.listed(entry) for entry in transfers.questions.list(LIST_WAIT)]

    def fetch(
        self, file: FileEntry | str, into: str | Path | None = None, *, on_progress: OnProgress | None = None
    ) -> Path:
        """Fetch a file of the room. Returns when it is whole and its SHA-256 is right, so it may wait for its sender.

        Args:
            file: one of `files`, or the name of one.
            into: a folder; by default one for this room among your downloads. No file in it is ever overwritten.
            on_progress: called often, from another thread.

        Returns:
            The path of the new file.

        Raises:
            Refused: no file of the room is called so, or it is not there any more.
            LanchatError: the folder cannot be written, or the connection has ended.
        """
        entry = file if isinstance(file, FileEntry) else file_called(file, self.files)
        folder = self.downloads if into is None else Path(into)
        transfer = self.start_fetching(entry, folder, _shown(on_progress))
        _finish(transfer)
        return transfer.path

    def remove_file(self, file: str) -> None:
        """Ask the host to delete a file: one of your own, or any if you are the host. Never waits.

        Args:
            file: the host's name for it, as in `FileEntry.file`. A `FileRemoved` or a `Notice` follows.

        Raises:
            ValueError: that is no such name.
            ConnectionLost: there is no link to the host now.
            LanchatError: the connection has ended.
        """
        if not is_room_id(file):  # both are 32 hex digits
            raise ValueError("A file is named by 32 hex digits, as FileEntry.file has them.")
        self._member.delivery.ask(FileRemove(file))

    @property
    def downloads(self) -> Path:
        """The folder for fetched files of this room. It may not exist yet."""
        return downloads_folder() / safe_name(self.card.title)

    def start_sending(
        self,
        path: Path,
        on_progress: Callable[[RunningTransfer], None],
        *,
        to: Recipient | None = None,
        keep: bool = False,
    ) -> RunningTransfer:
        """As `send_file`, but never waits.

        Args:
            on_progress: called often, from another thread, and once at the end.
            to: the one person that it is for; None: it is for everybody.
            keep: whether `resume_sending` of a later run may finish it.

        Raises:
            LanchatError: there is no such file, or the room does not take it.
        """
        if not self.largest_file:
            raise Refused("Not sent: this room takes no files.", code="off")
        kept = self._remember(path, to) if keep else None
        try:
            upload = self._member.transfers.open(path, to, kept)
            if upload.size > self.largest_file:
                upload.close()
                words = f"{size_text(upload.size)}, and this room takes files of up to {size_text(self.largest_file)}."
                raise Refused(f"Not sent: {words}", code="size")
        except BaseException:
            if kept is not None:
                kept.finish(keep=False)
            raise
        return self._member.transfers.send(upload, on_progress, kept)

    def _remember(self, path: Path, to: Recipient | None) -> Unfinished | None:
        """Note for a later run that this is being sent."""
        if self._folder is None:
            return None
        whom = to or Recipient("")
        return remember(self._folder, secrets.token_hex(16), path, nick=whom.nick, to=whom.id, to_key=whom.key)

    def resume_sending(self, on_progress: Callable[[RunningTransfer], None]) -> list[RunningTransfer]:
        """Go on with what earlier runs have begun to send, where they were.

        Args:
            on_progress: as for `start_sending`.
        """
        transfers = []
        for unfinished in take_over(self._folder) if self._folder is not None and self.largest_file else []:
            try:
                to = Recipient(unfinished.nick, unfinished.to, unfinished.to_key) if unfinished.nick else None
                upload = self._member.transfers.open(unfinished.path, to, unfinished)
            except LanchatError:  # it is gone
                unfinished.finish(keep=False)
                continue
            transfers.append(self._member.transfers.send(upload, on_progress, unfinished))
        return transfers

    def has_heard(self, id: str, *, before: int) -> bool:
        """Whether our history has something that this person said in this room before this time.

        Args:
            id: their member id.
            before: ms since 1970.

        Raises:
            LanchatError: it cannot be read.
        """
        return any(LogReader(path).has_said(id, before) for path in log_paths(home_folder(), self.card.room))

    @property
    def _folder(self) -> Path | None:
        """The folder of this room on this disk; None: nothing of it is stored."""
        kinds = (HOSTED, JOINED) if self.hosting else (JOINED,)
        paths = [home_folder() / kind / self.card.room for kind in kinds if is_room_id(self.card.room)]
        return next((path for path in paths if path.is_dir() and not self.card.ephemeral), None)

    def start_fetching(
        self, file: KnownFile, folder: Path, on_progress: Callable[[RunningTransfer], None]
    ) -> RunningTransfer:
        """As `fetch`, but never waits.

        Args:
            file: its name is made safe.
            on_progress: as for `start_sending`.
        """
        return self._member.transfers.fetch(file, folder, on_progress)


def file_called(name: str, entries: Sequence[FileEntry]) -> FileEntry:
    """The file with this name or id; of several with one name, the last.

    Raises:
        Refused: no file has it.
    """
    found = [entry for entry in entries if name in (entry.name, entry.file)]
    if not found:
        there = listed([safe_text(entry.name) for entry in entries])
        raise Refused(
            f'No file called "{name}" is in the room.',
            f"The room has: {there}" if there else "The room has no files at all.",
            code="unknown",
        )
    return found[-1]


def _shown(on_progress: OnProgress | None) -> Callable[[RunningTransfer], None]:
    if on_progress is None:
        return lambda transfer: None
    return lambda transfer: on_progress(transfer.progress)


def _finish(transfer: RunningTransfer) -> None:
    try:
        transfer.wait()
    except BaseException:
        transfer.cancel()  # Ctrl-C, too, ends the transfer
        raise
