"""A session, and what it needs of its link and its door. Pure. The items of the hub's inbox are in items.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from lanchat.network.keepalive import Keepalive
from lanchat.protocol.guest_ports import Onward
from lanchat.protocol.messages import Closing, Event, FromHost, Refused, Said, Told
from lanchat.room.members import Member
from lanchat.room.snapshot import Snapshot


class Outlet(Protocol):
    """The part of a link that the hub uses. No method waits."""

    @property
    def code(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def keepalive(self) -> Keepalive: ...
    def send(self, plain: bytes) -> None: ...
    def finish(self, plain: bytes = b"") -> None: ...


class Dialect(Protocol):
    """How messages are encoded for one kind of client. The hub makes the bytes of a batch once for each dialect."""

    def encode(self, message: FromHost) -> bytes:
        """The bytes of this message; b"": this kind of client does not get it."""

    def encode_all(self, messages: Sequence[FromHost]) -> bytes:
        """The bytes of these messages, one after the other."""
        return b"".join(map(self.encode, messages))

    def snapshot(self, snapshot: Snapshot) -> bytes:
        """The bytes that a client gets before its first live event."""


# Reads a link to its end, after the greeting. Each item is a pause: nothing has come for a while.
Reading = Iterator[None]


@dataclass(eq=False)
class Session:
    """One connected client of a member. Made by a door; from JoinRequest on, `member` belongs to the hub.

    Args:
        echoes: whether the client gets its own messages back.
        own_join: whether the client gets the event of its own join; False: its snapshot tells it.
        deaf: whether the client asked not to get the messages of others.
        absence: s that the member may be away after the link was lost, before this counts as leaving.
        follows: whether its computer copies the room, as a standby that the owner has named. Set by the hub.
        bot: whether a program speaks on this link, and no person.
        sees_all: whether the client is told about everybody who comes and goes, even in a crowd.
        observes: whether `observe` is called after each event.
    """

    link: Outlet
    dialect: Dialect
    echoes: bool = True
    own_join: bool = True
    deaf: bool = False
    absence: float = 0.0
    follows: bool = False
    bot: bool = False
    observes: bool = False
    sees_all: bool = False
    member: Member | None = None

    def encode(self, message: FromHost) -> bytes:
        """The bytes of a message to this session alone."""
        return self.dialect.encode(message)

    def gets(self, to: str, message: FromHost) -> bool:
        """Whether this session gets a message that is for all sessions of this member id."""
        member = self.member
        return member is not None and member.id == to and (self.echoes or not _is_by(message, to))

    def echo(self, event: Event) -> bytes | None:
        """The bytes that a session without `echoes` gets for an event that it caused; None: those for everybody."""
        return b"" if isinstance(event, Said) else None

    def observe(self, event: Event) -> bytes:
        """The bytes that this session alone gets after an event. Called only if `observes` is set."""
        return b""

    def snapshot(self, snapshot: Snapshot) -> bytes:
        """The bytes that this session gets before its first live event."""
        return self.dialect.snapshot(snapshot)

    def farewell(self, closing: Closing, onward: Onward | None) -> bytes:
        """The last bytes that this session gets. `onward`: where guests go on; None: nowhere."""
        return self.encode(closing)

    def refuse(self, refused: Refused) -> None:
        """Tell the client that it may not enter, and end its link."""
        self.link.finish(self.encode(refused))


def _is_by(message: FromHost, id: str) -> bool:
    return isinstance(message, Told) and message.by == id
