"""The door for netcat, telnet and simple socket clients: the classic line chat, without encryption.

    host: Enter your name:            (no line end)
    peer: ann                         (with or without a line end)
    host: bob: hello                  (to everyone but its sender)
    host: eve joined the chat
    host: eve has left the chat

A guest of this door has not proven an identity: on every lanchat screen the nick has a tilde.
"""

import re
import secrets
from functools import partial
from itertools import count

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.network.sockets import ReadSize
from lanchat.protocol.fields import MAX_TEXT
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.ids import UNVERIFIED
from lanchat.protocol.messages import (
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
    Welcome,
)
from lanchat.protocol.text import nick_from, safe_text
from lanchat.protocol.tls import Channel, PlainChannel
from lanchat.room.effects import Snapshot
from lanchat.server.doors.base import DoorOption, Serving, reporting_errors
from lanchat.server.quotas import Quota
from lanchat.server.session import Converse, JoinRequest, LinkEnded, Session
from lanchat.server.throttle import Throttle

PORTION = 64  # lines of one read that are forwarded together; fewer than the throttle takes for a flood
READ_SIZE = 8 * 1024  # bytes; one send of such a client may be one message, and this is two of the longest
PROMPT = b"Enter your name: "

# A web page may send requests here, with any method and body (ergo#2239); a long request line comes in several reads.
_NO_NAME = re.compile(rb"(GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) |[!-~]+ +(/|[a-z]+://)")
_HTTP = re.compile(
    rb"[!-~]+ [!-~]+ HTTP/\d|(Host|Accept|Connection|Content|Cookie|Origin|Referer|Sec|User)(-[A-Z][A-Za-z-]*)?: "
)
_TLS = b"\x16\x03"  # the first bytes of a ClientHello
_WRONG_CLIENT = "This port is for netcat and other plain chat clients."
_TELNET = b"\xff"  # IAC: Ctrl-C and its kin in telnet


def plain_door(port: int) -> DoorOption:
    """The door for guests without lanchat, on this port; 0 for any."""
    return DoorOption(PlainDoor, port, needs_no_password=True)


class PlainDoor:
    """Serves each link in threads of its own."""

    name = "plain"

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def channel(self) -> Channel:
        return PlainChannel()

    def encode(self, message: FromHost) -> bytes:
        line = _line(message)
        return b"" if line is None else safe_text(line).encode() + b"\n"

    def snapshot(self, snapshot: Snapshot) -> bytes:
        return b""

    def greet(self, link: Link, quota: Quota) -> Converse | None:
        with reporting_errors(link, self.encode):
            link.read_size = ReadSize(READ_SIZE, READ_SIZE)
            link.within(self._serving.timing.name, "late", "gave no name in time")
            link.send(PROMPT)
            parts = _Parts(link, self._serving.timing.unended_line)
            first = parts.next()
            if first is None:
                return None
            if first.startswith(_TLS) or _NO_NAME.match(first) or any(map(_HTTP.match, [first, *parts.ready])):
                raise ProtocolError(_WRONG_CLIENT)
            return partial(self._converse, link, quota, parts, nick_from(_text(first)))
        return None

    def _converse(self, link: Link, quota: Quota, parts: "_Parts", nick: str) -> None:
        link.within(None)
        id = f"{UNVERIFIED}{secrets.token_hex(4)}"
        quota.admit(id)
        self._serving.admission.admit(link)
        session, inbox = Session(link, self, echoes=False), self._serving.inbox
        throttle = Throttle(link, quota.lines)
        inbox.put(JoinRequest(session, id, nick, any_nick=True))
        try:
            with reporting_errors(link, self.encode):
                numbers = count(1)
                begun = bool(parts.ready)
                while (read := parts.all()) is not None:
                    if not begun and any(map(_HTTP.match, read)):  # the headers, where the first line came alone
                        raise ProtocolError(_WRONG_CLIENT)
                    begun = True
                    for at in range(0, len(read), PORTION):
                        texts = [text for part in read[at : at + PORTION] if (text := _text(part).strip())]
                        throttle.receive(min(PORTION, len(read) - at))
                        throttle.forward([Say(str(next(numbers)), text) for text in texts], session, inbox)
        finally:
            inbox.put_now(LinkEnded(session))


class _Parts:
    """Cuts what a plain client sends into messages. Reader thread only.

    From a client that sends line ends, each line is a message; from one that never does, each send is.
    """

    def __init__(self, link: Link, unended_line: float) -> None:
        self._link = link
        self._unended_line = unended_line
        self._splitter = LineSplitter(MAX_TEXT)
        self.ready: list[bytes] = []  # messages that were read and not taken yet
        self._sends_lines = False
        self._ended = False

    def next(self) -> bytes | None:
        """The next message, perhaps empty; None at the end of the link."""
        while not self.ready and not self._ended:
            self._read()
        return self.ready.pop(0) if self.ready else None

    def all(self) -> list[bytes] | None:
        """The messages of the next read, some perhaps empty; None at the end of the link."""
        while not self.ready and not self._ended:
            self._read()
        ready, self.ready = self.ready, []
        return ready or None

    def _read(self) -> None:
        started = bool(self._splitter.partial)
        if started and self._link.quiet(self._unended_line):
            self.ready += self._splitter.feed(b"\n")
            return
        data = self._link.receive()
        if b"\0" in data:
            raise ProtocolError("This port takes text only.")
        if not data or data.startswith(_TELNET):
            self._ended = True
            if started:
                self.ready += self._splitter.feed(b"\n")
            return
        self._sends_lines = self._sends_lines or b"\n" in data
        self.ready += self._splitter.feed(data if self._sends_lines else data + b"\n")


def _text(part: bytes) -> str:
    return part.decode(errors="replace").rstrip("\r")


def _line(message: FromHost) -> str | None:
    match message:
        case Said(nick=nick, text=text, action=action):
            text = text.replace("\n", " / ")
            return f"* {nick} {text}" if action else f"{nick}: {text}"
        case Joined(nick=nick):
            return f"{nick} joined the chat"
        case Left(nick=nick):
            return f"{nick} has left the chat"
        case Renamed(nick=nick, to=to):
            return f"{nick} is now {to}"
        case Moved(nick=nick):
            return f"{nick} hosts the room now"
        case Notice(text=text) | Closing(text=text) | Refused(text=text):
            return f"* {text}"
        case Welcome() | _:
            return None
