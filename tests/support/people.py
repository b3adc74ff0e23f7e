"""People in a room: a member and all it has heard, and somebody who came with netcat."""

import socket
import time
from collections.abc import Callable, Collection
from typing import Any

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Item, PrivateMessage
from lanchat.client.member import Member
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.errors import LanchatError
from lanchat.network.link import Link
from lanchat.protocol.messages import Joined, Left, Notice, Renamed, Said
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from lanchat.storage.identity import Identity
from tests.support.waiting import PATIENCE, wait_until

EAGER = Timing(first_retry=0.02, last_retry=0.2)  # members reconnect at once, also to a room that was away for long


class Listener:
    """A member and everything that has come to it so far. Belongs to one thread."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.items: list[Item] = []

    def hear(self, condition: Callable[[], object], what: str = "") -> None:
        """Take what comes until this is so."""

        def heard() -> object:
            self._listen()
            return condition()

        wait_until(heard, what=what or "something that did not come")

    def hear_text(self, text: str) -> Said:
        self.hear(lambda: text in self.texts, f"{text!r}")
        return next(item for item in self.items if isinstance(item, Said) and item.text == text)

    def hear_kind(self, kind: type, **fields: object) -> None:
        self.hear(
            lambda: any(
                isinstance(item, kind) and all(getattr(item, name) == value for name, value in fields.items())
                for item in self.items
            ),
            f"{kind.__name__} {fields}",
        )

    def round_trip(self, text: str) -> None:
        """Say this and hear it."""
        self.member.outgoing.say(text)
        self.hear_text(text)

    def end(self) -> LanchatError:
        """Why the room is over, once it is."""
        self.hear(lambda: self.ended, "the end")
        assert self.ended is not None
        return self.ended

    @property
    def me(self) -> str:
        """Its member id."""
        self.hear(lambda: self.items)
        return next(item.welcome.id for item in self.items if isinstance(item, Connected))

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items if isinstance(item, Said)]

    @property
    def seqs(self) -> list[int]:
        return [item.seq for item in self.items if isinstance(item, Said | Joined | Left | Renamed)]

    @property
    def notices(self) -> list[str]:
        return [item.code for item in self.items if isinstance(item, Notice)]

    @property
    def ended(self) -> LanchatError | None:
        return next((item.error for item in self.items if isinstance(item, Closed)), None)

    def _listen(self) -> None:
        if self.ended is None:
            taken = self.member.queue.take(timeout=0.01)
            self.items += taken
            self.member.confirm(item for item in taken if isinstance(item, PrivateMessage))


def joined_room(dial: Callable[[], socket.socket], identity: Identity, nick: str, **options: Any) -> JoinedRoom:
    """A room that was joined over this connection, with everything for a screen: nothing is dropped."""
    state = RoomState()
    member = Member(dial, identity, nick, queue=EventQueue(follow=state.follow), **options)
    return JoinedRoom(member, member.join(), state)


def link_of(member: Member) -> Link:
    """To say what a member would not, or not to say goodbye."""
    assert member._link is not None
    return member._link


def cut(room: Host) -> None:
    """Break all links of a host, without a goodbye."""
    for link in room.links:
        link.drop("lost", "cut")


def let_pass(room: Host, seconds: float, *, but: Collection[Link] = ()) -> None:
    """For the links of a host, but for these, it is so much later.

    A deadline that is short from the start holds for all that a test does before, and a busy machine would miss it.
    """
    for link in room.links:
        if link not in but:
            link.check(time.monotonic() + seconds)


def lose(room: Host) -> None:
    """The machine of a host is gone, without a goodbye."""
    room._acceptor.stop()  # else a member would be back at once, and hear the goodbye
    cut(room)
    room.close()


class PlainClient:
    """netcat, more or less."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self.socket.settimeout(PATIENCE)
        self.got = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def come_in(self, name: str) -> None:
        """Give a name, and read the greeting."""
        self.send(name.encode() + b"\n")
        self.until(b"/help tells what else you can do.\n")

    def until(self, end: bytes) -> bytes:
        """All up to and with these bytes."""
        while end not in self.got:
            data = self.socket.recv(4096)
            assert data, f"ended before {end!r}: {self.got!r}"
            self.got += data
        before, _, self.got = self.got.partition(end)
        return before + end

    def rest(self) -> bytes:
        while data := self.socket.recv(4096):
            self.got += data
        return self.got
