"""Ed25519 public keys that prove nothing: of small order, or in another encoding than RFC 8032 asks for. Pure.

For a key of small order one signature fits every text, so anybody can use it, and its member id is everybody's. A key
in another encoding has another fingerprint than the same key has otherwise, and libraries disagree about it. Neither is
ever made by chance. Both are refused wherever a key comes in.
"""

from lanchat.protocol.ids import SHORTEST_FINGERPRINT, fingerprint

PRIME = 2**255 - 19  # of the field; a key is a point's y below it, and the sign of its x (RFC 8032, section 5.1.2)
SIGN = 1 << 255  # the bit of a key that tells x from -x; the rest is y
_ORDER_EIGHT = (
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7  # y of four points, its negative of four
)
_SMALL_ORDER = frozenset({0, 1, PRIME - 1, _ORDER_EIGHT, PRIME - _ORDER_EIGHT})  # the y of all points of order 1 to 8


def is_weak(public: bytes) -> bool:
    """Whether this raw public key, 32 bytes, proves nothing."""
    y = int.from_bytes(public, "little") & (SIGN - 1)
    return y >= PRIME or y in _SMALL_ORDER


def is_weak_fingerprint(text: str) -> bool:
    """Whether this is the fingerprint of such a key, whole or cut to at least SHORTEST_FINGERPRINT digits."""
    return text[:SHORTEST_FINGERPRINT] in _FINGERPRINTS


_FINGERPRINTS = frozenset(
    fingerprint((y | sign).to_bytes(32, "little"))[:SHORTEST_FINGERPRINT]
    for y in (*_SMALL_ORDER, *range(PRIME, SIGN))
    for sign in (0, SIGN)
)
