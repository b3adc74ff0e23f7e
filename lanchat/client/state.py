"""The state of a room as its member knows it, from the items that were taken. Pure."""

from typing import assert_never

from lanchat.client.events import (
    Acked,
    Backup,
    Closed,
    Connected,
    Disconnected,
    Item,
    ListedPeople,
    Named,
    PrivateFile,
    PrivateMessage,
)
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import Event, Joined, Left, Moved, Notice, Renamed, Said
from lanchat.protocol.people import Crowd
from lanchat.protocol.status import Status
from lanchat.protocol.topic import Topic
from lanchat.room.roster import Roster


class RoomState:
    """Follows the items of an `EventQueue`, each of them once and in order."""

    def __init__(self) -> None:
        self.title = ""
        self.topic = ""  # what the room is about
        self.roster = Roster()
        self.owner_id = ""  # the member id of whose room it is, as the host's papers say
        self.border = -1  # events up to this seq happened before we joined
        self.connected = False
        self.closed_by_host = False  # and it may open again
        self.stored = True  # whether the host stores messages now
        self.paused = False  # whether the room takes nothing now, because the engine that numbers it does not answer
        self.backup = ""  # the nick of the standby that has all that is acknowledged; "": there is none
        self.had_backup = False
        self.closed: Closed | None = None  # the last item
        self.seen: Event | None = None  # the last one that an earlier run of this member has stored

    @property
    def me(self) -> str:
        """Our member id."""
        return self.roster.me

    @property
    def host_id(self) -> str:
        """The member id of the key that the host showed, whatever the host claims."""
        return self.roster.host_id

    @property
    def nick(self) -> str:
        return self.roster.nick

    def is_past(self, event: Event) -> bool:
        """Whether this happened before we joined."""
        return event.seq <= self.border

    def follow(self, item: Item) -> None:
        match item:
            case Said() | Joined() | Left() | Renamed() | Moved() | FileOffered() | FileStored() | FileRemoved():
                self.roster.apply(item)
            case Topic(topic=topic):
                self.roster.apply(item)
                self.topic = self.topic if self.is_past(item) else topic
            case Connected(card=card, welcome=welcome, present=present, host_id=host_id, again=again):
                self.title, self.topic = card.title, welcome.topic
                self.owner_id = member_id(card.owner) if card.owner else host_id
                self.roster.host_id = host_id
                self.roster.welcome(welcome, present)
                # A host that lost its log counts from a lower number again.
                self.border = min(self.border, welcome.seq) if again else welcome.seq
                self.connected = self.stored = True
                self.paused = False  # a host in a pause lets nobody in
                self.backup = ""
                self.closed_by_host = False
            case Disconnected(closed=closed):
                self.connected = False
                self.closed_by_host = closed or self.closed_by_host
            case Notice(code="unstored" | "stored" as code):
                self.stored = code == "stored"
            case Notice(code="paused" | "resumed" as code):
                self.paused = code == "paused"
            case Closed():
                self.connected = False
                self.closed = item
            case Backup(nick=nick):
                self.backup, self.had_backup = nick, True
            case Crowd(people=people):
                self.roster.crowded(people)
            case ListedPeople(present=present, more=more, all=all):
                self.roster.listed(present, more=more, all=all)
            case Status():
                self.roster.learn(item)
            case PrivateMessage() | PrivateFile() | Acked() | Notice() | Named():
                pass
            case _:
                assert_never(item)
