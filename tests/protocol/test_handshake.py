"""Both ends of the handshake in memory, and attackers in the middle."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat import errors
from lanchat.protocol.binding import Binding
from lanchat.protocol.handshake import HostGreeting, MemberGreeting, Newcomer
from lanchat.protocol.keys import verify
from lanchat.protocol.messages import (
    VERSION,
    Ack,
    Bye,
    Card,
    Closing,
    Notice,
    Ping,
    Pong,
    Present,
    Refused,
    Say,
    Welcome,
)
from lanchat.protocol.password import Confirm, Share
from lanchat.protocol.version import check_version
from lanchat.storage.identity import Identity
from tests.support.cases import cases

CARD = Card(VERSION, "5" * 32, "Room A", "hal", 1, False, b"h" * 32)
WELCOME = Welcome("i", "ann", 7, 7, 1)


@pytest.fixture(scope="module")
def hal(identity):
    return identity("hal")


@pytest.fixture(scope="module")
def ann(identity):
    return identity("ann")


@pytest.fixture(scope="module")
def eve(identity):
    return identity("eve")


def host_end(hal: Identity, card: Card = CARD, **options) -> Any:
    options = {"binding": hashlib.sha256(hal.certificate).digest(), "host_key": hal.public, "verify": verify, **options}
    return HostGreeting(card, **options)


def member_end(ann: Identity, hal: Identity, **options) -> Any:
    options = {"nick": "ann", "nonce": b"m" * 32, "certificate": hal.certificate, "host_key": hal.public, **options}
    return MemberGreeting(key=ann.public, sign=ann.sign, **options)


def test_a_member_shows_the_papers_that_it_knows(hal, ann):
    host, member = host_end(hal), member_end(ann, hal, papers=(b"the list", b"the record"))
    newcomer = Newcomer(ann.public, "ann", papers=(b"the list", b"the record"))
    assert host.receive(member.hello(host.opening())) == (None, newcomer)


def test_a_member_is_admitted(hal, ann):
    host, member = host_end(hal), member_end(ann, hal, after=41)
    assert host.receive(member.hello(host.opening())) == (None, Newcomer(ann.public, "ann", 41))
    assert member.receive(WELCOME) is None and member.result is None
    assert member.receive(Present("i", "ann")) is None
    assert member.result == (WELCOME, (Present("i", "ann"),))


# ---- proofs


def proof_is_refused(host: HostGreeting, hello) -> bool:
    with pytest.raises(errors.ProtocolError, match="proof of identity does not fit"):
        host.receive(hello)
    return True


def test_a_replayed_hello_is_refused(hal, ann):
    heard = member_end(ann, hal).hello(CARD)
    assert proof_is_refused(host_end(hal, msgspec.structs.replace(CARD, nonce=b"other".ljust(32))), heard)


def test_a_hello_carried_to_another_room_is_refused(hal, ann):
    heard = member_end(ann, hal).hello(CARD)
    assert proof_is_refused(host_end(hal, msgspec.structs.replace(CARD, room="6" * 32)), heard)


def test_a_hello_carried_to_another_host_is_refused(hal, ann, eve):
    """Eve hosts a room, shows hal's card to ann, and passes ann's hello on to hal."""
    heard = member_end(ann, eve).hello(CARD)
    assert proof_is_refused(host_end(hal), heard)


def test_another_certificate_of_the_same_key_is_refused(hal, ann):
    heard = member_end(ann, hal, certificate=b"another").hello(CARD)
    assert proof_is_refused(host_end(hal), heard)


def test_a_hello_with_the_key_of_somebody_else_is_refused(hal, ann, eve):
    forged = msgspec.structs.replace(member_end(eve, hal).hello(CARD), key=ann.public)
    assert proof_is_refused(host_end(hal), forged)


@pytest.mark.parametrize(
    "change",
    [
        {"nick": "eve"},
        {"nick": "Ann"},
        {"key": b"k" * 32},
        {"nonce": b"n" * 32},
        {"proof": b""},
        {"proof": b"p" * 64},
        {"proof": b"p" * 128},
    ],
    ids=str,
)
def test_a_proof_covers_each_field_of_its_hello(hal, ann, change):
    hello = member_end(ann, hal).hello(CARD)
    assert proof_is_refused(host_end(hal), msgspec.structs.replace(hello, **change))


@given(st.integers(0, 64 * 8 - 1))
def test_each_bit_of_a_proof_counts(hal, ann, bit):
    hello = member_end(ann, hal).hello(CARD)
    proof = bytearray(hello.proof)
    proof[bit // 8] ^= 1 << bit % 8
    assert proof_is_refused(host_end(hal), msgspec.structs.replace(hello, proof=bytes(proof)))


BINDING = Binding(1, "room", b"certificate", b"host nonce", b"member nonce", b"member key", b"host key", "ann")


@cases("name", [f for f in Binding.__dataclass_fields__])
def test_each_field_of_a_binding_counts(name):
    value: Any = getattr(BINDING, name)
    change: Any = {name: value + (1 if isinstance(value, int) else value[:1])}
    assert replace(BINDING, **change).text() != BINDING.text()


@given(*[st.lists(st.binary(max_size=5), min_size=5, max_size=5)] * 2)
def test_no_two_bindings_give_the_same_bytes(one, other):
    def text(fields: list[bytes]) -> bytes:
        certificate, host_nonce, member_nonce, member_key, host_key = fields
        return Binding(1, "r", certificate, host_nonce, member_nonce, member_key, host_key, "ann").text()

    assert (text(one) == text(other)) == (one == other)


def test_a_binding_names_its_purpose():
    """A signature made for this purpose fits no other purpose, now or later."""
    assert BINDING.text()[:28] == b"\x00\x00\x00\x14lanchat member proof\x00\x00\x00\x01"


def test_the_certificate_is_bound_by_its_hash(hal, ann):
    seen = []

    def take(key: bytes, proof: bytes, text: bytes) -> bool:
        seen.append(text)
        return True

    host_end(hal, verify=take).receive(member_end(ann, hal).hello(CARD))
    assert hashlib.sha256(hal.certificate).digest() in seen[0]


# ---- the order of things


@pytest.mark.parametrize("message", [Say("1", "hi"), Ping(), Bye(), Confirm(b"m" * 32)], ids=repr)
def test_a_member_that_does_not_begin_with_a_hello_is_refused(hal, message):
    with pytest.raises(errors.ProtocolError, match="does not belong in the handshake"):
        host_end(hal).receive(message)


def test_a_second_hello_is_refused(hal, ann):
    host = host_end(hal)
    hello = member_end(ann, hal).hello(CARD)
    host.receive(hello)
    with pytest.raises(errors.ProtocolError):
        host.receive(hello)


@pytest.mark.parametrize("message", [CARD, Ack(1), Present("i", "bob"), Share(b"s"), Confirm(b"m" * 32)], ids=repr)
def test_a_host_that_answers_a_hello_with_something_else_is_refused(hal, ann, message):
    member = member_end(ann, hal)
    member.hello(CARD)
    with pytest.raises(errors.ProtocolError):
        member.receive(message)


def test_a_host_may_ping_and_give_notice_before_it_admits_us(hal, ann):
    member = member_end(ann, hal)
    member.hello(CARD)
    assert member.receive(Ping()) == Pong()
    member.receive(WELCOME)
    assert [member.receive(message) for message in (Pong(), Notice("later", "..."), Ping())] == [None, None, Pong()]
    member.receive(Present("i", "bob"))
    assert member.result == (WELCOME, (Present("i", "bob"),))


def test_a_refusal_carries_code_text_and_suggestion(hal, ann):
    with pytest.raises(errors.Refused, match="The nick ann") as caught:
        member_end(ann, hal).receive(Refused("nick", "The nick ann", "ann2"))
    assert (caught.value.code, caught.value.suggestion) == ("nick", "ann2")


def test_a_room_that_closes_during_the_handshake(hal, ann):
    with pytest.raises(errors.ConnectionLost, match="The host has closed the room."):
        member_end(ann, hal).receive(Closing("closed", "The host has closed the room."))
    with pytest.raises(errors.Refused, match="no"):
        member_end(ann, hal).receive(Closing("rules", "no"))


# ---- versions


def test_a_member_of_another_version_is_refused_with_a_text(hal, ann):
    hello = msgspec.structs.replace(member_end(ann, hal).hello(CARD), v=1)
    answer, newcomer = host_end(hal).receive(hello)
    assert newcomer is None
    assert answer == Refused("version", "This room speaks version 2 of lanchat's protocol, you speak 1.")


def test_a_host_of_another_version_is_refused_with_a_text(hal, ann):
    card = msgspec.structs.replace(CARD, v=1)
    with pytest.raises(errors.Refused, match="The host speaks version 1") as caught:
        member_end(ann, hal).hello(card)
    assert caught.value.code == "version" and caught.value.hint
    with pytest.raises(errors.Refused):
        check_version(card)
    check_version(CARD)


# ---- a room with a password, and an exchange that shows its workings


WITH_PASSWORD = msgspec.structs.replace(CARD, password=True)


@dataclass
class OpenExchange:
    """An exchange in which both sides agree if they have the same password. Nothing in it is secret."""

    password: str
    share: bytes = b"share"
    taken: list[bytes] = field(default_factory=list)

    def finish(self, share: bytes) -> None:
        self.taken.append(share)

    def confirm_member(self) -> bytes:
        return hashlib.sha256(b"member" + self.password.encode()).digest()

    def confirm_host(self) -> bytes:
        return hashlib.sha256(b"host" + self.password.encode()).digest()


def locked_ends(hal, ann, hosts: str = "sesame", members: str = "sesame") -> tuple[Any, Any]:
    host = host_end(hal, WITH_PASSWORD, attempt=lambda key, certificate: OpenExchange(hosts))
    return host, member_end(ann, hal, exchange=lambda room, certificate: OpenExchange(members))


def test_a_member_with_the_password_is_admitted(hal, ann):
    host, member = locked_ends(hal, ann)
    share, newcomer = host.receive(member.hello(WITH_PASSWORD))
    assert (share, newcomer) == (Share(b"share"), None)
    confirm, newcomer = host.receive(member.receive(share))
    assert newcomer == Newcomer(ann.public, "ann", -1)
    assert member.receive(confirm) is None
    assert member.receive(WELCOME) is None and member.result is None
    assert member.receive(Present("i", "ann")) is None
    assert member.result == (WELCOME, (Present("i", "ann"),))


def test_a_wrong_password_is_refused_without_a_confirmation(hal, ann):
    host, member = locked_ends(hal, ann, members="guess")
    share, _ = host.receive(member.hello(WITH_PASSWORD))
    assert host.receive(member.receive(share)) == (Refused("password", "The password is wrong."), None)


def test_a_member_without_the_password_is_refused(hal, ann):
    host, _ = locked_ends(hal, ann)
    hello = member_end(ann, hal).hello(CARD)  # no share in it
    assert host.receive(hello) == (Refused("password", "This room has a password."), None)
    with pytest.raises(errors.Refused, match=rf'The room "{WITH_PASSWORD.title}" has a password'):
        member_end(ann, hal).hello(WITH_PASSWORD)


def test_a_host_without_the_password_is_refused(hal, ann):
    _, member = locked_ends(hal, ann)
    member.hello(WITH_PASSWORD)
    member.receive(Share(b"share"))
    with pytest.raises(errors.Refused, match="impersonating it"):
        member.receive(Confirm(b"m" * 32))


def test_a_welcome_without_the_hosts_confirm_is_refused(hal, ann):
    for answers in ([], [Share(b"share")]):
        _, member = locked_ends(hal, ann)
        member.hello(WITH_PASSWORD)
        for answer in answers:
            member.receive(answer)
        with pytest.raises(errors.ProtocolError):
            member.receive(WELCOME)


def test_too_many_attempts_are_refused_before_anything_is_computed(hal, ann):
    no = Refused("busy", "later")
    host = host_end(hal, WITH_PASSWORD, attempt=lambda key, certificate: no)
    _, member = locked_ends(hal, ann)
    assert host.receive(member.hello(WITH_PASSWORD)) == (no, None)
    with pytest.raises(errors.ProtocolError):
        host.receive(Confirm(b"m" * 32))


def test_a_wrong_proof_counts_as_no_attempt(hal, ann):
    attempts = []
    host = host_end(hal, WITH_PASSWORD, attempt=lambda key, certificate: attempts.append(key))
    _, member = locked_ends(hal, ann)
    assert proof_is_refused(host, msgspec.structs.replace(member.hello(WITH_PASSWORD), nick="eve"))
    assert attempts == []
