"""The gateway: the rooms around us as one IRC network, for one client on this computer.

reader of the client -- lines --> inbox <-- a thread for each room, which joins it and takes what comes
                                    |
                 MAIN THREAD: the client, the channels, and what each line does
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.api.joining import join_target
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import target_of
from lanchat.client.events import Closed, Item
from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Listing
from lanchat.errors import HostKeyChanged, LanchatError, Refused
from lanchat.gateway.channel import Channel
from lanchat.gateway.channel_names import channel_names
from lanchat.gateway.client import SERVER, Client, error_text
from lanchat.gateway.markers import FILE as MARKERS
from lanchat.gateway.markers import ReadMarkers
from lanchat.network.addresses import OwnAddresses
from lanchat.network.sockets import describe_error
from lanchat.protocol.irc.line import Line, lowered, made
from lanchat.protocol.irc.names import source_of
from lanchat.protocol.messages import Event
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.home import home_folder
from lanchat.threads import Inbox

MAX_ROOMS = 32  # entered at once; as many as the list of recent rooms remembers
_NUMERICS = {"password": "475", "banned": "474", "full": "471", "locked": "473"}  # by the code of a refusal
_LATER = "Leave another room, or try again later."
_UNAVAILABLE = "437"  # for all other reasons: ERR_UNAVAILRESOURCE, "try again later"


@dataclass(frozen=True)
class Typed:
    """A client has sent this line; None: it has disconnected."""

    client: Client
    line: Line | None


@dataclass(frozen=True)
class Entered:
    """The thread of a room has joined it, or could not.

    Args:
        name: of the channel.
        error: why it could not.
    """

    name: str
    room: JoinedRoom | None
    error: LanchatError | ValueError | None = None


@dataclass(frozen=True)
class Heard:
    """Items of a room have come, each with whether it is from before we joined. `name` is that of the channel."""

    name: str
    room: JoinedRoom
    items: Sequence[tuple[Item, bool]]


Happening = Typed | Entered | Heard


class Network:
    """The rooms and the channels. Owned by the gateway's main thread; `inbox` is for any thread.

    Args:
        finder: finds the rooms of this network.
        on: our own addresses.
    """

    def __init__(self, finder: Finder, on: OwnAddresses, timing: Timing = DEFAULT_TIMING) -> None:
        self.read = ReadMarkers(home_folder() / MARKERS)
        self.inbox: Inbox[Happening] = Inbox()
        self.client: Client | None = None  # once it has registered
        self.entered: dict[str, Channel] = {}  # by the name in lower case
        self.away = ""  # why the person is away, also for the rooms that they enter later; "": they are here
        self._finder = finder
        self._on = on
        self._timing = timing
        self._entering: dict[str, str] = {}  # room ids, by the channel that is being entered
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()  # guards the two below
        self._open: list[JoinedRoom] = []
        self._closing = False

    def listed(self) -> list[tuple[str, Listing]]:
        """The rooms that are seen now, with the channel of each."""
        listings = self._finder.listings()
        taken = {channel.names.channel: channel.room.card.room for channel in self.entered.values()} | self._entering
        names = channel_names(((one.room_id, one.title) for one in listings), taken)
        return [(names[one.room_id], one) for one in listings if one.room_id in names]

    def welcome(self, client: Client) -> None:
        """This client has registered. It takes the place of the one before."""
        if self.client is not None and self.client is not client:
            self.client.link.finish(made("", "ERROR", last="Another client has come in your place"))
        self.client = client
        for channel in self.entered.values():
            self._show(channel, client)

    def join(self, name: str, password: str) -> None:
        """Enter the room of this channel, in a thread of its own."""
        assert self.client is not None
        client, key = self.client, lowered(name)
        if key in self.entered or key in map(lowered, self._entering):
            return
        if len(self.entered) + len(self._entering) >= MAX_ROOMS:
            client.reply("405", name, last=f"You are in {MAX_ROOMS} rooms already; leave one with /part first")
            return
        found = next((row for row in self.listed() if lowered(row[0]) == key), None)
        if found is None:
            client.reply("403", name, last="No such room on this network; LIST shows the rooms that are there")
            return
        name, listing = found
        if listing.password and not password:
            client.reply("475", name, last=f"This room has a password: /join {name} PASSWORD")
            return
        self._entering[name] = listing.room_id
        nick = client.nick
        self._start(lambda: self._stay(name, listing, nick, password))

    def part(self, channel: Channel, reason: str | None) -> None:
        """Leave a room. Its thread ends by itself."""
        del self.entered[lowered(channel.names.channel)]
        if self.client is not None:
            source = source_of(channel.room.state.me, self.client.nick)
            self.client.link.send(made(source, "PART", channel.names.channel, last=reason))
        self._leave(channel.room)

    def handle(self, item: Entered | Heard) -> None:
        """Do what the thread of a room has reported."""
        match item:
            case Entered():
                self._enter(item)
            case Heard(name=name, room=room, items=items):
                channel = self.entered.get(lowered(name))
                if channel is None or channel.room is not room:
                    return  # it was left meanwhile, and perhaps entered again
                channel.hear(items, self.client)
                closed = next((one for one, _ in items if isinstance(one, Closed)), None)
                if closed is not None:
                    self._end(channel, closed.error)

    def close(self) -> None:
        """Leave all rooms."""
        with self._lock:
            self._closing = True
            rooms = list(self._open)
        self.inbox.close()
        for room in rooms:
            room.close()
        for thread in self._threads:
            thread.join()

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name="gateway-room")
        self._threads = [one for one in self._threads if one.is_alive()]
        thread.start()
        self._threads.append(thread)

    def _leave(self, room: JoinedRoom) -> None:
        """Leave a room, in a thread, since it may take a moment. The thread that takes its items ends then."""
        with self._lock:
            if room not in self._open:
                return
            self._open.remove(room)
        self._start(room.close)

    def _enter(self, item: Entered) -> None:
        self._entering.pop(item.name, None)
        if item.room is not None:
            channel = self.entered[lowered(item.name)] = Channel(item.name, item.room)
            if self.away:
                item.room.away(self.away)
            if self.client is not None:
                self._show(channel, self.client)
                if item.room.nick != self.client.nick:
                    self.client.notice(f"Here you are {item.room.nick}: your nick is taken.", item.name)
        elif self.client is not None and item.error is not None:
            self._explain(self.client, item.name, item.error)

    def _show(self, channel: Channel, client: Client) -> None:
        marks = client.has("draft/read-marker")
        channel.enter(client, self.read.marker(channel.names.room, channel.names.channel) if marks else b"")

    def _explain(self, client: Client, name: str, error: LanchatError | ValueError) -> None:
        """Tell the client why it is not in this room, and what its person can do."""
        if isinstance(error, HostKeyChanged):  # two lines: the command at the end must not be cut off
            client.fail("JOIN", "HOST_KEY_CHANGED", str(error), name)
            client.notice(error.hint)
            return
        number = _NUMERICS.get(error.code, _UNAVAILABLE) if isinstance(error, Refused) else _UNAVAILABLE
        client.reply(number, name, last=error_text(error))

    def _end(self, channel: Channel, error: LanchatError) -> None:
        """The connection to a room has ended for good. Tell the client why it is not there any more."""
        del self.entered[lowered(channel.names.channel)]
        self._leave(channel.room)
        if self.client is None:
            return
        name, nick = channel.names.channel, self.client.nick
        if isinstance(error, Refused) and error.code in ("kicked", "banned"):
            self.client.link.send(made(SERVER, "KICK", name, nick, last=str(error)))
        else:
            self.client.link.send(made(source_of(channel.room.state.me, nick), "PART", name, last=str(error)))

    # ---- in the thread of a room

    def _stay(self, name: str, listing: Listing, nick: str, password: str) -> None:
        """Enter a room, and take what comes until it ends."""
        try:
            room = self._joined(listing, nick, password)
        except (LanchatError, ValueError) as error:
            self.inbox.put_now(Entered(name, None, error))
            return
        except (OSError, RuntimeError) as error:  # this process has no file descriptor or no thread left
            what = describe_error(error) if isinstance(error, OSError) else str(error)
            self.inbox.put_now(Entered(name, None, LanchatError(f"This computer cannot join it now ({what}).", _LATER)))
            return
        with self._lock:
            late = self._closing
            if not late:
                self._open.append(room)
        if late:
            room.close()
            return
        first = True
        while True:
            found: list[tuple[Item, bool]] = []
            for item in room.take():
                room.follow(item)
                found.append((item, isinstance(item, Event) and room.state.is_past(item)))
            if first:
                first = False
                self.inbox.put(Entered(name, room))
            self.inbox.put(Heard(name, room, found))
            if isinstance(found[-1][0], Closed):
                return

    def _joined(self, listing: Listing, nick: str, password: str) -> JoinedRoom:
        """Join; under the free nick that the room offers where ours is taken."""

        def attempt(nick: str) -> JoinedRoom:
            return join_target(
                target_of(listing),
                nick,
                password=password or None,
                patience=None,
                catch_up=True,
                on=self._on,
                timing=self._timing,
            )

        try:
            return attempt(nick)
        except Refused as refused:
            if refused.code != "nick" or not refused.suggestion:
                raise
            return attempt(refused.suggestion)
