"""One person's talk in one room, at a terminal: what comes goes to the screen, what is typed goes to the room."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from lanchat.client.events import Connected
from lanchat.client.member import Member
from lanchat.errors import LanchatError
from lanchat.protocol.invite import Invite
from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat import commands
from lanchat.terminal.chat.commands import (
    AskNick,
    Ignore,
    Leave,
    Misused,
    Reply,
    SayIt,
    ShowHelp,
    ShowInvite,
    ShowWho,
    TellThem,
    Unknown,
    UseRight,
    Verify,
)
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.chat.pending import PENDING_AFTER, PENDING_LINES, Pending
from lanchat.terminal.chat.qr import invitation
from lanchat.terminal.chat.render import bar_text, quiet, verify_text, who_text
from lanchat.terminal.chat.screen import Input, Output, Screen

# s to render one portion; printing it takes four times as long, then keys are read. Measured: 60,000 lines a second
# with a typed key on the screen within 41 ms (0.008: 76,000 and 73 ms); at 20,000 lines a second within 13 ms (p99).
PAINT_LIMIT = 0.003


@dataclass(frozen=True)
class ChatEnd:
    """Why the screen was left; all defaults: the user wished it.

    Args:
        error: the connection ended with this; the screen has said so already.
        signal: SIGTERM or SIGHUP, when it was that.
        unsent: what still stood in the line.
    """

    error: LanchatError | None = None
    signal: int | None = None
    unsent: str = ""


class Chat:
    """Made and run by one thread: the main thread, for signals to work.

    The member is joined already, and closed by whoever joined it, after `run()`.

    Args:
        on_nick: called when the host has given us another nick, in the thread of `run()`.
        host: we host this room.
        invite: for /invite.
        input, output: the terminal; None for this process's own.
    """

    def __init__(
        self,
        member: Member,
        connected: Connected,
        *,
        on_nick: Callable[[str], None] | None = None,
        host: bool = False,
        invite: Invite | None = None,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._member = member
        self._host = host
        self._invite = invite
        self._pending = Pending()
        self._screen = Screen(
            accept=self._accept,
            complete=self._complete,
            bar=self._bar,
            above=self._waiting,
            portion=self._portion,
            input=input,
            output=output,
        )
        self._feed = Feed(
            member,
            connected,
            wake=self._screen.wake,
            on_nick=on_nick,
            colour=self._screen.colour,
            columns=lambda: self._screen.columns,
        )

    def run(self) -> ChatEnd:
        """Show the room until the user leaves or the connection ends. The terminal is left as it was found."""
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
        self._screen.redraw_in(PENDING_AFTER)  # something of before may wait

    def note(self, text: str) -> None:
        """Show a quiet line that only we see. Any thread, also before `run()`."""
        self._feed.note(text)

    def _portion(self) -> tuple[Fragments, bool]:
        fragments, more = self._feed.portion(PAINT_LIMIT)
        if self._feed.ended is not None:
            if self._screen.typed.strip():
                fragments += quiet(f"not sent: {self._screen.typed}")
            self._screen.leave()
        return fragments, more

    def _bar(self, width: int) -> str:
        state = self._feed.state
        if not self._member.connected and (waiting := self._member.waiting):
            state += f" {waiting} waiting"
        return bar_text(self._feed.title, len(self._feed.roster.people), state, width)

    def _waiting(self, width: int) -> Fragments:
        newest, total = self._member.unheard(PENDING_LINES)
        return self._pending.lines(newest, total, time.monotonic(), width)

    def _complete(self, before: str) -> Iterable[commands.Completion]:
        roster = self._feed.roster
        nicks = [safe_text(person.nick) for person in roster.people.values() if person.id != roster.me]
        return commands.complete(before, nicks, host=self._host)

    def _accept(self, text: str) -> bool:
        """Carry out what was typed.

        Returns:
            Whether the line keeps it.
        """
        if not text.strip():
            return False
        intent = commands.parse(text, host=self._host)
        self._screen.redraw_in(PENDING_AFTER)  # what is said now may wait then
        try:
            self._carry_out(intent)
        except (ValueError, LanchatError) as error:
            self._feed.note(str(error), error=True)
            return isinstance(intent, SayIt | TellThem | Reply | AskNick)  # what can be mended stays in the line
        return False

    def _carry_out(self, intent: commands.Intent) -> None:
        match intent:
            case SayIt(text, action):
                self._member.say(text, action=action)
            case TellThem(nick, text):
                self._feed.tell(nick, text)
            case Reply(text):
                self._feed.reply(text)
            case AskNick(nick):
                self._member.rename(nick)
            case ShowHelp():
                self._feed.note(commands.help_text(host=self._host))
            case ShowWho():
                roster = self._feed.roster
                self._feed.note(who_text(list(roster.people.values()), (roster.me, roster.nick)))
            case ShowInvite():
                if self._invite is None:
                    raise ValueError("nobody could reach this room from outside")
                self._feed.show(invitation(self._invite, self._screen.columns))
            case Verify(nick):
                self._feed.note(verify_text(self._feed.person(nick), self._feed.roster.me))
            case Ignore(nick, on):
                self._feed.ignore(nick, on=on)
            case UseRight(action, nick):
                self._member.moderate(action, nick)
            case Leave():
                self._screen.leave()
            case Unknown() | Misused():
                self._feed.note(str(intent), error=True)
            case _:
                assert_never(intent)
