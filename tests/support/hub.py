"""A hub whose batches the test runs one by one, with links that record what is sent."""

import math
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lanchat.network.keepalive import Keepalive
from lanchat.protocol.framing import FROM_HOST, decode_all, encode
from lanchat.protocol.messages import (
    Closing,
    FromHost,
    FromMember,
    Joined,
    Left,
    Notice,
    Renamed,
    Said,
    Say,
    Told,
)
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.room.room import Room
from lanchat.room.snapshot import Snapshot
from lanchat.server.hub import Hub
from lanchat.server.items import JoinRequest, Received, Stop
from lanchat.server.session import Dialect, Session
from lanchat.storage.log import NoLog


class RecordingLink:
    """A link that records each send."""

    def __init__(self) -> None:
        self.code, self.reason = "lost", "the other side closed the connection"
        self.sends: list[bytes] = []
        self.finished = False
        self.keepalive = Keepalive(DEFAULT_TIMING, math.inf)

    def send(self, plain: bytes) -> None:
        if not self.finished:
            self.sends.append(plain)

    def finish(self, plain: bytes = b"") -> None:
        if not self.finished and plain:
            self.sends.append(plain)
        self.finished = True


class TalkativeDoor(Dialect):
    """The dialect of the native door, which counts how often it encodes an event."""

    echoes = True

    def __init__(self) -> None:
        self.encoded: list[FromHost] = []

    def snapshot(self, snapshot: Snapshot) -> bytes:
        told: list[FromHost] = [snapshot.welcome, *snapshot.present, *snapshot.past, *snapshot.private]
        return b"".join(map(self.encode, told))

    def encode(self, message: FromHost) -> bytes:
        self.encoded.append(message)
        return encode(message)


class TerseDoor(TalkativeDoor):
    """A dialect with events and nothing else, for clients that do not get their own messages back."""

    echoes = False

    def snapshot(self, snapshot: Snapshot) -> bytes:
        return b""

    def encode(self, message: FromHost) -> bytes:
        super().encode(message)
        return encode(message) if isinstance(message, Said | Joined | Left | Renamed | Notice | Closing) else b""


class SlowLog(NoLog):
    """A log that stores nothing until the test says so."""

    stores_at_once = False

    def __init__(self) -> None:
        self.records: list = []
        self.commits = 0

    def append(self, records: Any) -> int:
        self.records += records
        return len(self.records)

    def commit(self) -> None:
        self.commits += 1

    @property
    def events(self) -> list:
        return [record for record in self.records if not isinstance(record, Told)]

    @property
    def private(self) -> list:
        return [record for record in self.records if isinstance(record, Told)]


@dataclass
class HubStage:
    """A hub with sessions, whose batches the test runs one by one."""

    log: Any = field(default_factory=NoLog)  # or a SlowLog
    native: TalkativeDoor = field(default_factory=TalkativeDoor)
    plain: TerseDoor = field(default_factory=TerseDoor)

    def __post_init__(self) -> None:
        self.clock = count(1000)
        self.hub: Hub = Hub(Room("5" * 32, "Room A", "id-hal"), self.log, lambda: next(self.clock))
        self.log.start(self.hub.stored)

    def batch(self, *items) -> None:
        """Run one batch of these items and the ones that are still in the inbox."""
        for item in items:
            self.hub.inbox.put_now(item)
        self.hub.inbox.put_now(Stop())  # so that it waits for nothing
        self.hub.run_batch()

    def come(self, *nicks: str, door: TalkativeDoor | None = None) -> Any:
        """Let these members join, and forget what was sent for that."""
        sessions = [new_session(self, door) for _ in nicks]
        self.batch(*(JoinRequest(session, f"id-{nick}", nick) for session, nick in zip(sessions, nicks, strict=True)))
        for session in [*self.hub.sessions]:
            heard(session)
        return sessions


def new_session(stage: HubStage, door: TalkativeDoor | None = None) -> Any:
    door = door or stage.native
    return Session(RecordingLink(), door, echoes=door.echoes, own_join=door.echoes)


def heard(session: Any) -> list[Any]:
    """All messages that were sent to a session since the last call."""
    messages: list[Any] = decode_all(b"".join(session.link.sends).split(b"\n"), FROM_HOST)
    session.link.sends.clear()
    return messages


def says(session: Session, *texts: str) -> Received:
    messages: list[FromMember] = [Say(text, text) for text in texts]
    return Received(session, messages)
