"""The file transfers of a chat: commands start and end them, and their progress is shown above the typed line."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, timedelta

from lanchat.api.room import JoinedRoom
from lanchat.client.running import WAITS_FOR_SENDER, RunningTransfer, TransferState
from lanchat.errors import LanchatError
from lanchat.protocol.limits import DEFAULT_FILE_LIMITS
from lanchat.protocol.sizes import size_text
from lanchat.storage.home import shown_path
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.accepting import Accepting
from lanchat.terminal.chat.commands import Completion
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.chat.files import Listed, Rate, count_text, left_out_text, transfer_line
from lanchat.terminal.chat.line import SYSTEM
from lanchat.terminal.chat.paths import complete_path, complete_recipient, path_and_nick, typed_path
from lanchat.terminal.phrases import day_text
from lanchat.terminal.wording import error_line

DRAW_EVERY = 0.25  # s between two drawings for the sake of progress
_DAY = 86_400_000  # ms


class ChatTransfers:
    """Owned by the thread that paints; the transfers themselves report from their own threads.

    Args:
        wake: draws soon. Any thread.
        accept: bytes of the largest file that is fetched unasked; 0: none is.
    """

    def __init__(self, room: JoinedRoom, feed: Feed, wake: Callable[[], None], accept: int = 0) -> None:
        self._room = room
        self._feed = feed
        self._wake = wake
        self._running: list[tuple[RunningTransfer, Rate]] = []
        self._drawn_at = 0.0  # s, monotonic
        self.accepting = Accepting(room, accept, lambda: len(self._running), lambda file: self._get(file), feed.note)

    def send(self, typed: str) -> None:
        """Send a file, or a folder as a ZIP, to everybody, or to the one person whose nick stands behind the path.

        Raises:
            ValueError: nothing can be sealed for that person; or, for the first time, another key has or had the nick.
            LanchatError: there is no such file, or the room does not take it.
        """
        path, nick = path_and_nick(typed)
        to = self._feed.private.recipient(nick) if nick else None
        transfer = self._room.start_sending(path, self._report, to=to, keep=True)
        if transfer.left_out:
            self._feed.note(left_out_text(transfer.progress.name, transfer.left_out))
        self._begin(transfer)

    def resume(self) -> None:
        """Go on with what was being sent when the last run ended."""
        for transfer in self._room.resume_sending(self._report):
            self._feed.note(f"Sending {transfer.progress.name} goes on.")
            self._begin(transfer)

    def greet(self) -> None:
        """Tell somebody who has come in that there are files, once the host has answered."""
        if self._room.largest_file:
            threading.Thread(target=self._count, name="count-files").start()

    def fetch(self, file: str, folder: str) -> None:
        """Fetch a file.

        Args:
            file: its number or its name.
            folder: "" for the usual one.

        Raises:
            ValueError: there is no such file, or no such folder.
        """
        self._get(self._feed.files.numbered(file).file, folder)

    def _get(self, file: str, folder: str = "") -> None:
        """Fetch a file by the host's name for it."""
        known = self._feed.files.known(file)
        assert known is not None, "it has a number"
        into = typed_path(folder) if folder else self._room.downloads
        if folder and not os.path.isdir(into):
            raise ValueError(
                f"There is no folder {shown_path(into)}. Make it first, or leave it out: the file is then saved in "
                f"{shown_path(self._room.downloads)}"
            )
        self._begin(self._room.start_fetching(known, into, self._report))

    def cancel(self, file: str) -> None:
        """End the transfer of a file.

        Raises:
            ValueError: it is not under way.
        """
        found = [transfer for transfer, _ in self._running if transfer.progress.name == file]
        if not found:
            id = self._feed.files.numbered(file).file
            found = [transfer for transfer, _ in self._running if transfer.file == id]
        if not found:
            raise ValueError(f"{file} is not one of your transfers.")
        for transfer in found:
            transfer.cancel()

    def remove(self, file: str) -> None:
        """Ask the host to delete a file.

        Raises:
            ValueError: there is no such file.
        """
        self._room.remove_file(self._feed.files.numbered(file).file)

    def show_all(self) -> None:
        """List the files of the room, once the host has answered."""
        if not self._room.largest_file:
            raise ValueError("This room takes no files.")
        threading.Thread(target=self._list, name="list-files").start()

    def lines(self, width: int) -> Fragments:
        """A line for each running transfer."""
        now = time.monotonic()
        self._running = [(transfer, rate) for transfer, rate in self._running if not _is_over(transfer)]
        lines = []
        for transfer, rate in self._running:
            progress, per_second = transfer.progress, rate.per_second(transfer.progress.done, now)
            waits = "It waits for the host." if progress.up else "It waits for more."
            waits = WAITS_FOR_SENDER if transfer.awaits_sender else waits
            lines.append(
                transfer_line(
                    name=progress.name,
                    up=progress.up,
                    done=progress.done,
                    size=progress.size,
                    rate=per_second,
                    remark=progress.remark or (waits if rate.stalled else ""),
                    width=width,
                )
            )
        return [(SYSTEM, "\n".join(lines))] if lines else []

    def complete(self, before: str) -> Iterable[Completion] | None:
        """What a command about files could become; None: it is another one."""
        word, blank, argument = before.partition(" ")
        if not blank:
            return None
        match word.lower():
            case "/send":
                nicks = [person.nick for person in self._feed.roster.people.values() if person.verified]
                return [*complete_path(argument), *complete_recipient(argument, nicks)]
            case "/get" | "/cancel" | "/remove" if " " not in argument:
                files = [known for known in self._feed.files.all if str(known.number).startswith(argument)]
                return [Completion(str(known.number), len(argument), known.name) for known in reversed(files)]
        return None

    def _begin(self, transfer: RunningTransfer) -> None:
        self._running.append((transfer, Rate()))
        self._wake()

    def _list(self) -> None:
        try:
            self._feed.show_files(Listed(tuple(self._room.files)))
        except LanchatError as error:
            self._feed.note(str(error), error=True)

    def _count(self) -> None:
        with suppress(LanchatError):  # the bar tells about the connection
            if number := len(self._room.files):
                self._feed.note(count_text(number))

    def _report(self, transfer: RunningTransfer) -> None:
        """Called in the thread of the transfer."""
        progress, error = transfer.progress, transfer.error
        if progress.state is TransferState.DONE:
            self._feed.note(_done_text(transfer))
        elif error is not None:
            self._feed.note(error_line(error) + self._how_to_go_on(transfer), error=not transfer.cancelled)
        elif (now := time.monotonic()) - self._drawn_at > DRAW_EVERY:
            self._drawn_at = now
            self._wake()

    def _how_to_go_on(self, transfer: RunningTransfer) -> str:
        """How the person gets the rest of a file whose transfer has failed; "": nothing of it has arrived."""
        known = self._feed.files.known(transfer.file)
        if transfer.progress.up or not transfer.progress.done or known is None:
            return ""
        return f" What has arrived is kept: /get {known.number} goes on with it."


def _is_over(transfer: RunningTransfer) -> bool:
    return transfer.progress.state in (TransferState.DONE, TransferState.FAILED)


def _done_text(transfer: RunningTransfer) -> str:
    progress = transfer.progress
    if not progress.up:
        return f"Saved {shown_path(transfer.path)} ({size_text(progress.size)})"
    if transfer.recipient:
        return f"{progress.name} is stored. Only {transfer.recipient} can open it."
    until = date.today() + timedelta(days=DEFAULT_FILE_LIMITS.kept // _DAY)
    return f"{progress.name} is stored; everybody can fetch it until {day_text(until)}."
