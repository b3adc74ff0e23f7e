"""The scripted way to be in a room: lines of stdin are said, what arrives is printed a line each.

No terminal is involved. Three threads: one reads stdin, one takes what arrives, and the caller's own
decides, from one queue of happenings, so that whatever comes first (the text waited for, the end of
stdin, the time limit, a lost link, Ctrl-C) ends it.
"""

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, assert_never

from lanchat.client.events import Acked, Closed, Connected, Disconnected, Item, why_gone
from lanchat.client.member import Member
from lanchat.client.receiving import WINDOW
from lanchat.errors import LanchatError, TimedOut
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Joined, Left, Notice, Record, Renamed, Said, Told
from lanchat.protocol.text import safe_text

REST = 0.5  # s for what has arrived to be written, when the time is over: whoever reads it may stand still
_LONGEST_WAIT = 1e6  # s at once; for a longer time (`--linger inf`) Python's clock overflows on some systems


@dataclass(frozen=True)
class Plan:
    """When a scripted member leaves.

    Args:
        linger: s to stay after all that was said is acknowledged.
        until: leave when an arriving line holds this; then the end of stdin does not end it.
        no_history: what was said in the room before we came is neither printed nor looked at.
        timeout: s in all, or None.
        stay: nothing ends it but the end of the room or a signal, if stdin holds no line at all.
    """

    linger: float = 0.0
    until: str | None = None
    timeout: float | None = None
    stay: bool = False
    no_history: bool = False


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
        self._me, self._nick = "", ""  # our member id, and how we are called
        self._border = 0  # what was said up to this seq was said before we came
        self.stuck = False  # after `run()`: nobody reads what we write, and a thread of ours waits for that
        self._happenings: queue.SimpleQueue[_Happening] = queue.SimpleQueue()

    def run(self) -> int:
        """Stay as planned. The member has left when this returns or raises, and what had arrived is written.

        Returns:
            The exit code.

        Raises:
            TimedOut: the time is over; not all may be written then.
            LanchatError: the link is lost, or the host closed it.
        """
        deadline = None if self._plan.timeout is None else time.monotonic() + self._plan.timeout
        listener = threading.Thread(target=self._listen, name="script-listener")
        # A read of a pipe or terminal cannot be interrupted, so this one may be left behind at exit.
        speaker = threading.Thread(target=self._speak, name="script-stdin", daemon=True)
        listener.start()
        speaker.start()
        try:
            end = self._decide(deadline)
            self._member.close()
            if not isinstance(end, TimedOut) and not _wait_end(listener, deadline):
                end = TimedOut(f"what arrived was not read within {self._plan.timeout:g} s")
        finally:
            self._member.close()
            listener.join(REST)
            self.stuck = listener.is_alive()
        if isinstance(end, LanchatError):
            raise end
        return end

    def _decide(self, deadline: float | None) -> int | LanchatError:
        leave_at = deadline
        timed_out, code = True, 0
        while True:
            remaining = _remaining(leave_at)
            try:
                happening = self._happenings.get(timeout=remaining)
            except queue.Empty:
                if remaining >= _LONGEST_WAIT:
                    continue
                return self._too_late() if timed_out else code
            match happening:
                case _Found() | _Unread():
                    return code
                case _Failed(error):
                    return error
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
                    if isinstance(item, Closed):
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
        if self._plan.no_history and isinstance(item, Said) and item.seq <= self._border:
            return
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
            case Left(nick=nick, reason=reason):
                ours = reason and (item.by, nick) == (self._me, self._nick)
                self._tell(why_gone(reason) if ours else f"{nick} left{f' ({reason})' if reason else ''}")
            case Renamed(nick=nick, to=to):
                if (item.by, nick) == (self._me, self._nick):
                    self._nick = to
                self._tell(f"{nick} is now {to}")
            case Notice(text=text):
                self._tell(text)
            case Disconnected(reason=reason):
                self._tell(f"{reason}; trying to come back")
            case Connected(welcome=welcome, again=again):
                self._me, self._nick = welcome.id, welcome.nick
                # A host that lost its record counts anew from there.
                self._border = min(self._border, welcome.seq) if again else welcome.seq
                if again:
                    self._tell("back in the room")
            case Acked() | Closed():
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


def event_json(event: Record) -> str:
    """One event as a line of JSON, pure ASCII: harmless on a terminal, whatever is in it."""
    kind = type(event).__name__.lower()
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return json.dumps({"event": kind, **fields})


def _line(said: Said) -> str:
    text = _one_line(said.text)
    nick = safe_text(("" if is_verified(said.by) else "~") + said.nick)
    return f"* {nick} {text}" if said.action else f"{nick}: {text}"


def _private_line(told: Told) -> str:
    """No nick has a bracket in it, so no public line looks like this one."""
    return f"[{safe_text(told.nick)} -> you] {_one_line(told.text)}"


def _one_line(text: str) -> str:
    return safe_text(text, lines=True).replace("\n", "\\n")


def _wait_end(thread: threading.Thread, deadline: float | None) -> bool:
    """Whether it ends in time."""
    while thread.is_alive():
        if not (remaining := _remaining(deadline)):
            return False
        thread.join(remaining)
    return True


def _remaining(deadline: float | None) -> float:
    """s to wait at once."""
    return _LONGEST_WAIT if deadline is None else min(max(0.0, deadline - time.monotonic()), _LONGEST_WAIT)
