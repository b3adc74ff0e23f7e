"""Keys that prove nothing, found by the arithmetic of the curve itself (RFC 8032, section 5.1)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lanchat.errors import ProtocolError
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import parse_invite
from lanchat.protocol.keys import certificate_key, key_from_seed, verify
from lanchat.protocol.weak_keys import is_weak, is_weak_fingerprint
from tests.support.cases import cases
from tests.support.keys import certificate_of

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1
ORDER = 2**252 + 27742317777372353535851937790883648493
NEUTRAL = (0, 1)
SIGNS_ANYTHING = (1).to_bytes(32, "little") + bytes(32)  # for a key that is the neutral point: R is it as well, S is 0


def x_of(y: int) -> int | None:
    """An x with which y is a point; None: there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    return next((x for x in (root, root * ROOT % P) if x * x % P == square), None)


def added(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = a, b
    both = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P


def times(point: tuple[int, int], factor: int) -> tuple[int, int]:
    result = NEUTRAL
    for bit in f"{factor:b}":
        result = added(result, result)
        if bit == "1":
            result = added(result, point)
    return result


def small_order() -> set[tuple[int, int]]:
    """The eight points: what is left of any point that is multiplied by the order of the base."""
    found = {NEUTRAL}
    y = 2
    while len(found) < 8:
        if (x := x_of(y)) is not None:
            point = times((x, y), ORDER)
            found |= {times(point, factor) for factor in range(8)}
        y += 1
    return found


def encodings(y: int) -> list[bytes]:
    """All ways to write this y, with either sign."""
    return [(value | sign).to_bytes(32, "little") for value in (y, y + P) if value < 2**255 for sign in (0, 2**255)]


SMALL = sorted({encoded for _, y in small_order() for encoded in encodings(y)})
OTHERWISE = [
    encoded for y in range(2**255 - P) for encoded in encodings(y) if int.from_bytes(encoded, "little") % 2**255 >= P
]


def test_each_key_of_small_order_is_weak_however_it_is_written():
    assert len(small_order()) == 8 and len(SMALL) == 14
    assert all(map(is_weak, SMALL))


def test_a_key_that_is_not_written_as_the_rfc_asks_is_weak():
    assert len(OTHERWISE) == 38 and all(map(is_weak, OTHERWISE))


def test_keys_that_people_make_are_not_weak():
    for number in range(200):
        public = key_from_seed(number.to_bytes(32, "little")).public_key().public_bytes_raw()
        assert not is_weak(public) and not is_weak_fingerprint(fingerprint(public))


def test_a_signature_that_fits_any_text_is_none():
    neutral = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(SIGNS_ANYTHING, b"any text")  # so say others
    assert not verify(neutral, SIGNS_ANYTHING, b"any text")


@cases("public", [*SMALL, *OTHERWISE[:4]])
def test_a_weak_key_is_refused_wherever_it_comes_in(public):
    assert not verify(public, SIGNS_ANYTHING, b"text")
    with pytest.raises(ProtocolError, match="anybody can sign"):
        certificate_key(certificate_of(public))
    for shown in (fingerprint(public), fingerprint(public)[:32]):
        with pytest.raises(ValueError, match="anybody can sign"):
            parse_invite(f"lanchat://10.0.0.2:47474/{'5' * 32}#{shown}")
