"""The chat of one person in one room: what comes goes to the screen, and what is typed goes to the room."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from lanchat.api.room import JoinedRoom
from lanchat.errors import LanchatError
from lanchat.protocol.text import safe_text
from lanchat.storage.input_history import InputHistory
from lanchat.storage.own_settings import OwnSettings
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat import commands
from lanchat.terminal.chat.actions import Actions
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.chat.intents import is_mendable
from lanchat.terminal.chat.line import system_line
from lanchat.terminal.chat.line_screen import LineScreen
from lanchat.terminal.chat.screen import Input, Output, Screen
from lanchat.terminal.chat.status import (
    NO_ANSWER,
    PENDING_AFTER,
    PENDING_LINES,
    Pending,
    bar_text,
    no_answer,
    waiting_text,
)
from lanchat.terminal.chat.transfers import ChatTransfers
from lanchat.terminal.notify import PAUSE, Caller, Terminal
from lanchat.terminal.options import DEFAULT_SCREEN, ScreenOptions
from lanchat.terminal.phrases import people_text
from lanchat.terminal.wording import error_line

NARROWER = "The window became narrower. Above here the terminal has broken the rows, not lanchat."

# Seconds to render one portion; printing it takes four times as long, and then keys are read. Measured: 60,000 lines a
# second with a typed key on the screen within 41 ms (0.008: 76,000 and 73 ms), and 20,000 within 13 ms (p99).
PAINT_LIMIT = 0.003
TICK = 1.0  # s between two drawings of transfers that report nothing
ASKED_FOR = 10.0  # s in which leaving once more is the answer to our question


@dataclass(frozen=True)
class ChatEnd:
    """Why the screen was left. With nothing but defaults, the person has left.

    Args:
        error: the connection ended with this; the screen has said so already.
        signal: SIGTERM or SIGHUP, if that was it.
        unsent: what still stood in the line.
    """

    error: LanchatError | None = None
    signal: int | None = None
    unsent: str = ""


class Chat:
    """Connects the screen, the feed and the commands.

    One thread makes it and runs it: the main thread, so that signals work. The caller closes the room after `run()`.

    Args:
        own: what this person has settled for the room before; None: nothing.
        typed: what was typed here before; None: nothing.
        look: how the screen calls the person, and what it leaves out.
        dumb: the terminal knows no escape sequences.
        accept: bytes of the largest file that is fetched unasked, from those who are known; 0: none is.
        input, output: the terminal; None for this process's own.
    """

    def __init__(
        self,
        room: JoinedRoom,
        *,
        own: OwnSettings | None = None,
        typed: InputHistory | None = None,
        look: ScreenOptions = DEFAULT_SCREEN,
        dumb: bool = False,
        accept: int = 0,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._room = room
        self._pending = Pending()
        self._ticks_at = 0.0  # s, monotonic: when running transfers are drawn again
        self._bar_at = 0.0  # s, monotonic: when the bar is drawn again to see whether the host still answers
        self._asked_at = -ASKED_FOR  # s, monotonic: when we asked whether others shall lose the room
        terminal = Terminal(os.environ, popup=look.popup, titled=look.title)
        self._caller = Caller(room.title, terminal, silent=not look.bell, now=time.monotonic())
        self._due_soon = False  # a drawing is coming that may call
        self._due_at: float | None = None  # s, monotonic: for when a drawing was asked for, for what the feed tells
        typed = typed or InputHistory()
        self._screen: Screen | LineScreen
        if dumb:
            self._screen = LineScreen(
                accept=self._accept, portion=self._portion, may_leave=self._may_leave, typed=typed
            )
        else:
            self._screen = Screen(
                accept=self._accept,
                complete=self._complete,
                bar=self._bar,
                above=self._waiting,
                portion=self._portion,
                again=self._again,
                may_leave=self._may_leave,
                focus=self._caller.focus,
                pressed=lambda: self._caller.key(time.monotonic()),
                typed=typed,
                input=input,
                output=output,
            )
        self._screen.terminal.name = lambda: self._caller.name
        self._feed = Feed(
            room,
            wake=self._screen.wake,
            own=own or OwnSettings(),
            words=look.words,
            joins=look.joins,
            heard=lambda kind, nick, text: self._caller.heard(kind, nick, text, time.monotonic()),
            offered=lambda file: self._transfers.accepting.offered(file),
            colour=self._screen.colour,
        )
        self._transfers = ChatTransfers(room, self._feed, self._screen.wake, accept)
        self._actions = Actions(room, self._screen, self._feed, self._transfers, self._may_leave)

    def run(self) -> ChatEnd:
        """Show the room until the person leaves, also after the connection has ended: what is typed meanwhile belongs
        into no shell. The terminal is left as it was found.
        """
        try:
            number = self._screen.run(begin=self._begin)
        finally:
            self._feed.stop()
        ended = self._feed.ended
        if ended is None and number is None:
            return ChatEnd()
        return ChatEnd(ended.error if ended else None, number, self._screen.typed)

    def _begin(self) -> None:
        self._feed.start()
        self._transfers.greet()
        self._transfers.resume()
        self._screen.redraw_in(PENDING_AFTER)  # something of an earlier run may wait

    def show(self, fragments: Fragments) -> None:
        """Show lines that only we see and that are drawn already, as `note`."""
        self._feed.show(fragments)

    def note(self, text: str, *, command: bool = False) -> None:
        """Show a line that only we see. Any thread; before `run()` it is to stand below the history.

        Args:
            command: somebody is to type it, so it stands out.
        """
        self._feed.note(text, command=command)

    def _portion(self, columns: int) -> tuple[Fragments, bool]:
        over = self._feed.ended is not None
        fragments, more = self._feed.portion(PAINT_LIMIT, columns)
        self._call()
        if (due := self._feed.due_at) is not None and due != self._due_at:
            self._due_at = due
            self._screen.redraw_in(max(0.0, due - time.monotonic()) + TICK)  # surely after it
        if self._feed.ended is not None and not over:
            self._feed.note("You are not in this room any more. Ctrl-C leaves.")
        return fragments, more

    def _call(self) -> None:
        """Call the person, if somebody has, and come back for what has to wait."""
        self._screen.terminal.send(self._caller.due(time.monotonic()))
        if self._caller.waiting and not self._due_soon:
            self._screen.redraw_in(PAUSE)
        self._due_soon = self._caller.waiting > 0

    def _again(self, columns: int, before: int, rows: int) -> Fragments:
        """What is in view, for this number of columns instead of those before."""
        notice = system_line(NARROWER).fragments(columns) if columns < before else []
        return notice + self._feed.painted.again(columns, before, rows)

    def _bar(self, width: int) -> str:
        silence, now = self._room.silence, time.monotonic()
        missed = no_answer(silence)
        state = missed or self._feed.state
        lost = bool(missed) or not self._room.connected
        state += waiting_text(self._room.unacked, lost=lost, paused=self._room.state.paused)
        if silence is not None and now >= self._bar_at:  # nothing else wakes the screen when a host falls silent
            pause = max(NO_ANSWER - silence, TICK)
            self._bar_at = now + pause
            self._screen.redraw_in(pause)
        if (lines := self._screen.typed.rstrip("\n").count("\n") + 1) > 1:
            state += f" · {lines} lines"  # a paste may be longer than the window
        return bar_text(self._feed.title, self._feed.people, state, width)

    def _may_leave(self) -> bool:
        """Whether the person really wants to leave or to stop the program. A host with others inside is asked first."""
        people = [person for person in self._feed.roster.people.values() if person.id != self._feed.roster.me]
        now = time.monotonic()
        others = self._feed.roster.crowd - 1 if self._feed.roster.crowd else len(people)
        alone = not (self._room.hosting and others)
        if alone or self._room.backup or self._room.goes_on or now - self._asked_at < ASKED_FOR:
            return True
        self._asked_at = now
        close = f"To close the room for {people_text(others)} all the same"
        self._feed.note(f"Nobody can take over. {close}, press the same key or enter /quit again.")
        return False

    def _waiting(self, width: int) -> Fragments:
        newest, total = self._room.unsent.unheard(PENDING_LINES)
        pending = self._pending.lines(newest, total, time.monotonic(), width)
        if total and not pending:
            self._screen.redraw_in(PENDING_AFTER)  # they have been seen to wait only now
        transfers = self._transfers.lines(width)
        if transfers and (now := time.monotonic()) >= self._ticks_at:
            self._ticks_at = now + TICK
            self._screen.redraw_in(TICK)  # so that a rate falls when nothing moves
        return [*transfers, *([("", "\n")] if transfers and pending else []), *pending]

    def _complete(self, before: str) -> Iterable[commands.Completion]:
        if (found := self._transfers.complete(before)) is not None:
            return found
        roster = self._feed.roster
        nicks = [safe_text(person.nick) for person in roster.people.values() if person.id != roster.me]
        return commands.complete(before, nicks, hosting=self._room.hosting)

    def _accept(self, text: str) -> bool:
        """Carry out what was typed.

        Returns:
            Whether the text stays in the line.
        """
        if not text.strip():
            return False
        intent = commands.parse(text, hosting=self._room.hosting)
        self._screen.redraw_in(PENDING_AFTER)  # what is said now may still wait then
        try:
            self._actions.carry_out(intent)
        except (ValueError, LanchatError) as error:  # the latter when too many messages are unsent
            self._feed.complain(error_line(error))
            return is_mendable(intent)
        return False
