"""Every reader of what strangers send: any input gives a value or the one error it may give, and nothing else.

A small number of examples each time; 20,000 of each, and a minute of mutated sessions, in the full run.
LANCHAT_FUZZ_SECONDS sets the minute.
"""

import gc
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanchat.discovery.mdns import records
from lanchat.discovery.udp import packets as datagram
from lanchat.errors import LanchatError, ProtocolError
from lanchat.network.password import PasswordExchange
from lanchat.protocol.address import parse_endpoint
from lanchat.protocol.confusables import skeleton
from lanchat.protocol.framing import FROM_HOST, FROM_MEMBER, MAX_LINE, LineSplitter, decode, decode_all, encode
from lanchat.protocol.handshake import HostGreeting, MemberGreeting
from lanchat.protocol.keys import certificate_key, verify
from lanchat.protocol.messages import Bye, Card, Command, Hello, Moderate, Ping, Refused, Rename, Say, Welcome
from lanchat.protocol.nicks import clean_nick, nick_from
from lanchat.protocol.password import Confirm
from lanchat.protocol.text import clean_text, clean_title, safe_text
from tests.hostile.attackers import card
from tests.hostile.siege import MEMORY_LIMIT, rss
from tests.support.harmless import harmful
from tests.support.rooms import LiveRoom, admit

MANY = 20_000
MINUTE = float(os.environ.get("LANCHAT_FUZZ_SECONDS", "60"))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
tags = ["hello", "say", "confirm", "moderate", "rename", "bye", "card", "welcome", "present", "said", "joined", "later"]
names = [
    "v",
    "nick",
    "key",
    "id",
    "text",
    "seq",
    "at",
    "by",
    "people",
    "room",
    "title",
    "mac",
    "share",
    "nonce",
    "action",
]
near_messages = st.builds(
    lambda tag, fields: msgspec.json.encode({"t": tag, **fields}),
    st.sampled_from(tags),
    st.dictionaries(st.sampled_from(names), json_values, max_size=6),
)
lines = st.binary(max_size=200) | near_messages
texts = st.text(st.characters(), max_size=100)


def splits(data: bytes) -> None:
    splitter = LineSplitter()
    for line in splitter.feed(data):
        assert b"\n" not in line and len(line) <= MAX_LINE


def member_line(data: bytes) -> None:
    message = decode(data, FROM_MEMBER)
    if message is not None:
        assert decode(encode(message).rstrip(b"\n"), FROM_MEMBER) == message


def host_line(data: bytes) -> None:
    message = decode(data, FROM_HOST)
    if message is not None:
        assert decode(encode(message).rstrip(b"\n"), FROM_HOST) == message


def shown(text: str) -> None:
    assert harmful(safe_text(text)) == set()


def certificate(data: bytes) -> None:
    certificate_key(data)


BYTES: dict[str, tuple[Callable[[bytes], object], type[Exception] | tuple[()]]] = {
    "lines": (splits, ()),
    "a member's line": (member_line, ProtocolError),
    "a host's line": (host_line, ProtocolError),
    "a certificate": (certificate, ProtocolError),
    "a UDP datagram": (datagram.decode, ()),
    "a TXT record": (records.read_txt, ()),
    "a signature": (lambda data: verify(data[:32], data[32:], b"text"), ()),
}
TEXTS: dict[str, tuple[Callable[[str], object], type[Exception] | tuple[()]]] = {
    "shown text": (shown, ()),
    "a nick": (clean_nick, ValueError),
    "a title": (clean_title, ValueError),
    "a message": (clean_text, ValueError),
    "a nick of anything": (lambda text: clean_nick(nick_from(text)), ()),
    "a skeleton": (skeleton, ()),
    "an address": (parse_endpoint, ()),
}


@pytest.mark.parametrize("what", BYTES)
@given(data=lines)
def test_bytes(what, data):
    read, refusal = BYTES[what]
    try:
        read(data)
    except refusal:
        pass


@pytest.mark.parametrize("what", TEXTS)
@given(text=texts)
def test_texts(what, text):
    read, refusal = TEXTS[what]
    try:
        read(text)
    except refusal:
        pass


def every(readers: dict, value: object) -> None:
    for read, refusal in readers.values():
        try:
            read(value)
        except refusal:
            pass


@pytest.mark.full
@pytest.mark.timeout(300)
@given(data=st.binary(max_size=120))
@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
def test_20000_bytes_for_every_reader(data):
    every(BYTES, data)


@pytest.mark.full
@pytest.mark.timeout(300)
@given(data=near_messages)
@settings(max_examples=MANY // 10, suppress_health_check=list(HealthCheck))
def test_2000_near_messages_for_every_reader(data):
    every(BYTES, data)


@pytest.mark.full
@pytest.mark.timeout(300)
@given(text=st.text(st.characters(), max_size=40))
@settings(max_examples=MANY, suppress_health_check=list(HealthCheck))
def test_20000_texts_for_every_reader(text):
    every(TEXTS, text)


# ---- mutated sessions


class Sessions:
    """Both ends of a room with a password in memory, and what honest ones say to each other; then the same, damaged."""

    def __init__(self, ann, hal) -> None:
        self.ann, self.hal = ann, hal
        self.secret = b"s" * 32
        self.card: Card = card(password=True)
        self.from_member, self.from_host = self._record()

    def ends(self) -> tuple[HostGreeting, MemberGreeting]:
        host = HostGreeting(
            self.card,
            binding=sha256(self.hal.certificate).digest(),
            host_key=self.hal.public,
            verify=verify,
            attempt=lambda key, digest: PasswordExchange(self.secret, host=True, member=key, certificate=digest),
        )
        member = MemberGreeting(
            nick="ann",
            key=self.ann.public,
            nonce=bytes(32),
            sign=self.ann.sign,
            certificate=self.hal.certificate,
            host_key=self.hal.public,
            exchange=lambda room, digest: PasswordExchange(
                self.secret, host=False, member=self.ann.public, certificate=digest
            ),
        )
        return host, member

    def _record(self) -> tuple[bytes, bytes]:
        host, member = self.ends()
        hello = member.hello(self.card)
        share, _ = host.receive(hello)
        assert share is not None
        confirm = member.receive(share)
        assert isinstance(confirm, Confirm)
        answer, newcomer = host.receive(confirm)
        assert answer is not None and newcomer is not None
        talk = [
            Say("1", "hello"),
            Say("2", "gr\u00fc\u00dfe\n\U0001f389", True),
            Rename("anna"),
            Moderate("ban", "eve"),
        ]
        from_member = [hello, confirm, *talk, Ping(), Bye()]
        from_host = [self.card, share, answer, Welcome("i", "ann", 1, 1, 0), Refused("nick", "no", "ann2")]
        return b"".join(map(encode, from_member)), b"".join(map(encode, from_host))  # type: ignore[arg-type]

    def try_host(self, data: bytes, room: LiveRoom) -> None:
        """As doors/native.py reads, and then the room itself."""
        host, _ = self.ends()
        messages = decode_all(LineSplitter().feed(data), FROM_MEMBER)
        while messages:
            message = messages.pop(0)
            if isinstance(message, Hello | Confirm):
                _, newcomer = host.receive(message)
                if newcomer is not None:
                    break
        ann = admit(room, "ann", "a" * 32).member
        for message in messages or decode_all([data.split(b"\n")[-2]] if data.count(b"\n") > 1 else [], FROM_MEMBER):
            if isinstance(message, Command):
                room.act(ann, message)
        room.go(ann)

    def try_member(self, data: bytes) -> None:
        """As client/connect.py reads. Whatever was damaged: no welcome without the host's confirm before it."""
        _, member = self.ends()
        messages = decode_all(LineSplitter().feed(data), FROM_HOST)
        if not messages or not isinstance(first := messages.pop(0), Card):
            return
        if not first.password:
            with pytest.raises(LanchatError):
                member.hello(first)
            return
        member.hello(first)
        confirmed = False
        for message in messages:
            welcome = member.receive(message)
            confirmed = confirmed or (isinstance(message, Confirm) and welcome is None)
            assert confirmed or not isinstance(welcome, Welcome)


def damaged(data: bytes, chance: random.Random, other: bytes) -> bytes:
    """A few of: flip, cut, double, swap, insert, splice."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(out) + 1), chance.choice((1, 1, 2, 8, 40, 300))
        match chance.randrange(7):
            case 0 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length]
            case 3:
                out[at:at] = chance.choice(
                    (b"\n", b'"', b"{", b"}", b"[" * length, b"\\ud800", b"\xff", b"\x00", b"9" * 40)
                )
            case 4:
                lines_of = out.split(b"\n")
                chance.shuffle(lines_of)
                out = bytearray(b"\n".join(lines_of))
            case 5:
                start = chance.randrange(len(other))
                out[at:at] = other[start : start + length]
            case 6 if at < len(out):
                out[at] = chance.randrange(256)
    return bytes(out)


def mutate(ann, hal, seed: int, least: int, seconds: float = 0.0) -> None:
    """So many cases and no fewer, for so long and no shorter."""
    sessions, chance = Sessions(ann, hal), random.Random(seed)
    room = LiveRoom("5" * 32, "Room A", "b" * 32)
    gc.collect()
    before, began, cases = rss(), time.monotonic(), 0
    while cases < least or time.monotonic() - began < seconds:
        cases += 1
        for data, take in (
            (damaged(sessions.from_member, chance, sessions.from_host), lambda data: sessions.try_host(data, room)),
            (damaged(sessions.from_host, chance, sessions.from_member), sessions.try_member),
        ):
            try:
                take(data)
            except LanchatError:
                pass
            except Exception:
                print(f"seed {seed}, case {cases}: {data!r}")
                raise
    assert rss() - before < MEMORY_LIMIT


def test_mutated_sessions(identity):
    mutate(identity("ann"), identity("hal"), seed=1, least=50)


@pytest.mark.full
@pytest.mark.timeout(120)
def test_mutated_sessions_for_a_minute(identity):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    mutate(identity("ann"), identity("hal"), seed, least=1000, seconds=MINUTE)


ATHERIS = """
import sys
import atheris
with atheris.instrument_imports():
    from lanchat.errors import ProtocolError
    from lanchat.protocol.framing import FROM_HOST, FROM_MEMBER, LineSplitter, decode_all
    from lanchat.protocol.text import safe_text
def one(data):
    for decoder in (FROM_HOST, FROM_MEMBER):
        try:
            for message in decode_all(LineSplitter().feed(data), decoder):
                assert safe_text(repr(message))
        except ProtocolError:
            pass
atheris.Setup(sys.argv, one)
atheris.Fuzz()
"""


@pytest.mark.full
@pytest.mark.timeout(90)
def test_atheris():
    pytest.importorskip("atheris", reason="no wheel of atheris here; the mutator above ran")
    command = [sys.executable, "-c", ATHERIS, f"-max_total_time={int(MINUTE / 2)}", "-rss_limit_mb=512"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=80)
    assert done.returncode == 0, done.stderr[-3000:]
