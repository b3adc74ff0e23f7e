"""The notes on stderr for a script, about everything that is no message. Pure."""

from lanchat.client.events import Connected, Disconnected, Item, PrivateFile, PrivateMessage
from lanchat.client.state import RoomState
from lanchat.protocol.file_messages import FileOffered, FileRemoved
from lanchat.protocol.messages import Joined, Left, Moved, Notice, Renamed
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.people import Crowd
from lanchat.protocol.topic import Topic
from lanchat.terminal.phrases import people_text
from lanchat.terminal.wording import (
    dropped_text,
    left_text,
    moved_text,
    notice_text,
    offered_text,
    private_file_text,
    reconnecting,
    removed_text,
    topic_text,
    unopened_text,
)

_MOST_FILES = 1000  # whose names are remembered, to say which one was removed


class Notes:
    """Makes the notes of a room's items, before `state` follows them.

    Args:
        hosting: this program hosts the room, so what the host says needs no mark.
    """

    def __init__(self, state: RoomState, *, hosting: bool) -> None:
        self._state = state
        self._hosting = hosting
        self._files: dict[str, str] = {}  # names, by the ids of files

    def note(self, item: Item) -> str:
        """A sentence; "": there is nothing to tell."""
        me = self._state.me
        match item:
            case PrivateMessage(problem=problem) if problem:
                return unopened_text(item, safe_nick(item.to_nick if item.by == me else item.nick), me)
            case Joined(nick=nick):
                return f"{safe_nick(nick)} joined"
            case Left(nick=nick, code=code):
                own = code and (item.by, nick) == (me, self._state.nick)
                return dropped_text(item) if own else left_text(safe_nick(nick), item)
            case Renamed(nick=nick, to=to):
                return f"{safe_nick(nick)} is now {safe_nick(to)}"
            case Topic(nick=nick):
                return topic_text(safe_nick(nick), item)
            case Moved(nick=nick):
                return moved_text(safe_nick(nick), item, self._state.nick)
            case FileOffered(file=file, nick=nick, name=name):
                self._files[file] = name
                if len(self._files) > _MOST_FILES:
                    del self._files[next(iter(self._files))]
                return offered_text(safe_nick(nick), item)
            case FileRemoved(file=file, nick=nick, reason=reason):
                return removed_text(safe_nick(nick), self._files.pop(file, "a file"), reason)
            case PrivateFile(file=file, state=state) if state == "removed" or file not in self._files:
                self._files[file] = item.name
                return private_file_text(item, safe_nick(item.nick), safe_nick(item.to_nick), me)
            case Crowd(people=people) if not self._state.roster.crowd:
                return f"{people_text(people)} are here: joins and leaves are no longer shown."
            case Notice(text=text):
                return text if self._hosting else notice_text(self._state.roster, text)
            case _:
                return link_note(item)


def link_note(item: Item) -> str:
    """What has become of the connection, as a sentence; "": nothing. Where the room is after a move, an event says."""
    match item:
        case Disconnected(reason=reason, moved=False):
            return reconnecting(reason)
        case Connected(again=True, moved=False):
            return "Connected again."
        case _:
            return ""
