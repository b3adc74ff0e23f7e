"""A script in a room: each line of stdin becomes a message, and each message that arrives is printed on a line.

Three threads do it without a terminal: one reads stdin, one takes what arrives, and the caller's own decides. It waits
on one queue, so that whatever happens first ends the script: the text that is waited for, the end of stdin, the time
limit, a lost link, Ctrl-C.
"""

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, assert_never

from lanchat.api.room import JoinedRoom
from lanchat.client.events import (
    Acked,
    Backup,
    Closed,
    Connected,
    Disconnected,
    Item,
    Named,
    Private,
    PrivateFile,
    PrivateMessage,
)
from lanchat.errors import LanchatError, TimedOut
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.messages import Event, Joined, Left, Moved, Notice, Renamed, Said
from lanchat.protocol.text import safe_nick
from lanchat.protocol.topic import Topic
from lanchat.terminal.deadline import LONGEST_WAIT, remaining
from lanchat.terminal.lines import event_json, message_line, private_line
from lanchat.terminal.options import ScriptOptions
from lanchat.terminal.past import PastWatch
from lanchat.terminal.piped import Line, Overlong
from lanchat.terminal.stdio import columns_of, in_rows, put
from lanchat.terminal.wording import (
    dropped_text,
    error_text,
    left_text,
    moved_text,
    note_text,
    notice_text,
    offered_text,
    private_file_text,
    reconnecting,
    removed_text,
    topic_text,
    unopened_text,
)

DRAIN_LIMIT = 0.5  # s to write what has arrived when the time is over; the reader may have stopped reading
_MOST_FILES = 1000  # whose names are remembered, to say which one was removed


@dataclass(frozen=True)
class _InputDone:
    """Stdin is at its end, and everything from it is acknowledged."""

    lines: int
    unsent: int


@dataclass(frozen=True)
class _Matched:
    """The text of `until` has arrived."""


@dataclass(frozen=True)
class _Failed:
    error: LanchatError


@dataclass(frozen=True)
class _OutputClosed:
    """Nobody reads our stdout any more."""


_Happening = _InputDone | _Matched | _Failed | _OutputClosed


class Script:
    """One run of a script in a room. `run()` belongs to the main thread, since only that gets signals.

    A room that we host stays open if stdin holds no line at all, unless `linger` says how long.

    Args:
        lines: those of stdin; may block.
        out: gets data: a line for each message.
        talk: gets everything else.
        deadline: when the time of `options.timeout` is over, by `time.monotonic()`; None: never.
    """

    def __init__(
        self,
        room: JoinedRoom,
        lines: Iterator[Line],
        out: IO[str],
        talk: IO[str],
        options: ScriptOptions,
        deadline: float | None = None,
    ) -> None:
        self._room = room
        self._lines = lines
        self._out = out
        self._talk = talk
        self._on_terminal = columns_of(out) > 0
        self._options = options
        self._deadline = deadline
        self._past = PastWatch()
        self._stays_without_input = room.hosting and options.linger is None
        self._files: dict[str, str] = {}  # names, by the ids of files
        self.output_blocked = False  # after `run()`: nobody reads our output, and a thread still waits to write it
        self._happenings: queue.SimpleQueue[_Happening] = queue.SimpleQueue()

    def run(self) -> int:
        """Stay as long as the options say. Afterwards we have left, and what had arrived is written.

        Returns:
            The exit code.

        Raises:
            TimedOut: the time is over; then some of what arrived may not be written.
            LanchatError: the link is lost, or the host closed it.
        """
        listener = threading.Thread(target=self._listen, name="script-listener")
        # A read of a pipe or terminal cannot be interrupted, so this one may be left behind at exit.
        speaker = threading.Thread(target=self._speak, name="script-stdin", daemon=True)
        listener.start()
        speaker.start()
        try:
            end = self._decide()
            self._room.leave()
            if not isinstance(end, TimedOut) and not _wait_end(listener, self._deadline):
                end = TimedOut(f"Nobody read the output within {self._options.timeout:g} s.")
        finally:
            self._room.leave()
            listener.join(DRAIN_LIMIT)
            self.output_blocked = listener.is_alive()
        if isinstance(end, LanchatError):
            raise end
        return end

    def _decide(self) -> int | LanchatError:
        leave_at = self._deadline
        timed_out, code = True, 0
        while True:
            left = remaining(leave_at)
            try:
                happening = self._happenings.get(timeout=left)
            except queue.Empty:
                if left >= LONGEST_WAIT:
                    continue
                return self._timed_out() if timed_out else code
            match happening:
                case _Matched() | _OutputClosed():
                    return code
                case _Failed(error):
                    return error
                case _InputDone(lines, unsent):
                    code = 1 if unsent else 0
                    if self._options.until is not None or (self._stays_without_input and not lines):
                        continue
                    linger_end = time.monotonic() + (self._options.linger or 0.0)
                    if leave_at is None or linger_end <= leave_at:
                        leave_at, timed_out = linger_end, False
                case _:
                    assert_never(happening)

    def _timed_out(self) -> TimedOut:
        if self._options.until is not None:
            return TimedOut(f'No line with "{self._options.until}" arrived within {self._options.timeout:g} s.')
        return TimedOut(f"Timed out after {self._options.timeout:g} s.")

    def _speak(self) -> None:
        count = unsent = 0
        try:
            for line in self._lines:
                count += 1
                if problem := self._say(line):
                    unsent += 1
                    self._write_talk(*error_text(f"Line {count} was not sent: {problem}"))
            self._room.wait_acked()
        except LanchatError as error:
            self._happenings.put(_Failed(error))
        else:
            self._happenings.put(_InputDone(count, unsent))

    def _say(self, line: Line) -> str:
        """Say a line, unless it is blank. Returns why it cannot be said, or nothing."""
        if isinstance(line, Overlong):
            return str(line)
        try:
            if line.strip():
                self._room.say(line)
        except ValueError as error:
            return str(error)
        return ""

    def _listen(self) -> None:
        ended: LanchatError | None = None
        while ended is None:
            try:
                items = self._room.take()
                for item in items:
                    if isinstance(item, Closed):
                        ended = item.error
                    else:
                        self._show(item)
                        self._room.follow(item)
                self._out.flush()
                self._room.confirm([item for item in items if isinstance(item, Private)])
            except BrokenPipeError:
                self._happenings.put(_OutputClosed())
                return
            except OSError as error:
                self._happenings.put(_Failed(LanchatError(f"Cannot write the output: {error.strerror or error}.")))
                return
        self._happenings.put(_Failed(ended))

    def _show(self, item: Item) -> None:
        if isinstance(item, Said | PrivateMessage) and self._room.is_own(item):
            return  # else a script that answers what it reads would answer itself
        self._past.follow(item)
        if self._options.skips_past and isinstance(item, Said) and self._room.state.is_past(item):
            return
        if isinstance(item, Event | Private) and self._options.as_json and not self._options.quiet:
            self._out.write(event_json(item) + "\n")
        match item:
            case Said():
                self._show_line(message_line(item))
            case PrivateMessage(problem=problem) if problem:
                me = self._room.state.me
                self._note(unopened_text(item, safe_nick(item.to_nick if item.by == me else item.nick), me))
            case PrivateMessage():
                if item.to == self._room.state.me:
                    self._show_line(private_line(item), old=not self._past.over and self._options.no_history)
            case Joined(nick=nick):
                self._note(f"{safe_nick(nick)} joined")
            case Left(nick=nick, code=code):
                own = code and (item.by, nick) == (self._room.state.me, self._room.nick)
                self._note(dropped_text(item) if own else left_text(safe_nick(nick), item))
            case Renamed(nick=nick, to=to):
                self._note(f"{safe_nick(nick)} is now {safe_nick(to)}")
            case Topic(nick=nick):
                self._note(topic_text(safe_nick(nick), item))
            case Moved(nick=nick):
                self._note(moved_text(safe_nick(nick), item))
            case FileOffered(file=file, nick=nick, name=name):
                self._files[file] = name
                if len(self._files) > _MOST_FILES:
                    del self._files[next(iter(self._files))]
                self._note(offered_text(safe_nick(nick), item))
            case FileRemoved(file=file, nick=nick, reason=reason):
                self._note(removed_text(safe_nick(nick), self._files.pop(file, "a file"), reason))
            case PrivateFile(file=file, nick=nick, to_nick=to_nick, state=state):
                if state == "removed" or file not in self._files:
                    self._files[file] = item.name
                    self._note(private_file_text(item, safe_nick(nick), safe_nick(to_nick), self._room.state.me))
            case Notice(text=text):
                self._note(text if self._room.hosting else notice_text(self._room.state.roster, text))
            case Disconnected(reason=reason, moved=moved):
                if not moved:
                    self._note(reconnecting(reason))
            case Connected(again=again, moved=moved):
                if again and not moved:
                    self._note("Connected again.")
            case FileStored() | Backup() | Named() | Acked() | Closed():
                pass
            case _:
                assert_never(item)

    def _show_line(self, line: str, *, old: bool = False) -> None:
        """Print a line, and look whether it is the one that is waited for, unless it is an old one."""
        if not (self._options.as_json or self._options.quiet):
            self._out.write((in_rows(self._out, line) if self._on_terminal else line) + "\n")
        if self._options.until is not None and self._options.until in line and not old:
            self._out.flush()
            self._happenings.put(_Matched())

    def _note(self, text: str) -> None:
        self._write_talk(note_text(text))

    def _write_talk(self, *lines: str) -> None:
        try:
            put(self._talk, *lines)
        except (BrokenPipeError, ValueError):
            pass  # nobody reads it


def _wait_end(thread: threading.Thread, deadline: float | None) -> bool:
    """Whether the thread ends in time."""
    while thread.is_alive():
        if not (left := remaining(deadline)):
            return False
        thread.join(left)
    return True
