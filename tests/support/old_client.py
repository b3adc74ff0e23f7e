"""A client from before rooms could move, made by hand: it knows no papers, no standbys and no other host than its own.

It has the fields and types that the wire had then, with the version of today, and no code of today reads or writes its
lines. What it does not know it skips, as the page about the wire has always asked of a client.
"""

import base64
import hashlib
import json
import socket
import ssl
from typing import Any, Self

from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import certificate_key
from lanchat.storage.identity import Identity
from tests.support.waiting import PATIENCE

_KNOWN: dict[str, dict[str, type]] = {  # each type of those days that a host sends, with the fields it must have
    "card": {"v": int, "room": str, "title": str, "host": str, "people": int, "password": bool, "nonce": str},
    "refused": {"code": str, "text": str},
    "welcome": {"id": str, "nick": str, "seq": int, "stored": int, "people": int},
    "page": {"upto": int},
    "present": {"id": str, "nick": str},
    "ack": {"seq": int},
    "notice": {"code": str, "text": str},
    "closing": {"code": str, "text": str},
    "ping": {},
    "pong": {},
    "said": {"seq": int, "at": int, "by": str, "nick": str, "id": str, "text": str},
    "joined": {"seq": int, "at": int, "by": str, "nick": str},
    "left": {"seq": int, "at": int, "by": str, "nick": str},
    "renamed": {"seq": int, "at": int, "by": str, "nick": str},
}
_EVENTS = ("said", "joined", "left", "renamed")
_NONCE = bytes(range(32))


class KeyChanged(Exception):
    """The room shows another key than before; exit code 5 in a program of those days."""


class OldClient:
    """One person with such a program, in several lives. One thread.

    Args:
        version: of the wire, in the hello.
    """

    def __init__(self, identity: Identity, nick: str, version: int = 2) -> None:
        self.nick = nick
        self.events: list[dict[str, Any]] = []  # each once, in the order in which they came
        self.skipped: set[str] = set()  # the types that it did not know
        self.acked = -1
        self._identity, self._version = identity, version
        self._pinned = b""  # the key of the room, once it was there
        self._socket: ssl.SSLSocket | None = None
        self._got = b""

    def join(self, port: int) -> dict[str, Any]:
        """The host's answer: its `welcome`, once all the people have come, or its `refused`.

        Raises:
            KeyChanged: another key than before; it has been sent nothing.
        """
        self.close()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket = context.wrap_socket(sock)
        certificate = self._socket.getpeercert(binary_form=True) or b""
        host_key = certificate_key(certificate)
        card = self.hear("card")
        if self._pinned not in (b"", host_key):
            self.close()
            raise KeyChanged
        room, nonce = card["room"], base64.b64decode(card["nonce"])
        fields = (
            *(b"lanchat member proof", str(self._version).encode(), room.encode()),
            *(hashlib.sha256(certificate).digest(), nonce, _NONCE),
            *(self._identity.public, host_key, self.nick.encode()),
        )
        signed = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
        hello = {"v": self._version, "nick": self.nick, "after": self.events[-1]["seq"] if self.events else -1}
        proof = {"key": self._identity.public, "nonce": _NONCE, "proof": self._identity.sign(signed)}
        self._send("hello", **hello, **{name: base64.b64encode(value).decode() for name, value in proof.items()})
        answer = self.hear("welcome", "refused")
        if answer["t"] == "welcome":
            present = [self.hear("present") for _ in range(answer["people"])]
            hosts = {one["id"] for one in present if one.get("host")}
            assert hosts <= {member_id(host_key)}, "who hosts is whose certificate this is"
            self._pinned = host_key
        return answer

    def say(self, text: str, *, again: bool = False) -> None:
        """Say this, and wait until it is acknowledged."""
        self._send("say", id=f"id of {text}", text=text, **({"again": True} if again else {}))
        self.hear_text(text)
        while self.acked < next(event["seq"] for event in self.events if event.get("text") == text):
            self.hear("ack")

    def hear_text(self, text: str) -> None:
        while text not in self.texts:
            self.hear("said")

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.events if event["t"] == "said"]

    def hear(self, *kinds: str) -> dict[str, Any]:
        """The next line of one of these types; {} at the end."""
        while line := self._line():
            message = json.loads(line)
            kind = message["t"]
            if kind not in _KNOWN:
                self.skipped.add(kind)
                continue
            for name, type_ in _KNOWN[kind].items():
                assert type(message[name]) is type_, message
            if kind == "ping":
                self._send("pong")
            if kind == "ack":
                self.acked = message["seq"]
            if kind in _EVENTS and (not self.events or message["seq"] > self.events[-1]["seq"]):
                self.events.append(message)
            if kind in kinds:
                return dict(message)
        return {}

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket, self._got = None, b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, kind: str, **fields: object) -> None:
        assert self._socket is not None
        self._socket.sendall(json.dumps({"t": kind, **fields}).encode() + b"\n")

    def _line(self) -> bytes:
        assert self._socket is not None
        while b"\n" not in self._got:
            try:
                data = self._socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return b""
            self._got += data
        line, _, self._got = self._got.partition(b"\n")
        return line
