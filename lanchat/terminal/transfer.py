"""`lanchat send --file` and `lanchat get`: files for scripts. Paths go to stdout, everything else to stderr."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from lanchat.api.files import file_called
from lanchat.api.room import JoinedRoom
from lanchat.client.running import RunningTransfer
from lanchat.errors import Refused, TimedOut
from lanchat.protocol.text import safe_text
from lanchat.room.files import elsewhere_text
from lanchat.terminal.chat.files import Rate, left_out_text, percent, transfer_line
from lanchat.terminal.deadline import remaining
from lanchat.terminal.stdio import columns_of, is_dumb, put, put_path
from lanchat.terminal.wording import note_text

_DRAW_EVERY = 0.2  # s


def send_files(
    room: JoinedRoom,
    paths: Sequence[str],
    *,
    to: str | None = None,
    deadline: float | None,
    as_json: bool,
    out: IO[str],
    talk: IO[str],
) -> int:
    """Send files one after the other.

    Args:
        to: the nick of the one person that they are for; None: they are for everybody.
        deadline: when to give up, by `time.monotonic()`; None: never.
        as_json: print an object for each file that is stored.

    Returns:
        The exit code.

    Raises:
        Refused: nothing can be sealed for that person.
        LanchatError: a file was not stored; those before it were.
    """
    try:
        recipient = None if to is None else room.recipient(to)
    except ValueError as error:  # it is us, or a guest, who has no key to seal it to
        raise Refused(str(error), code="private") from None
    for path in paths:
        progress = _ProgressLine(talk)
        transfer = room.start_sending(Path(path), progress, to=recipient)
        if transfer.left_out:
            put(talk, note_text(left_out_text(transfer.progress.name, transfer.left_out)))
        _finish(transfer, progress, deadline)
        if as_json:
            values = {"file": transfer.file, "name": transfer.progress.name, "size": transfer.progress.size}
            out.write(json.dumps({**values, "sha256": transfer.sha256}) + "\n")
            out.flush()
        else:
            only = f" Only {transfer.recipient} can open it." if to is not None else ""
            put(talk, note_text(f"{transfer.progress.name} is stored.{only}"))
    return 0


def get_files(
    room: JoinedRoom,
    names: Sequence[str],
    folder: str | None,
    *,
    everything: bool,
    deadline: float | None,
    as_json: bool,
    out: IO[str],
    talk: IO[str],
) -> int:
    """Fetch files that are in the room now, one after the other, and print the path of each.

    Args:
        names: names of files; of several with one name, the last.
        folder: None for the usual one.
        everything: fetch all files that are whole at the host, in place of named ones.
        deadline, as_json: as for `send_files`.

    Returns:
        The exit code.

    Raises:
        Refused: there is no file of a name.
        LanchatError: a file was not fetched; those before it were.
    """
    entries = room.files
    wanted = [file_called(name, entries) for name in names]
    if everything:
        away = {entry.file for entry in entries if entry.elsewhere and not room.has_other_hosts}
        wanted = [entry for entry in entries if entry.sha256 and entry.file not in away]
        for entry in entries:
            if entry.file in away:
                put(talk, note_text(elsewhere_text(safe_text(entry.name), safe_text(entry.elsewhere))))
            elif not entry.sha256:
                part = percent(entry.have, entry.size)
                put(talk, note_text(f"{safe_text(entry.name)} is still being sent ({part}). Its name waits for it."))
    into = room.downloads if folder is None else Path(folder)
    for entry in wanted:
        progress = _ProgressLine(talk)
        transfer = room.start_fetching(entry, into, progress)
        _finish(transfer, progress, deadline)
        path = str(transfer.path)
        if as_json:
            values = {"path": path, "file": entry.file, "name": entry.name, "size": entry.size, "by": entry.by}
            out.write(json.dumps({**values, "nick": entry.nick, "sha256": transfer.sha256}) + "\n")
            out.flush()
        else:
            put_path(out, path)
    return 0


class _ProgressLine:
    """Shows one transfer in a line of a terminal, which is rewritten; it shows nothing if stderr is no terminal."""

    def __init__(self, talk: IO[str]) -> None:
        self._talk = talk
        self._rate = Rate()
        self._looked_at = 0.0  # s, monotonic
        self._drawn = False
        self._remark = ""

    def __call__(self, transfer: RunningTransfer) -> None:
        """Called in the thread of the transfer."""
        progress, now = transfer.progress, time.monotonic()
        if transfer.cancelled:  # the line is erased
            return
        if now - self._looked_at < _DRAW_EVERY and progress.remark == self._remark:
            return
        self._looked_at, self._remark = now, progress.remark
        if is_dumb() or not (columns := columns_of(self._talk)):
            return
        self._drawn = True
        line = transfer_line(
            name=progress.name,
            up=progress.up,
            done=progress.done,
            size=progress.size,
            rate=self._rate.per_second(progress.done, now),
            remark=progress.remark,
            width=columns - 1,
        )
        self._write(f"\r{line}\x1b[K")

    def erase(self) -> None:
        if self._drawn:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._talk.write(text)
        self._talk.flush()


def _finish(transfer: RunningTransfer, progress: _ProgressLine, deadline: float | None) -> None:
    try:
        transfer.wait(None if deadline is None else remaining(deadline))
    except TimedOut:
        transfer.cancel()
        stays = "" if transfer.progress.up else " What has arrived is kept."
        raise TimedOut(f"{transfer.progress.name} was not transferred in time.{stays}") from None
    except BaseException:
        transfer.cancel()
        raise
    finally:
        progress.erase()
