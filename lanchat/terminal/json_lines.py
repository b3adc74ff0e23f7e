"""Makes the lines of `--json` of what happens in a room. Pure."""

from collections.abc import Iterable
from typing import IO, assert_never

from lanchat.client.events import (
    Acked,
    Backup,
    Closed,
    Connected,
    Disconnected,
    Item,
    ListedPeople,
    Named,
    Private,
    PrivateFile,
    PrivateMessage,
)
from lanchat.client.state import RoomState
from lanchat.protocol import file_messages as files
from lanchat.protocol import messages as wire
from lanchat.protocol import status
from lanchat.protocol import topic as topics
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event
from lanchat.protocol.people import Crowd
from lanchat.room.mention import mentions
from lanchat.terminal import json_events as out
from lanchat.terminal.json_events import VERSION, Line, written


def write_logged(records: Iterable[Event | Private], me: str, out: IO[str], nick: str = "") -> bool:
    """Write the lines of a log, all of which are history.

    Args:
        me: our member id; "": we have none.
        nick: our own; "": it is not known, so nothing mentions us.

    Returns:
        Whether there are any.
    """
    state, empty = RoomState(), True
    state.border, state.roster.me, state.roster.nick = MAX_NUMBER, me, nick
    lines = JsonLines(state)
    for record in records:
        out.writelines(map(written, lines.lines(record)))
        empty = False
    return not empty


class JsonLines:
    """Makes lines of a room's items, each of them once, in order, and before `state` follows it.

    Args:
        state: of the room.
        key_status: whether the host's key was known before.
    """

    def __init__(self, state: RoomState, key_status: str = "known") -> None:
        self._state = state
        self._key_status = key_status
        self._seqs: dict[str, int] = {}  # of our messages that came back and are not stored yet

    def lines(self, item: Item, *, own: bool = False, waited: bool = False) -> list[Line]:
        """The lines of an item, often one.

        Args:
            own: this program sent it. A program that answers what it reads would answer itself.
            waited: it is a private message from before we came.
        """
        match item:
            case Connected(again=True):
                return [out.Back(*self._place(item))]
            case Connected():
                return [out.Came(*self._place(item), VERSION)]
            case Disconnected(reason=reason):
                return [out.Lost(reason)]
            case wire.Said() if own:
                self._seqs[item.id] = item.seq
                return []
            case PrivateMessage():
                return [] if own else [self._private(item, waited)]
            case PrivateFile(id, file, at, by, nick, to, to_nick, state, name, size, reason, problem):
                ends = state, name, size, reason, problem, by == self._state.me
                return [out.FilePrivate(id, file, at, by, nick, to, to_nick, *ends)]
            case Acked(ids=ids, receipt=receipt):
                return [self.kept(id, receipt) for id in ids]
            case wire.Notice(code="unsent" | "refused", text=text):
                return [out.Refused(None, None, text)]
            case wire.Notice(code=code, text=text):
                return [out.Notice(code, text)]
            case status.Status(by=by, nick=nick, away=away, bot=bot):
                return [out.Status(by, nick, away, bot)]
            case Crowd(people=people):
                return [out.Crowd(people)]
            case ListedPeople(all=True):
                return [out.Crowd(0)]
            case Backup() | Named() | Closed() | ListedPeople():
                return []
            case _:
                return [self._event(item)]

    def kept(self, id: str, receipt: str = "") -> out.Kept:
        return out.Kept(id, self._seqs.pop(id, None), receipt or None)

    def _event(self, event: wire.Event) -> Line:
        entry = event.seq, event.at, event.by, event.nick, self._state.is_past(event)
        by = event.by
        match event:
            case wire.Said(id=id, text=text, action=action, late=late):
                mine = by == self._state.me
                mention = not mine and mentions(text, self._state.nick)
                bot = self._state.roster.is_bot(by, event.nick)
                return out.Said(*entry, id, text, action, late, is_verified(by), bot, mention, mine)
            case wire.Joined(host=host, web=web, bot=bot):
                return out.Joined(*entry, host, is_verified(by), web, bot)
            case wire.Left(code=code, reason=reason):
                return out.Left(*entry, code, reason)
            case wire.Renamed(to=to):
                return out.Renamed(*entry, to)
            case wire.Moved(epoch=epoch, before=before, reason=reason):
                return out.Moved(*entry, epoch, before, reason)
            case topics.Topic(topic=topic):
                return out.Topic(*entry, topic)
            case files.FileOffered(id=id, file=file, name=name, size=size):
                return out.FileOffered(*entry, id, file, name, size)
            case files.FileStored(file=file, sha256=sha256):
                return out.FileStored(*entry, file, sha256)
            case files.FileRemoved(file=file, reason=reason):
                return out.FileRemoved(*entry, file, reason)
            case _:
                assert_never(event)

    def _private(self, message: PrivateMessage, waited: bool) -> out.Told:
        bot, mine = self._state.roster.is_bot(message.by, message.nick), message.by == self._state.me
        who = message.by, message.nick, message.to, message.to_nick
        return out.Told(
            message.id, message.at, *who, message.text, message.problem, is_verified(message.by), bot, mine, waited
        )

    def _place(
        self, came: Connected
    ) -> tuple[str, str, str, str, str, str, str, bool, bool, int, str, list[out.Someone], int]:
        card, welcome = came.card, came.welcome
        people = [out.Someone(p.id, p.nick, p.host, is_verified(p.id), p.web, p.bot, p.away) for p in came.present]
        status = (self._key_status, card.password, card.ephemeral, welcome.seq, welcome.topic, people, welcome.crowd)
        return card.room, card.title, welcome.id, welcome.nick, card.host, came.host_id, *status
