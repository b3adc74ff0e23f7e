"""SPAKE2 as lanchat uses it, and the library's own test values."""

import hashlib
from functools import partial
from pathlib import Path

import pytest
import spake2
from hypothesis import given
from hypothesis import strategies as st

import lanchat.protocol
from lanchat.errors import ProtocolError
from lanchat.network.password import (
    SECRET_SIZE,
    SHARE_SIZE,
    WORDS_IN_PASSWORD,
    PasswordExchange,
    make_password,
    stretch,
)
from tests.support.cases import cases
from tests.support.stretching import stretching

SECRET = b"s" * SECRET_SIZE
MEMBER, CERTIFICATE = b"m" * 32, b"c" * 32


def sides(
    member_secret: bytes = SECRET, host_secret: bytes = SECRET, member: bytes = MEMBER, certificate: bytes = CERTIFICATE
) -> tuple[PasswordExchange, PasswordExchange]:
    """A member's and a host's side after the exchange of shares. The host takes MEMBER and CERTIFICATE for granted."""
    ann = PasswordExchange(member_secret, host=False, member=member, certificate=certificate)
    hal = PasswordExchange(host_secret, host=True, member=MEMBER, certificate=CERTIFICATE)
    ann.finish(hal.share)
    hal.finish(ann.share)
    return ann, hal


def agree(ann: PasswordExchange, hal: PasswordExchange) -> bool:
    alike = ann.confirm_member() == hal.confirm_member()
    assert alike == (ann.confirm_host() == hal.confirm_host())
    return alike


def test_two_sides_with_the_same_password_agree():
    ann, hal = sides()
    assert agree(ann, hal)
    assert ann.confirm_member() != ann.confirm_host(), "neither confirms by sending back what it got"


def test_the_example_of_the_document(monkeypatch):
    """A second client is checked with these values, so they are lanchat's own."""
    document = Path(lanchat.protocol.__file__).with_name("README.md").read_text(encoding="utf-8")
    numbers = {"A": 3141592653589793238462643383279502884197, "B": 2718281828459045235360287471352662497757}
    member, certificate = bytes(range(32)), hashlib.sha256(b"certificate").digest()
    with stretching(quickly=False):
        secret = stretch("grün-papaya-42", "00112233445566778899aabbccddeeff")
    for side, number in numbers.items():
        chosen = partial(getattr(spake2, f"SPAKE2_{side}"), entropy_f=partial(number.to_bytes, byteorder="big"))
        monkeypatch.setattr(spake2, f"SPAKE2_{side}", chosen)
    ann, hal = (PasswordExchange(secret, host=host, member=member, certificate=certificate) for host in (False, True))
    ann.finish(hal.share)
    hal.finish(ann.share)
    values = (secret, ann.share, hal.share, ann._key, ann.confirm_member(), hal.confirm_host())
    assert [value.hex() for value in values if f"`{value.hex()}`" not in document] == []
    assert all(str(number) in document for number in numbers.values())


@pytest.mark.parametrize(
    "wrong",
    [{"member_secret": b"x" * 32}, {"member": b"x" * 32}, {"certificate": b"x" * 32}],
    ids=["password", "member's key", "certificate"],
)
def test_any_difference_gives_another_key(wrong):
    assert not agree(*sides(**wrong))


def test_each_exchange_has_a_fresh_share():
    (one, _), (other, _) = sides(), sides()
    assert one.share != other.share and one.confirm_member() != other.confirm_member()
    assert len(one.share) == SHARE_SIZE


@pytest.mark.parametrize("host", [False, True])
def test_nothing_is_confirmed_before_the_shares_are_exchanged(host):
    """A host without the password could make a MAC under an empty key, too."""
    side = PasswordExchange(SECRET, host=host, member=MEMBER, certificate=CERTIFICATE)
    for confirm in (side.confirm_host, side.confirm_member):
        with pytest.raises(ProtocolError):
            confirm()


ORDER_8 = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")


@cases(
    "share",
    [
        b"",
        b"B",
        b"B" + bytes(31),
        b"B" + bytes(33),
        b"B" + bytes(32),
        b"B" + b"\xff" * 32,
        b"B" + (1).to_bytes(32, "little"),
        b"B" + (2**255 - 18).to_bytes(32, "little"),  # the identity in its second spelling, which spake2 takes
        b"B" + (2**255 + 1).to_bytes(32, "little"),  # the identity with a sign, which spake2 accepts
        b"B" + (2**256 - 18).to_bytes(32, "little"),  # both
        b"B" + (2**255 - 20).to_bytes(32, "little"),
        b"B" + ORDER_8,
        b"B" + (2).to_bytes(32, "little"),
        b"A" + (9).to_bytes(32, "little"),
        b"\x00" + (9).to_bytes(32, "little"),
        bytes(128),
    ],
)
def test_an_invalid_share_is_refused(share):
    side = PasswordExchange(SECRET, host=False, member=MEMBER, certificate=CERTIFICATE)
    with pytest.raises(ProtocolError):
        side.finish(share)


@given(st.binary(max_size=128))
def test_any_bytes_are_a_valid_share_or_refused(share):
    side = PasswordExchange(SECRET, host=False, member=MEMBER, certificate=CERTIFICATE)
    try:
        side.finish(b"B" + share)
    except ProtocolError:
        pass


def test_our_own_share_sent_back_is_refused():
    side = PasswordExchange(SECRET, host=False, member=MEMBER, certificate=CERTIFICATE)
    with pytest.raises(ProtocolError):
        side.finish(side.share)
    side = PasswordExchange(SECRET, host=False, member=MEMBER, certificate=CERTIFICATE)
    with pytest.raises(ProtocolError):
        side.finish(b"B" + side.share[1:])


def test_an_exchange_is_good_for_one_attempt():
    ann, hal = sides()
    with pytest.raises(ProtocolError):
        ann.finish(hal.share)


# ---- pinned: another library, other parameters or another transcript would not let anybody in any more


def test_the_library_gives_the_known_values():
    """As in python-spake2's own test_compat.py, the same randomness gives the same messages and key."""
    from spake2 import SPAKE2_A, SPAKE2_B

    def randomness(seed: bytes):
        stream, used = b"".join(hashlib.sha256(b"prng-%d-%s" % (n, seed)).digest() for n in range(50)), [0]

        def give(size: int) -> bytes:
            used[0] += size
            return stream[used[0] - size : used[0]]

        return give

    one, other = (
        SPAKE2_A(b"password", entropy_f=randomness(b"A")),
        SPAKE2_B(b"password", entropy_f=randomness(b"B")),
    )
    a, b = one.start(), other.start()
    assert a.hex() == "416fc960df73c9cf8ed7198b0c9534e2e96a5984bfc5edc023fd24dacf371f2af9"
    assert b.hex() == "42354e97b88406922b1df4bea1d7870f17aed3dba7c720b313edae315b00959309"
    key = "a480bca13fa04464bb644f10e340125e96c9494f7399fef7c2bda67eb0fdf06d"
    assert one.finish(b).hex() == other.finish(a).hex() == key


def test_a_stretched_password_has_the_documented_value():
    with stretching(quickly=False):
        assert stretch("correct-horse-battery", "5" * 32).hex() == PINNED_STRETCH
    assert stretch("correct-horse-battery", "6" * 32) != stretch("correct-horse-battery", "5" * 32)
    assert len(stretch("é" * 300, "5" * 32)) == SECRET_SIZE


PINNED_STRETCH = "08dd397456c05ea3f87b7a03332418461441663eb9005b60140935648c7ff506"


def test_a_confirmation_has_the_documented_value():
    side = PasswordExchange(SECRET, host=False, member=MEMBER, certificate=CERTIFICATE)
    side._key, side._transcript = b"k" * 32, b"t"
    assert side.confirm_member().hex() == PINNED_CONFIRMS[0]
    assert side.confirm_host().hex() == PINNED_CONFIRMS[1]


PINNED_CONFIRMS = (
    "4f2af7217f391228e4fde0ed60bfffc9ebeb789fdc97c85f8a3979afc8afd6a2",
    "f6decdfaa4acbb051fb1bd6a7608d3dc4b2d30e5ddf488f00c5064a261961db8",
)


def test_a_generated_password():
    made = {make_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password.split("-")) == WORDS_IN_PASSWORD for password in made)
    seen: list[int] = []

    def choose(words: list[str]) -> str:
        seen.append(len(set(words)))
        return words[0]

    assert make_password(choose) == "abandon-abandon-abandon"
    assert seen == [2048] * 3, "33 bits"
