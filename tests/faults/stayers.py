"""A crowd of members in one thread: each comes in, stays, and checks that every event is there, once and in order."""

import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence

from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import MemberGreeting
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.messages import Card, Closing, Event, Ping, Pong, Refused, Welcome
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.protocol.tls import Context, TlsChannel, client_context
from lanchat.storage.identity import Identity

AT_ONCE = 16  # that are on their way in
A_ROUND = 100  # that are read one after another, before those on their way are looked at again


class Stayer:
    """One member, by the pure parts of the protocol alone."""

    def __init__(self, nick: str, identity: Identity, sock: socket.socket, tls: Context) -> None:
        self.nick = nick
        self.socket = sock
        self.welcome = -1  # seq
        self.seq = -1  # of the last event after the welcome
        self.read_at = self._sent_at = 0.0  # s
        self.faults: list[str] = []
        self.goodbye = ""  # the host's last line
        self._identity = identity
        self._channel = TlsChannel(tls, server=False)
        self._splitter = LineSplitter()
        self._greeting: MemberGreeting | None = None
        self._send(self._channel.waiting())

    def read(self) -> None:
        """What the kernel has for this one."""
        before, self.read_at = self.read_at, time.monotonic()
        try:
            data = self.socket.recv(64 * 1024)
        except ConnectionError as error:
            raise SentAway(self, str(error), self.read_at - before) from error
        if not data:
            raise SentAway(self, self.goodbye, self.read_at - before)
        plain = self._channel.receive(data)
        self._send(self._channel.waiting())
        for message in decode_all(self._splitter.feed(plain), FROM_HOST):
            match message:
                case Card():
                    self._say_hello(message)
                case Welcome(seq=seq):
                    self.welcome = self.seq = seq
                case Closing() | Refused():
                    self.goodbye = f"{message.code}: {message.text}"
                case Ping():
                    self._send(self._channel.seal(encode(Pong())))
                case _ if isinstance(message, Event) and message.seq > self.welcome:
                    if message.seq != self.seq + 1:
                        self.faults.append(f"{self.nick} has {message.seq} behind {self.seq}")
                    self.seq = message.seq

    def keep_alive(self) -> None:
        """Ping the host after a silence of our own: its pings wait behind all that has not been read yet."""
        if self.welcome >= 0 and time.monotonic() - self._sent_at > DEFAULT_TIMING.ping_after:
            self._send(self._channel.seal(encode(Ping())))

    def _say_hello(self, card: Card) -> None:
        certificate = self._channel.peer_certificate()
        greeting = MemberGreeting(
            nick=self.nick,
            key=self._identity.public,
            nonce=secrets.token_bytes(NONCE_SIZE),
            sign=self._identity.sign,
            certificate=certificate,
            host_key=certificate_key(certificate),
        )
        self._send(self._channel.seal(encode(greeting.hello(card))))

    def _send(self, data: bytes) -> None:
        if data:
            self._sent_at = time.monotonic()
            try:
                self.socket.sendall(data)
            except ConnectionError as error:
                raise SentAway(self, str(error), self._sent_at - self.read_at) from error


class SentAway(AssertionError):
    """The host has ended the link of somebody who stays.

    Args:
        goodbye: what the host or the kernel has said.
        unread: s since their last read.
    """

    def __init__(self, stayer: Stayer, goodbye: str, unread: float) -> None:
        where = f"at {stayer.seq}" if stayer.welcome >= 0 else "on the way in"
        super().__init__(f'{stayer.nick} was sent away {where}, {unread:.1f} s after the last read, with "{goodbye}"')
        self.nick = stayer.nick
        self.was_in = stayer.welcome >= 0


class Stayers:
    """A crowd that comes in, some at a time, and stays. Made and closed by one thread.

    Args:
        who: nicks and keys.
        reach: makes a connection to the host.
    """

    def __init__(self, who: Sequence[tuple[str, Identity]], reach: Callable[[], socket.socket]) -> None:
        self.inside: list[Stayer] = []
        self.error: Exception | None = None
        self._who = list(who)
        self._reach = reach
        self._tls = client_context()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="stayers")
        self._thread.start()

    @property
    def number(self) -> int:
        """How many are in."""
        if self.error is not None:
            raise self.error
        return len(self.inside)

    def all_have(self, seq: int) -> bool:
        """Whether everybody is in, and has every event up to this one."""
        return self.number == len(self._who) and all(stayer.seq >= seq for stayer in self.inside)

    def close(self) -> None:
        self._over = True
        self._thread.join()

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        coming: set[Stayer] = set()
        waiting = iter(self._who)
        try:
            while not self._over:
                while len(coming) < AT_ONCE and (one := next(waiting, None)) is not None:
                    stayer = Stayer(*one, self._reach(), self._tls)
                    selector.register(stayer.socket, selectors.EVENT_READ, stayer)
                    coming.add(stayer)
                ready: list[Stayer] = [key.data for key, _ in selector.select(0.05)]
                # The host gives those on their way 10 s; the others can wait, nobody longer than everybody else.
                ready.sort(key=lambda stayer: stayer.read_at if stayer.welcome >= 0 else 0.0)
                for stayer in ready[:A_ROUND]:
                    stayer.read()
                    if stayer in coming and stayer.welcome >= 0:
                        coming.discard(stayer)
                        self.inside.append(stayer)
                for stayer in self.inside:
                    stayer.keep_alive()
        except Exception as error:  # for the thread that waits for us
            self.error = error
        finally:
            for key in list(selector.get_map().values()):
                key.data.socket.close()
            selector.close()
