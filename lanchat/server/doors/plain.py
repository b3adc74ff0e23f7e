"""The door for netcat, telnet and simple socket clients: the classic line chat, without encryption.

    host: Enter your name:            (no line end)
    peer: ann                         (with or without a line end)
    host: * You are in Room A as ann. Here: hal, bob. /help tells what else you can do.
    host: bob: hello                  (to everyone but its sender)
    host: [said at 14:02, while disconnected] bob: hello
    host: eve joined the chat
    host: eve has left the chat
    host: [ann -> you] hello          (a private message; nothing is private on this wire)
    peer: /who                        (not sent to anybody; the host alone answers)

A guest of this door has not proven an identity: on every lanchat screen the nick has a tilde.
"""

import secrets
import socket
from collections.abc import Sequence
from datetime import datetime
from itertools import count

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.network.sockets import ReadSize
from lanchat.protocol.guest_ports import Onward
from lanchat.protocol.ids import UNVERIFIED
from lanchat.protocol.messages import (
    Bye,
    Closing,
    FromHost,
    Joined,
    Left,
    Moved,
    Notice,
    Refused,
    Renamed,
    Said,
    Say,
    Told,
    Welcome,
)
from lanchat.protocol.nicks import nick_from
from lanchat.protocol.text import MAX_TEXT, listed, safe_text
from lanchat.protocol.tls import Channel, PlainChannel
from lanchat.protocol.topic import Topic
from lanchat.room.room import Room
from lanchat.room.snapshot import Snapshot
from lanchat.server.doors.base import DoorOption, Serving, reporting_errors
from lanchat.server.doors.misdirected import has_http, is_other_protocol
from lanchat.server.doors.plain_input import PlainInput
from lanchat.server.items import Asked, JoinRequest, LinkEnded
from lanchat.server.quotas import Quota
from lanchat.server.session import Dialect, Reading, Session
from lanchat.server.throttle import Throttle

READ_SIZE = 8 * 1024  # bytes; one send of such a client may be one message, and this is two of the longest
PROMPT = b"Enter your name: "

_WRONG_CLIENT = "This port is for netcat and other plain chat clients."
_HELP = (
    "/who lists who is here, /me TEXT says what you do, /quit leaves. "
    "Other lines that begin with / are not sent; put a space before such a line to send it."
)


def plain_door(port: int) -> DoorOption:
    """The door for guests without lanchat, on this port; 0 for any."""
    return DoorOption(PlainDoor, port, needs_no_password=True)


class PlainDoor(Dialect):
    """Serves each link in threads of its own."""

    name = "plain"

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def channel(self, sock: socket.socket) -> Channel:
        return PlainChannel()

    def encode(self, message: FromHost) -> bytes:
        line = _line(message)
        return b"" if line is None else safe_text(line).encode() + b"\n"

    def encode_all(self, messages: Sequence[FromHost]) -> bytes:
        lines = [line for message in messages if (line := _line(message)) is not None]
        together = "".join(lines)
        if not (together.isascii() and together.isprintable()):  # else each line is safe, as most messages are
            lines = list(map(safe_text, lines))
        return "\n".join([*lines, ""]).encode()

    def snapshot(self, snapshot: Snapshot) -> bytes:
        title, nick = self._serving.title, snapshot.welcome.nick
        people = listed([somebody.nick for somebody in snapshot.present]) or "nobody else"
        if crowd := snapshot.welcome.crowd:
            people = f"{crowd:,} people"
        about = f" Topic: {topic}." if (topic := snapshot.welcome.topic) else ""
        greeting = f"You are in {title} as {nick}. Here: {people}.{about} /help tells what else you can do."
        return self.encode(Notice("greeting", greeting))

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        with reporting_errors(link, self.encode):
            link.read_size = ReadSize(READ_SIZE, READ_SIZE)
            link.within(self._serving.timing.name, "late", "gave no name in time")
            link.send(PROMPT)
            parts = PlainInput(link, self._serving.timing)
            first = parts.next()
            if first is None:
                return None
            if len(first) > MAX_TEXT or is_other_protocol(first) or has_http([first, *parts.ready]):
                raise ProtocolError(_WRONG_CLIENT)
            return self._read(link, quota, parts, nick_from(_text(first)))
        return None

    def _read(self, link: Link, quota: Quota, parts: PlainInput, nick: str) -> Reading:
        link.within(None)
        id = f"{UNVERIFIED}{secrets.token_hex(4)}"
        quota.admit(id)
        self._serving.admission.admit(link)
        session, inbox = PlainSession(link, self, echoes=False, own_join=False), self._serving.inbox
        throttle = Throttle(link, quota.lines)
        inbox.put(JoinRequest(session, id, nick, any_nick=True))
        try:
            with reporting_errors(link, self.encode):
                numbers = count(1)
                begun = bool(parts.ready)
                while (read := parts.all()) is not None:
                    if not read:
                        yield
                        continue
                    if not begun and has_http(read):  # the headers, where the first line came alone
                        raise ProtocolError(_WRONG_CLIENT)
                    begun = True
                    for portion in throttle.portions(read):
                        lines = [_meaning(_text(part), numbers) for part in portion if part.strip()]
                        throttle.forward([line for line in lines if not isinstance(line, str)], session, inbox)
                        for asked in lines:
                            if isinstance(asked, str):
                                throttle.spend(1)
                                self._answer(asked, session)
        finally:
            inbox.put_now(LinkEnded(session))

    def _answer(self, command: str, session: Session) -> None:
        if command == "/who":
            self._serving.inbox.put(Asked(session, self._who))
        else:
            session.link.send(self.encode(Notice("help", _HELP)))

    def _who(self, room: Room) -> bytes:
        here = f"{room.people:,} people" if room.crowd else listed([member.nick for member in room.members])
        return self.encode(Notice("here", f"Here: {here}."))


class PlainSession(Session):
    """A guest of this door."""

    def farewell(self, closing: Closing, onward: Onward | None) -> bytes:
        data = self.encode(closing)
        return data if onward is None else data + self.encode(Notice("moved", onward.for_netcat()))


def _text(part: bytes) -> str:
    return part.decode(errors="replace").rstrip("\r")


def _meaning(line: str, numbers: "count[int]") -> Say | Bye | str:
    """The message in a line that is not empty; a command that the host alone answers is returned as it is."""
    if not line.startswith("/"):
        return Say(str(next(numbers)), line.strip())
    match line.split(maxsplit=1):
        case ["/me", text]:
            return Say(str(next(numbers)), text, action=True)
        case ["/quit"]:
            return Bye()
        case words:
            return words[0]


def _line(message: FromHost) -> str | None:
    if isinstance(message, Said):  # nearly all
        text = message.text.replace("\n", " / ")
        line = f"* {message.nick} {text}" if message.action else f"{message.nick}: {text}"
        when = datetime.fromtimestamp(message.at / 1000) if message.late else None
        return line if when is None else f"[said at {when:%H:%M}, while disconnected] {line}"
    match message:
        case Told(nick=nick, text=text):
            text = text.replace("\n", " / ")
            return f"[{nick} -> you] {text}"
        case Joined(nick=nick):
            return f"{nick} joined the chat"
        case Left(nick=nick):
            return f"{nick} has left the chat"
        case Renamed(nick=nick, to=to):
            return f"{nick} is now {to}"
        case Topic(nick=nick, topic=topic):
            return f"{nick} set the topic: {topic}" if topic else f"{nick} removed the topic"
        case Moved(nick=nick):
            return f"{nick} hosts the room now"
        case Notice(text=text) | Closing(text=text) | Refused(text=text):
            return f"* {text}"
        case Welcome() | _:
            return None
