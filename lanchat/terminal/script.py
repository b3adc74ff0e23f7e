"""The scripted way to be in a room: lines of stdin are said, what arrives is printed a line each.

No terminal is involved. Three threads: one reads stdin, one takes what arrives, and the caller's own
decides, from one queue of happenings, so that whatever comes first (the text waited for, the end of
stdin, the time limit, a lost link, Ctrl-C) ends it.
"""

import json
import os
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, assert_never

from lanchat.errors import LanchatError, TimedOut
from lanchat.member import Member
from lanchat.news import Came, Ended, Item, Kept, Lost
from lanchat.protocol.messages import Event, Joined, Left, Notice, Record, Renamed, Said, Told
from lanchat.protocol.text import safe_text

WINDOW = 64  # messages said and not yet acknowledged; a whole file may be piped in without flooding the host
_LONGEST_WAIT = 1e6  # s at once; for a longer time (`--linger inf`) Python's clock overflows on some systems


@dataclass(frozen=True)
class Plan:
    """When a scripted member leaves.

    Args:
        linger: s to stay after all that was said is acknowledged.
        until: leave when an arriving line holds this; then the end of stdin does not end it.
        timeout: s in all, or None.
        stay: nothing ends it but the end of the room or a signal, if stdin holds no line at all.
    """

    linger: float = 0.0
    until: str | None = None
    timeout: float | None = None
    stay: bool = False


@dataclass(frozen=True)
class _Spoken:
    """Stdin is at its end and everything said is acknowledged."""

    lines: int
    unsent: int


@dataclass(frozen=True)
class _Found:
    """The text waited for has arrived."""


@dataclass(frozen=True)
class _Failed:
    error: LanchatError


@dataclass(frozen=True)
class _Unread:
    """Nobody reads our stdout any more."""


_Happening = _Spoken | _Found | _Failed | _Unread


class Script:
    """One scripted stay in a room. `run()` belongs to the main thread, which alone gets signals.

    Args:
        lines: stdin line by line, without line ends; may block.
        out: data; a line for each message.
        talk: everything else.
    """

    def __init__(
        self,
        member: Member,
        lines: Iterator[str],
        out: IO[str],
        talk: IO[str],
        plan: Plan,
        *,
        as_json: bool = False,
    ) -> None:
        self._member = member
        self._lines = lines
        self._out = out
        self._talk = talk
        self._plan = plan
        self._as_json = as_json
        self._me = ""  # our member id
        self._happenings: queue.SimpleQueue[_Happening] = queue.SimpleQueue()

    def run(self) -> int:
        """Stay as planned. The member is still in the room when this returns or raises.

        Returns:
            The exit code.

        Raises:
            TimedOut: the time is over.
            LanchatError: the link is lost, or the host closed it.
        """
        started = time.monotonic()
        listener = threading.Thread(target=self._listen, name="script-listener")
        # A read of a pipe or terminal cannot be interrupted, so this one may be left behind at exit.
        speaker = threading.Thread(target=self._speak, name="script-stdin", daemon=True)
        listener.start()
        speaker.start()
        try:
            return self._decide(started)
        finally:
            self._member.close()
            listener.join()

    def _decide(self, started: float) -> int:
        leave_at = None if self._plan.timeout is None else started + self._plan.timeout
        timed_out, code = True, 0
        while True:
            remaining = _LONGEST_WAIT if leave_at is None else max(0.0, leave_at - time.monotonic())
            try:
                happening = self._happenings.get(timeout=min(remaining, _LONGEST_WAIT))
            except queue.Empty:
                if remaining >= _LONGEST_WAIT:
                    continue
                if timed_out:
                    raise self._too_late() from None
                return code
            match happening:
                case _Found() | _Unread():
                    return code
                case _Failed(error):
                    raise error
                case _Spoken(lines, unsent):
                    code = 1 if unsent else 0
                    if self._plan.until is not None or (self._plan.stay and not lines):
                        continue
                    lingered = time.monotonic() + self._plan.linger
                    if leave_at is None or lingered <= leave_at:
                        leave_at, timed_out = lingered, False
                case _:
                    assert_never(happening)

    def _too_late(self) -> TimedOut:
        within = f"within {self._plan.timeout:g} s"
        if self._plan.until is not None:
            return TimedOut(f'no line with "{self._plan.until}" arrived {within}')
        return TimedOut(f"it did not come to its end {within}")

    def _speak(self) -> None:
        count = unsent = 0
        try:
            for line in self._lines:
                count += 1
                if not line.strip():
                    continue
                self._member.wait_kept(below=WINDOW)
                try:
                    self._member.say(line)
                except ValueError as error:
                    unsent += 1
                    self._tell(f"line {count} was not sent: {error}")
            self._member.wait_kept()
        except LanchatError as error:
            self._happenings.put(_Failed(error))
        else:
            self._happenings.put(_Spoken(count, unsent))

    def _listen(self) -> None:
        ended: LanchatError | None = None
        while ended is None:
            try:
                for item in self._member.take():
                    if isinstance(item, Ended):
                        ended = item.error
                    else:
                        self._show(item)
                self._out.flush()
            except BrokenPipeError:
                self._happenings.put(_Unread())
                return
            except OSError as error:
                self._happenings.put(_Failed(LanchatError(f"cannot write what arrives: {error.strerror or error}")))
                return
        self._happenings.put(_Failed(ended))

    def _show(self, item: Item) -> None:
        if isinstance(item, Said | Told) and self._member.is_own(item):
            return  # a script that answers what it reads must not answer itself
        if isinstance(item, Event | Told) and self._as_json:
            self._out.write(event_json(item) + "\n")
        match item:
            case Said():
                self._show_line(_line(item))
            case Told():
                if item.to == self._me:
                    self._show_line(_private_line(item))
            case Joined(nick=nick):
                self._tell(f"{nick} joined")
            case Left(nick=nick):
                self._tell(f"{nick} left")
            case Renamed(nick=nick, to=to):
                self._tell(f"{nick} is now {to}")
            case Notice(text=text):
                self._tell(text)
            case Lost(reason=reason):
                self._tell(f"{reason}; trying to come back")
            case Came(welcome=welcome, again=False):
                self._me = welcome.id
            case Came():
                self._tell("back in the room")
            case Kept() | Ended():
                pass
            case _:
                assert_never(item)

    def _show_line(self, line: str) -> None:
        if not self._as_json:
            self._out.write(line + "\n")
        if self._plan.until is not None and self._plan.until in line:
            self._out.flush()
            self._happenings.put(_Found())

    def _tell(self, text: str) -> None:
        try:
            self._talk.write(safe_text(text) + "\n")
            self._talk.flush()
        except (BrokenPipeError, ValueError):
            pass  # nobody listens to our talk


def read_lines(file: int) -> Iterator[str]:
    """The lines of this file descriptor, each as soon as it is there.

    Not through `sys.stdin`: a thread left behind in its buffer would abort the interpreter's exit (cpython#129536).
    """
    partial = b""
    while data := os.read(file, 64 * 1024):
        *lines, partial = (partial + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if partial:
        yield partial.decode(errors="replace")


def event_json(event: Record) -> str:
    """One event as a line of JSON, pure ASCII: harmless on a terminal, whatever is in it."""
    kind = type(event).__name__.lower()
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return json.dumps({"event": kind, **fields})


def _line(said: Said) -> str:
    text = _one_line(said.text)
    nick = safe_text(("~" if said.by.startswith("~") else "") + said.nick)
    return f"* {nick} {text}" if said.action else f"{nick}: {text}"


def _private_line(told: Told) -> str:
    """No nick has a bracket in it, so no public line looks like this one."""
    return f"[{safe_text(told.nick)} -> you] {_one_line(told.text)}"


def _one_line(text: str) -> str:
    return safe_text(text, lines=True).replace("\n", "\\n")
