"""The door for netcat, telnet and simple socket clients: the classic line chat, without encryption.

    host: Enter your name:            (no line end)
    peer: ann                         (with or without a line end)
    host: bob: hello                  (to everyone but its sender)
    host: eve joined the chat
    host: eve has left the chat

Who comes in here has shown nothing about who they are: on every lanchat screen their nick has a tilde.
"""

import logging
import re
import secrets
from functools import partial
from itertools import count

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.network.sockets import RECEIVE_SIZE, ReadSize
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import (
    MAX_TEXT,
    Closing,
    FromHost,
    Joined,
    Left,
    Notice,
    Refused,
    Renamed,
    Said,
    Say,
    Welcome,
)
from lanchat.protocol.text import nick_from, safe_text
from lanchat.server.admission import Admission
from lanchat.server.doors.base import told_why
from lanchat.server.session import Item, JoinRequest, LinkEnded, Session, Stay
from lanchat.server.throttle import Throttle
from lanchat.threads import Inbox

NAME_LIMIT = 60.0  # s to type a name (ergo's time for registration)
SETTLE = 0.2  # s; a started line that gets no end for so long was a whole message of a client that sends none
PORTION = 64  # messages of one read that are handed on together; fewer than the pace takes for a flood
PROMPT = b"Enter your name: "

_WEB = re.compile(rb"(GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ")  # ergo#2239: a page that posts lines
_TLS = b"\x16\x03"  # the first bytes of a ClientHello
_TELNET = b"\xff"  # IAC: Ctrl-C and its kin in telnet

_log = logging.getLogger(__name__)


class PlainDoor:
    """Serves each link in threads of its own."""

    echoes = False
    remembers = False

    def __init__(self, inbox: Inbox[Item], admission: Admission, limits: Limits) -> None:
        self._inbox = inbox
        self._admission = admission
        self._limits = limits

    def encode(self, message: FromHost) -> bytes:
        line = _line(message)
        return b"" if line is None else safe_text(line).encode() + b"\n"

    def greet(self, link: Link) -> Stay | None:
        """Ask for a name.

        Returns:
            The rest of the link's life; None: it is over already.
        """
        with told_why(link, self.encode):
            link.limit_bytes(self._limits.byte_rate, self._limits.byte_burst)
            link.read_size = ReadSize(least=RECEIVE_SIZE)  # one send of such a client may be one message
            link.within(NAME_LIMIT, "gave no name in time")
            link.send(PROMPT)
            parts = _Parts(link)
            first = parts.next()
            if first is None:
                return None
            if _WEB.match(first) or first.startswith(_TLS):
                raise ProtocolError("this port is for plain chat clients")
            return partial(self._stay, link, parts, nick_from(_text(first)))
        return None

    def _stay(self, link: Link, parts: "_Parts", nick: str) -> None:
        link.within(None)
        self._admission.admit(link)
        session, throttle = Session(link, self), Throttle(self._limits, link)
        self._inbox.put(JoinRequest(session, f"~{secrets.token_hex(4)}", nick, any_nick=True))
        try:
            with told_why(link, self.encode):
                numbers = count(1)
                while (read := parts.all()) is not None:
                    says = [Say(str(next(numbers)), text) for part in read if (text := _text(part).strip())]
                    for at in range(0, len(says), PORTION):
                        throttle.forward([*says[at : at + PORTION]], session, self._inbox)
        finally:
            self._inbox.put_now(LinkEnded(session))


class _Parts:
    """What a plain client sends, cut into messages. Reader thread only.

    A client that never sends a line end means each of its sends as one message; one that does, each line.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._splitter = LineSplitter(MAX_TEXT)
        self._ready: list[bytes] = []
        self._sends_lines = False
        self._ended = False

    def next(self) -> bytes | None:
        """The next message, perhaps empty; None at the end of the link."""
        while not self._ready and not self._ended:
            self._read()
        return self._ready.pop(0) if self._ready else None

    def all(self) -> list[bytes] | None:
        """The messages of the next read, some perhaps empty; None at the end of the link."""
        while not self._ready and not self._ended:
            self._read()
        ready, self._ready = self._ready, []
        return ready or None

    def _read(self) -> None:
        started = bool(self._splitter.partial)
        if started and self._link.quiet(SETTLE):
            self._ready += self._splitter.feed(b"\n")
            return
        data = self._link.receive()
        if b"\0" in data:
            raise ProtocolError("this port is for text")
        if not data or data.startswith(_TELNET):
            self._ended = True
            if started:
                self._ready += self._splitter.feed(b"\n")
            return
        self._sends_lines = self._sends_lines or b"\n" in data
        self._ready += self._splitter.feed(data if self._sends_lines else data + b"\n")


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
        case Notice(text=text) | Closing(text=text) | Refused(text=text):
            return f"* {text}"
        case Welcome() | _:
            return None
