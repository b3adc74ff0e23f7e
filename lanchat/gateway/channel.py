"""A room that this person is in, as a channel of the gateway."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from msgspec import structs

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Acked, Backup, Closed, Connected, Disconnected, Item, ListedPeople, Named, PrivateFile
from lanchat.client.events import PrivateMessage as Private
from lanchat.gateway.client import SERVER, Client
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.irc.encode import CHANGING_BYTES, Encoder
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.names import names_of, source_of
from lanchat.protocol.irc.numerics import Replies
from lanchat.protocol.irc.selection import PLAYED
from lanchat.protocol.messages import Event, Joined, Left, Moved, Notice, Renamed, Said, Told
from lanchat.protocol.people import Crowd
from lanchat.protocol.status import Status
from lanchat.protocol.topic import Topic
from lanchat.room.roster import Person

HEARD = 1000  # events that are kept until they are surely in the copy on the disk
RECENT = 50  # messages that are shown to a client that connects later
UNREAD = 1000  # private messages that wait for a client; the oldest are dropped first, as by the host, which keeps 100


class Channel:
    """Makes the lines of one room. Owned by the gateway's main thread."""

    def __init__(self, name: str, room: JoinedRoom) -> None:
        self.room = room
        self.names = replace(names_of(room.card.room, room.title), channel=name, server=SERVER)
        self._recent: deque[Said] = deque(maxlen=RECENT)
        self.heard: deque[Event] = deque(maxlen=HEARD)  # the latest events, which may not be on the disk yet
        self._crowd_said = False  # whether the client has been told that there is a crowd
        self._unread: deque[Private] = deque(maxlen=UNREAD)  # private messages that no client has been sent

    def enter(self, client: Client, marker: bytes = b"") -> None:
        """Show the client that it is in here.

        Args:
            marker: the line that says up to when the person has read.
        """
        me = source_of(self.room.state.me, client.nick)
        words = () if not client.has("extended-join") else (self.room.state.me[:16],)
        last = "this is you" if words else None
        replies = Replies(self.names, client.nick)
        client.link.send(
            b"".join(
                (
                    made(me, "JOIN", self.names.channel, *words, last=last),
                    replies.topic(self.room.state.topic),
                    marker,
                    b"" if client.has("no-implicit-names") else self._names_here(client),
                    b"" if client.has("draft/chathistory") else self._replay(client),
                )
            )
        )
        for private in self._unread:
            self._show_private(private, client)
        self._unread.clear()

    def _names_here(self, client: Client) -> bytes:
        multi, hosts = client.has("multi-prefix"), client.has("userhost-in-names")
        return Replies(self.names, client.nick).people(self.people(client), multi_prefix=multi, with_hosts=hosts)

    def hear(self, items: Sequence[tuple[Item, bool]], client: Client | None) -> None:
        """Show the client these items, each with whether it is from before we joined. None: no client is connected."""
        past = [item for item, before in items if before and isinstance(item, Said)]
        said = [item for item, _ in items if isinstance(item, Said)]
        self._recent.extend(said)
        self.heard.extend(item for item, _ in items if isinstance(item, PLAYED))
        if client is not None and past and not client.has("draft/chathistory"):
            client.link.send(self._encoder(client).history(self._shown(event, client) for event in past))
        for item, before in items:
            if isinstance(item, Private):
                if client is None:
                    self._unread.append(item)
                else:
                    self._show_private(item, client)
            elif client is not None and not before:
                self._show(item, client)

    def past(self, event: Event, client: Client) -> bytes:
        """The lines of an event that is not new."""
        return self._encoder(client).past(self._shown(event, client))

    def _replay(self, client: Client) -> bytes:
        return self._encoder(client).history(self._shown(said, client) for said in self._recent)

    def find(self, nick: str, client: Client) -> Person | None:
        """The person here whom the client calls so."""
        wanted = nick.lower()
        return next((person for person in self.people(client) if person.nick.lower() == wanted), None)

    def people(self, client: Client) -> list[Person]:
        """Everybody here, the client among them, although the event that says so may still be on its way."""
        people, me = self.room.people, self.room.state.me
        own = [] if any(person.id == me for person in people) else [Person(me, self.room.nick)]
        return [self._shown_person(person, client) for person in [*people, *own]]

    def _show(self, item: Item, client: Client) -> None:
        link, me = client.link, self.room.state.me
        match item:
            case Said():
                if client.has("echo-message") or not self.room.is_own(item):
                    link.send(self._encoder(client).encode(self._shown(item, client)))
            case Joined() | Left() | Renamed() if item.by == me:
                pass  # the client has one nick for all rooms, and knows where it is
            case Joined() | Left() | Renamed() | Moved() | Topic() | FileOffered():
                link.send(self._encoder(client).encode(self._shown(item, client)))
            case Status(by=by):
                if by != me and client.has("away-notify"):
                    link.send(self._encoder(client).encode(item))
            case Disconnected(reason=reason, closed=closed):
                again = "Waiting for it to open again." if closed else "What you say goes out later."
                client.notice(f"{reason.rstrip('.')}. {again}", self.names.channel)
            case Connected(again=True):
                client.notice("The connection is back.", self.names.channel)
            case Notice(text=text):
                client.notice(text, self.names.channel)
            case Crowd(people=people):
                if not self._crowd_said:
                    client.notice(f"{people:,} people are here: joins and leaves are not shown.", self.names.channel)
                self._crowd_said = True
            case ListedPeople(all=all):
                if all:
                    self._crowd_said = False
                    link.send(self._names_here(client))
            case Connected() | Acked() | Backup() | Named() | Closed() | PrivateFile() | FileStored() | FileRemoved():
                pass
            case Private():
                self._show_private(item, client)
            case _:
                assert_never(item)

    def _show_private(self, item: Private, client: Client) -> None:
        own = item.by == self.room.state.me
        if item.problem:
            client.notice(f"A private message from {item.nick} cannot be opened: {item.problem}", self.names.channel)
        elif not own or (client.has("echo-message") or not self.room.is_own(item)):
            by, to = (client.nick, item.to_nick) if own else (item.nick, client.nick)
            told = Told(item.id, item.at, item.by, by, item.to, to, text=item.text)
            client.link.send(self._encoder(client).encode(told))
        self.room.confirm([item])

    def _shown(self, event: Event, client: Client) -> Event:
        """The event with the nick that the client has everywhere, if it is the client's own."""
        if event.by == self.room.state.me and event.nick == self.room.nick:
            return structs.replace(event, nick=client.nick)
        return event

    def _shown_person(self, person: Person, client: Client) -> Person:
        me = person.id == self.room.state.me and person.nick == self.room.nick
        return replace(person, nick=client.nick) if me else person

    def _encoder(self, client: Client) -> Encoder:
        return Encoder(self.names, client.capabilities.active & CHANGING_BYTES)
