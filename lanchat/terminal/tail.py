"""`lanchat tail`: the last messages of a room as lines, and the ones that follow. Programs may be run for them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Disconnected, Item, PrivateMessage
from lanchat.errors import TimedOut
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Said
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import safe_text
from lanchat.terminal.deadline import remaining
from lanchat.terminal.ending import with_end
from lanchat.terminal.json_events import Line, written
from lanchat.terminal.json_lines import JsonLines
from lanchat.terminal.lines import message_line, private_line
from lanchat.terminal.notes import link_note
from lanchat.terminal.past import PastWatch
from lanchat.terminal.runner import hand_over
from lanchat.terminal.stdio import has_reader, in_rows, put
from lanchat.terminal.wording import note_text, unopened_text

READER_CHECK = 1.0  # s; while nothing is said, we look this often whether anybody reads our output


@dataclass(frozen=True)
class TailOptions:
    """Which messages to show, and how.

    Args:
        number: of messages of the past, at most.
        since: ms since 1970; older ones are not shown.
        follow: go on with those that come, until the room is gone.
        as_json: print one JSON object a line.
        command: a program and its arguments, to be run for each message in place of printing it.
    """

    number: int
    since: int = 0
    follow: bool = False
    as_json: bool = False
    command: Sequence[str] = ()


class Tail:
    """One run of `lanchat tail` in a room. Belongs to one thread.

    Args:
        deadline: when to end, by `time.monotonic()`; None: never.
        out: gets a line for each message.
        talk: gets everything else.
    """

    def __init__(
        self, room: JoinedRoom, options: TailOptions, deadline: float | None, out: IO[str], talk: IO[str]
    ) -> None:
        self._room = room
        self._options = options
        self._deadline = deadline
        self._out = out
        self._talk = talk
        self._past = PastWatch()
        self._json = JsonLines(room.state, room.key_status)
        self._kept: deque[Said] = deque(maxlen=options.number)  # of the past
        self._waited: list[PrivateMessage] = []
        self._ready: list[str] = []  # to be written together, since a write for each line costs more than the line

    def run(self) -> int:
        """Returns the exit code. Of `as_json` the last line says how it ended.

        Raises:
            TimedOut: the time is over before the end.
            LanchatError: the room is gone.
        """
        return with_end(self._run, self._write_end) if self._options.as_json else self._run()

    def _run(self) -> int:
        while not self._past.over:
            items = self._room.take(self._past.patience(remaining(self._deadline)))
            if not items and not self._past.has_end:
                break
            self._take(items)
        if not self._past.over:
            self._past.over = True
            self._show_past()
        while self._options.follow:
            left = remaining(self._deadline)
            items = self._room.take(min(left, READER_CHECK))
            if items or left <= READER_CHECK:
                self._take(items)
            elif not (self._options.command or has_reader(self._out)):
                raise BrokenPipeError
        return 0

    def _take(self, items: Sequence[Item]) -> None:
        if not items:
            raise TimedOut("The time is up.")
        shown = []
        for item in items:
            lines = self._happenings(item)
            self._room.follow(item)
            if self._past.over and not self._options.follow:
                break
            if isinstance(item, Closed):
                self._flush()
                raise item.error
            if self._handle(item) and isinstance(item, PrivateMessage):
                shown.append(item)
            self._ready += map(written, lines)
        self._flush()
        self._room.confirm(shown)

    def _happenings(self, item: Item) -> list[Line]:
        """The lines of JSON of what is no message. They come before the item is followed."""
        if not self._options.as_json or isinstance(item, Said | PrivateMessage):
            return []
        return self._json.lines(item) if self._options.follow or isinstance(item, Connected) else []

    def _handle(self, item: Item) -> bool:
        """Show an item, or keep it if it belongs to the past. Returns whether it was shown."""
        was_over = self._past.over
        self._past.follow(item)
        if self._past.over and not was_over:
            self._show_past()
        match item:
            case Said():
                if self._room.state.is_past(item) and not self._past.over:
                    self._kept.append(item)
                    return False
                self._show(item)
            case PrivateMessage(problem="", to=to) if to == self._room.state.me:
                if not self._past.over:
                    self._waited.append(item)
                    return False
                self._show(item)
            case PrivateMessage(by=by) if item.problem and by != self._room.state.me:
                self._note(unopened_text(item, safe_nick(item.nick), self._room.state.me))
            case Disconnected() | Connected() if note := link_note(item):
                self._note(note)
        return True

    def _show_past(self) -> None:
        past: list[Said | PrivateMessage] = [*self._kept, *self._waited]
        wanted = [item for item in past if item.at >= self._options.since]
        for item in wanted:
            self._show(item, waited=True)
        self._flush()
        self._room.confirm([item for item in wanted if isinstance(item, PrivateMessage)])
        self._kept.clear()
        self._waited.clear()

    def _show(self, message: Said | PrivateMessage, *, waited: bool = False) -> None:
        if self._options.command:
            bot = self._room.state.roster.is_bot(message.by, message.nick)
            hand_over(self._options.command, _text(message), variables(message, self._room.title, bot=bot))
            return
        if self._options.as_json:
            self._ready += map(written, self._json.lines(message, waited=waited))
            return
        line = message_line(message) if isinstance(message, Said) else private_line(message)
        self._ready.append(in_rows(self._out, line) + "\n")

    def _write_end(self, line: Line) -> None:
        self._ready.append(written(line))
        self._flush()

    def _flush(self) -> None:
        ready, self._ready = self._ready, []
        self._out.write("".join(ready))
        self._out.flush()

    def _note(self, text: str) -> None:
        put(self._talk, note_text(text))


def variables(message: Said | PrivateMessage, title: str, *, bot: bool) -> dict[str, str]:
    """What the environment tells a program about a message. All of it is harmless where it is shown."""
    return {
        "LANCHAT_MSG_TEXT": _text(message),
        "LANCHAT_MSG_NICK": safe_nick(message.nick),
        "LANCHAT_MSG_ID": safe_text(message.id),
        "LANCHAT_MSG_ROOM": safe_text(title),
        "LANCHAT_MSG_VERIFIED": "1" if is_verified(message.by) else "0",
        "LANCHAT_MSG_BOT": "1" if bot else "0",
        "LANCHAT_MSG_PRIVATE": "1" if isinstance(message, PrivateMessage) else "0",
    }


def _text(message: Said | PrivateMessage) -> str:
    return safe_text(message.text, lines=True)
