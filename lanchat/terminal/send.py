"""`lanchat send`: says something in a room, and ends once the host has stored it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Acked, Closed, Disconnected
from lanchat.client.unacked import WINDOW
from lanchat.errors import LanchatError, Refused, TimedOut
from lanchat.protocol.messages import Notice, Said
from lanchat.protocol.text import clean_text
from lanchat.terminal.deadline import remaining
from lanchat.terminal.json_events import Kept, written
from lanchat.terminal.piped import Line, Overlong
from lanchat.terminal.stdio import put
from lanchat.terminal.wording import error_text, note_text, notice_text, reconnecting

_LAST = 1.0  # s for an acknowledgement that has come to be here as well


@dataclass(frozen=True)
class SendOptions:
    """How to say it.

    Args:
        to: the nick of who gets it as a private message; None: everybody gets it.
        action: as from `/me`.
        id: of the message, the caller's own; None: a new one.
        as_json: print an object for each message that is stored.
    """

    to: str | None = None
    action: bool = False
    id: str | None = None
    as_json: bool = False


class Sending:
    """One run of `lanchat send` in a room. Belongs to one thread.

    Args:
        out: gets the objects of `as_json`.
        talk: gets everything else.
        deadline: when to give up, by `time.monotonic()`; None: never.
    """

    def __init__(
        self, room: JoinedRoom, options: SendOptions, deadline: float | None, out: IO[str], talk: IO[str]
    ) -> None:
        self._room = room
        self._options = options
        self._deadline = deadline
        self._out = out
        self._talk = talk
        self._seqs: dict[str, int] = {}  # of messages that came back and are not stored yet
        self._given = 0  # messages whose `kept` has not been printed
        room.deafen()

    def run(self, texts: Iterable[Line]) -> int:
        """Say these texts, those that are blank left out. Returns the exit code: 1 if one of them cannot be said.

        Raises:
            Refused: the host, or the recipient of a private message, does not take one.
            TimedOut: the time is over. Some may have been said.
            LanchatError: the connection has ended. Some may have been said.
        """
        code = 0
        for number, text in enumerate(texts, 1):
            try:
                if isinstance(text, Overlong):
                    raise ValueError(str(text))
                if text.strip():
                    self._say(text)
            except ValueError as error:
                code = 1
                put(self._talk, *error_text(f"Line {number} was not sent: {error}"))
            self._follow(0)
        self._wait_acked(1)
        while self._follow(_LAST if self._given else 0) and self._given:
            pass
        return code

    def _say(self, text: str) -> None:
        id = self._options.id or ""
        if self._options.to is None:
            self._wait_acked(WINDOW)
            self._room.send(text, action=self._options.action, id=id)
            self._given += 1
            return
        text = clean_text(text)
        try:
            self._given += 1
            self._room.tell(self._options.to, text, wait=remaining(self._deadline), id=id)
        except ValueError as error:  # it is to ourselves, or to a guest, who has no key to seal it to
            raise Refused(str(error), code="private") from None

    def _wait_acked(self, below: int) -> None:
        """Wait until so few messages are unacknowledged, and say what the host says meanwhile."""
        while self._room.unacked >= below:
            left = remaining(self._deadline)
            if left <= 0:
                raise TimedOut("The message was not acknowledged in time.", "It may have been said all the same.")
            self._follow(left)

    def _follow(self, timeout: float) -> bool:
        """Take what has come; wait at most so long for the first. Returns whether there was something."""
        items = self._room.take(timeout)
        for item in items:
            self._room.follow(item)
            match item:
                case Said() if self._room.is_own(item):
                    self._seqs[item.id] = item.seq
                case Acked(ids=ids, receipt=receipt):
                    for id in ids:
                        self._kept(id, receipt)
                case Notice(code="unsent", text=text):
                    raise Refused(text, code="unsent")
                case Notice(text=text) if self._options.to is None:
                    put(self._talk, note_text(notice_text(self._room.state.roster, text)))
                case Disconnected(reason=reason, moved=False):
                    put(self._talk, note_text(reconnecting(reason)))
                case Closed(error=error):
                    raise _perhaps(error)
        return bool(items)

    def _kept(self, id: str, receipt: str = "") -> None:
        self._given -= 1
        seq = self._seqs.pop(id, None)
        if self._options.as_json:
            self._out.write(written(Kept(id, seq, receipt or None)))
            self._out.flush()


def _perhaps(error: LanchatError) -> LanchatError:
    error.hint = error.hint or "What was sent last may have been said all the same."
    return error
