"""A script in a room: each line of stdin becomes a message, and each message that arrives is printed on a line.

Three threads do it without a terminal: one reads stdin, one takes what arrives, and the caller's own decides. It waits
on one queue, so that whatever happens first ends the script: the text that is waited for, the end of stdin, the time
limit, a lost link, Ctrl-C.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TypeGuard, assert_never

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Item, Private, PrivateMessage
from lanchat.errors import LanchatError, NotConnected, TimedOut
from lanchat.protocol.messages import Said
from lanchat.terminal import json_events
from lanchat.terminal.deadline import LONGEST_WAIT, remaining
from lanchat.terminal.ending import with_end
from lanchat.terminal.json_commands import Unsettled, carry_out
from lanchat.terminal.json_input import parse_command
from lanchat.terminal.json_lines import JsonLines
from lanchat.terminal.lines import message_line, private_line
from lanchat.terminal.notes import Notes
from lanchat.terminal.options import ScriptOptions
from lanchat.terminal.past import PastWatch
from lanchat.terminal.piped import Line, Overlong
from lanchat.terminal.stdio import columns_of, in_rows, put
from lanchat.terminal.wording import error_text, note_text

DRAIN_LIMIT = 0.5  # s to write what has arrived when the time is over; the reader may have stopped reading


@dataclass(frozen=True)
class _InputDone:
    """Stdin is at its end, and everything from it is acknowledged."""

    lines: int
    unsent: int
    leaves: bool = False  # a line has said so


@dataclass(frozen=True)
class _Matched:
    """The text of `until` has arrived."""


@dataclass(frozen=True)
class _Failed:
    error: LanchatError


@dataclass(frozen=True)
class _OutputClosed:
    """The reader of our stdout has closed it."""


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
        self._notes = Notes(room.state, hosting=room.hosting)
        self._unsettled = Unsettled()
        self._json = JsonLines(room.state, room.key_status)
        self._writing = threading.Lock()  # guards `out`: the thread that reads stdin refuses lines of it
        self._stays_without_input = room.hosting and options.linger is None
        self.output_blocked = False  # after `run()`: nobody reads our output, and a thread still waits to write it
        self._happenings: queue.SimpleQueue[_Happening] = queue.SimpleQueue()

    def run(self) -> int:
        """Stay as `_run` does. Of `--json` the last line says how it ended."""
        return with_end(self._run, self._write_end) if self._options.as_json else self._run()

    def _run(self) -> int:
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
                case _InputDone(lines, unsent, leaves):
                    code = 1 if unsent else 0
                    if leaves:
                        return code
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
        leaves = False
        try:
            for line in self._lines:
                count += 1
                if self._options.json_in:
                    problem, leaves = self._carry_out(line, count)
                else:
                    problem, leaves = self._say(line), False
                if problem:
                    unsent += 1
                    self._write_talk(*error_text(f"Line {count} was not sent: {problem}"))
                if leaves:
                    break
            self._wait_acked()
        except LanchatError as error:
            self._happenings.put(_Failed(error))
        else:
            self._happenings.put(_InputDone(count, unsent, leaves))

    def _wait_acked(self) -> None:
        self._room.wait_acked()
        if self._options.as_json and not self._options.quiet:
            self._unsettled.wait(DRAIN_LIMIT)

    def _say(self, line: Line) -> str:
        """Say a line, unless it is blank. Returns why it cannot be said, or nothing."""
        if isinstance(line, Overlong):
            return str(line)
        try:
            if line.strip():
                self._room.say(line)
                self._unsettled.add(1)
        except ValueError as error:
            return str(error)
        return ""

    def _carry_out(self, line: Line, number: int) -> tuple[str, bool]:
        """Do what a line of `--json-in` says. Returns why it cannot be done, or nothing; and whether it is to leave."""
        try:
            command = parse_command(line)
        except ValueError as error:
            return self._refuse(None, number, str(error)), False
        try:
            carry_out(command, self._room)
            self._unsettled.add(0 if (command.say or command.me or command.tell) is None else 1)
        except (ValueError, NotConnected) as error:
            return self._refuse(command.id or None, number, str(error)), False
        return "", bool(command.leave)

    def _refuse(self, id: str | None, number: int, problem: str) -> str:
        if self._options.as_json:
            with suppress(OSError):  # a reader that is gone is noticed by the listener
                self._write_json(json_events.Refused(id, number, problem))
                self._out.flush()
        return problem

    def _write_json(self, line: json_events.Line) -> None:
        with self._writing:
            self._out.write(json_events.written(line))

    def _write_end(self, line: json_events.Line) -> None:
        if not self.output_blocked:
            self._write_json(line)
            self._out.flush()

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
                self._room.confirm([item for item in items if self._was_shown(item)])
            except BrokenPipeError:
                self._happenings.put(_OutputClosed())
                return
            except OSError as error:
                self._happenings.put(_Failed(LanchatError(f"Cannot write the output: {error.strerror or error}.")))
                return
        self._happenings.put(_Failed(ended))

    def _show(self, item: Item) -> None:
        own = isinstance(item, Said | PrivateMessage) and self._room.is_own(item)
        waited = not self._past.over
        self._past.follow(item)
        if self._options.skips_past and isinstance(item, Said) and self._room.state.is_past(item):
            return
        if self._options.as_json and not self._options.quiet:
            for line in self._json.lines(item, own=own, waited=waited):
                self._write_json(line)
                self._unsettled.add(-1 if isinstance(line, json_events.Kept | json_events.Refused) else 0)
        if own:
            return  # else a script that answers what it reads would answer itself
        if isinstance(item, Said):
            self._show_line(message_line(item))
        elif isinstance(item, PrivateMessage) and not item.problem and item.to == self._room.state.me:
            self._show_line(private_line(item), old=not self._past.over and self._options.no_history)
        elif note := self._notes.note(item):
            self._write_talk(note_text(note))

    def _was_shown(self, item: Item) -> TypeGuard[Private]:
        """Whether this is a private message or file that need not come again. Of messages --quiet shows none."""
        return isinstance(item, Private) and not (self._options.quiet and isinstance(item, PrivateMessage))

    def _show_line(self, line: str, *, old: bool = False) -> None:
        """Print a line, and look whether it is the one that is waited for, unless it is an old one."""
        if not (self._options.as_json or self._options.quiet):
            self._out.write((in_rows(self._out, line) if self._on_terminal else line) + "\n")
        if self._options.until is not None and self._options.until in line and not old:
            self._out.flush()
            self._happenings.put(_Matched())

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
