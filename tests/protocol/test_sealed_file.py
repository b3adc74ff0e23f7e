"""Files for one person: sealed offers and pieces, against whoever stores them."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol import sealed_file as sealed_file_module
from lanchat.protocol.filenames import MAX_FILENAME
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import SEED_SIZE, key_from_seed
from lanchat.protocol.padding import OFFER_SIZE, padded_size
from lanchat.protocol.sealed import OFFER_PURPOSE, CannotOpen, Sealer, context
from lanchat.protocol.sealed_file import (
    PLAIN_PIECE,
    SEALED_PIECE,
    TAG,
    Offer,
    Opening,
    PieceCipher,
    sealed_size,
    unpack_offer,
)

ROOM = "0123456789abcdef0123456789abcdef"
ANN, BOB = (key_from_seed(bytes([number]) * SEED_SIZE) for number in (0x11, 0x22))
ANN_ID, BOB_ID = (member_id(key.public_key().public_bytes_raw()) for key in (ANN, BOB))
BOB_KEY = BOB.public_key().public_bytes_raw()
KEY = bytes(range(32))
VECTOR = json.loads((Path(sealed_file_module.__file__).parent / "sealed_vectors.json").read_text(encoding="utf-8"))
THREE = bytes(range(256)) * 600  # two whole pieces and a part


def offer_of(plain: bytes, name: str = "report.pdf") -> Offer:
    return Offer(KEY, hashlib.sha256(plain).hexdigest(), len(plain), name)


def sealed(plain: bytes, key: bytes = KEY) -> bytes:
    """The file as the host stores it."""
    cipher = PieceCipher(key, len(plain))
    starts = range(0, max(1, len(plain)), PLAIN_PIECE)
    return b"".join(cipher.seal(number, plain[at : at + PLAIN_PIECE]) for number, at in enumerate(starts))


def opened(stored: bytes, plain: bytes, have: int = 0, step: int = 10_000) -> bytes:
    opening = Opening(offer_of(plain), have)
    return b"".join(piece for at in range(0, len(stored), step) for piece in opening.feed(stored[at : at + step]))


@pytest.mark.parametrize(
    "size", [0, 1, PLAIN_PIECE - 1, PLAIN_PIECE, PLAIN_PIECE + 1, 2 * PLAIN_PIECE, 3 * PLAIN_PIECE + 5]
)
def test_a_file_is_what_it_was(size):
    plain = bytes(size)
    stored = sealed(plain)
    assert len(stored) == sealed_size(size)
    assert opened(stored, plain) == plain
    assert opened(stored, plain, step=SEALED_PIECE + 1) == plain


def test_it_goes_on_behind_whole_pieces():
    stored = sealed(THREE)
    assert opened(stored[SEALED_PIECE:], THREE, have=PLAIN_PIECE) == THREE[PLAIN_PIECE:]
    whole = bytes(2 * PLAIN_PIECE)
    assert opened(b"", whole, have=len(whole)) == b""


@given(st.integers(0, sealed_size(len(THREE)) - 1), st.integers(1, 255))
def test_no_byte_of_a_stored_file_may_be_another(at, change):
    stored = bytearray(sealed(THREE))
    stored[at] ^= change
    with pytest.raises(CannotOpen):
        opened(bytes(stored), THREE, step=len(stored))


def test_pieces_may_not_change_places_come_twice_be_left_out_or_be_of_another_file():
    stored = sealed(THREE)
    first, second, last = stored[:SEALED_PIECE], stored[SEALED_PIECE : 2 * SEALED_PIECE], stored[2 * SEALED_PIECE :]
    other = sealed(THREE, key=bytes(32))[:SEALED_PIECE]
    for tampered in (second + first + last, first + first + last, second + last, other + second + last):
        with pytest.raises(CannotOpen, match="piece [12] was changed on its way"):
            opened(tampered, THREE)


def test_a_file_that_was_cut_off_between_two_pieces_is_no_whole_file():
    """Whoever stores it cannot pass the beginning of a file off as a shorter file."""
    whole = bytes(2 * PLAIN_PIECE)
    beginning = sealed(whole)[:SEALED_PIECE]
    with pytest.raises(CannotOpen):
        opened(beginning, bytes(PLAIN_PIECE))


def test_the_same_file_is_sealed_in_the_same_way_again_so_that_it_can_be_resumed():
    assert sealed(THREE) == sealed(THREE)
    assert sealed(THREE)[:TAG] != sealed(THREE, key=bytes(32))[:TAG]


# ---- offers


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_an_offer_of_any_name_has_one_size(name):
    sealer = Sealer(ANN, ROOM)
    offer = offer_of(b"x", name)
    box, copy = sealer.seal_offer(BOB_KEY, "1", offer.pack())
    assert padded_size(box) == padded_size(copy) == OFFER_SIZE
    again = unpack_offer(Sealer(BOB, ROOM).open_offer(ANN_ID, BOB_ID, "1", box))
    assert (again.key, again.sha256, again.size) == (offer.key, offer.sha256, offer.size)
    assert 0 < len(again.name.encode()) <= MAX_FILENAME
    assert unpack_offer(sealer.open_offer(ANN_ID, BOB_ID, "1", copy)) == again


def test_an_offer_is_no_message_and_a_message_is_no_offer():
    ann, bob = Sealer(ANN, ROOM), Sealer(BOB, ROOM)
    box, _ = ann.seal(BOB_KEY, "1", "x" * 100)
    with pytest.raises(CannotOpen):
        bob.open_offer(ANN_ID, BOB_ID, "1", box)
    box, _ = ann.seal_offer(BOB_KEY, "1", offer_of(b"x").pack())
    with pytest.raises(CannotOpen):
        bob.open(ANN_ID, BOB_ID, "1", box)


@pytest.mark.parametrize("data", [b"", bytes(72), KEY + bytes(32) + b"\xff" * 8 + b"name"])
def test_what_no_sender_packs_is_no_offer(data):
    with pytest.raises(CannotOpen, match="against the rules for files"):
        unpack_offer(data)


def test_a_name_that_a_hostile_sender_has_packed_is_made_safe():
    assert unpack_offer(bytes(72) + b"../../etc/passwd").name == "passwd"
    assert unpack_offer(bytes(72) + b"\xff\x00\xfe").name


def test_an_offer_does_not_show_its_key():
    assert KEY.hex() not in repr(offer_of(b"x")) and repr(KEY) not in repr(offer_of(b"x"))


# ---- the page


def test_the_vector_of_the_page():
    """It is opened here piece by piece with ChaCha20-Poly1305 alone, as another program would."""
    vector = VECTOR["file"]
    key = bytes.fromhex(vector["key"])
    plain = bytes.fromhex(vector["plain"])
    offer = Offer(key, vector["sha256"], len(plain), vector["name"])
    assert offer.pack().hex() == vector["offer"]
    info = context(ROOM, ANN.public_key().public_bytes_raw(), BOB_KEY, vector["id"], OFFER_PURPOSE)
    assert info.hex() == vector["info"]
    for name, sealer in (("box", Sealer(BOB, ROOM)), ("copy", Sealer(ANN, ROOM))):
        box = bytes.fromhex(vector[name])
        assert unpack_offer(sealer.open_offer(ANN_ID, BOB_ID, vector["id"], box)) == offer
    assert sealed(plain, key).hex() == vector["sealed"]
    assert ChaCha20Poly1305(key).decrypt(bytes(11) + b"\x01", bytes.fromhex(vector["sealed"]), None) == plain
    long = bytes(PLAIN_PIECE + 1)
    assert hashlib.sha256(sealed(long, key)).hexdigest() == vector["zeros"]["sealed_sha256"]
    assert len(long) == vector["zeros"]["size"]
