"""The sealed channel of browsers, against the vector that both implementations are checked with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import ProtocolError
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.noise import MAX_CONTENT, MAX_FRAME, Page, Sealed, answer

HOST = key_from_seed(b"\x44" * 32)
HOST_KEY = HOST.public_key().public_bytes_raw()

# The fixed keys are 32 equal bytes: page e 11, host e 22, host s 33, the host's Ed25519 seed 44. Checked with noble
# (JavaScript), whose code reproduces cacophony's vector of this pattern.
FRAME_1 = bytes.fromhex("7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13")
FRAME_2 = bytes.fromhex(
    "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20d232742cd19e623e7099bfdc4ab3ac7a377f00f95f2ba323de"
    "04a9e3ca5a166d6959e0e644c54154e27b2c6bc47c04655423c2a0243244d5a0d0464baf023b68771dcd5cb8246497854d71d2ae1478bc5f3a"
    "c30e3847b032072594f12b4477a84c1736fbc1c9a15978ff03c6001ab40cf14eb8e838b5e1594aaf46663e2a2d0f86035eaee198ad4b4bb463"
    "1d7cd8078378d4838061d872d447b54b0dd69291e9"
)
BINDING = bytes.fromhex("7060aa1e5995aadb632da1b30cf30e5ef79fce91df0df0fd64ca57863d9c66cd")
SMALL_ORDER = (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f")


def handshake() -> tuple[Sealed, Sealed, bytes]:
    """Both ends' channels, and frame 2."""
    page = Page(b"\x11" * 32)
    frame, at_host = answer(page.frame, ephemeral=b"\x22" * 32, static=b"\x33" * 32, host_key=HOST_KEY, sign=HOST.sign)
    host_key, at_page = page.finish(frame)
    assert host_key == HOST_KEY
    return at_host, at_page, frame


def test_the_vector():
    page = Page(b"\x11" * 32)
    assert page.frame == FRAME_1
    at_host, at_page, frame = handshake()
    assert frame == FRAME_2
    assert at_host.binding == at_page.binding == BINDING
    ping = b'{"t":"ping"}\n'
    assert at_page.to_host.seal(ping).hex() == "22797fdd9fc1831f53d8383cba48a17ef0cc18c7890dabfc27f2cb1eec"
    assert at_page.to_host.seal(ping).hex() == "a5598f53de02399e79979f6100c9b64c25a5d301e470c8c1bb0a49185d"
    assert at_host.to_page.seal(b'{"t":"pong"}\n').hex() == "4c77270108223d8f1b32fb7da5edf818946575723b481f3fec14a63e0d"


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_what_one_end_seals_the_other_opens(pieces):
    at_host, at_page, _ = handshake()
    assert [at_host.to_host.open(at_page.to_host.seal(piece)) for piece in pieces] == pieces
    assert [at_page.to_page.open(at_host.to_page.seal(piece)) for piece in pieces] == pieces


def test_a_full_frame_is_as_long_as_noise_allows():
    _, at_page, _ = handshake()
    assert len(at_page.to_host.seal(bytes(MAX_CONTENT))) == MAX_FRAME


def test_every_changed_byte_of_the_hosts_frame_is_seen():
    for at in range(len(FRAME_2)):
        damaged = bytearray(FRAME_2)
        damaged[at] ^= 0x40
        with pytest.raises(ProtocolError):
            Page(b"\x11" * 32).finish(bytes(damaged))


def test_frames_of_another_length_are_refused():
    for frame in (b"", FRAME_2[:-1], FRAME_2 + b"\0"):
        with pytest.raises(ProtocolError, match="another length"):
            Page(b"\x11" * 32).finish(frame)
    for frame in (b"", FRAME_1[:-1], FRAME_1 + b"\0"):
        with pytest.raises(ProtocolError, match="another length"):
            answer(frame, ephemeral=b"\x22" * 32, static=b"\x33" * 32, host_key=HOST_KEY, sign=HOST.sign)


@pytest.mark.parametrize("key", SMALL_ORDER)
def test_keys_of_small_order_are_refused(key):
    with pytest.raises(ProtocolError, match="small order"):
        answer(key, ephemeral=b"\x22" * 32, static=b"\x33" * 32, host_key=HOST_KEY, sign=HOST.sign)
    with pytest.raises(ProtocolError, match="small order"):
        Page(b"\x11" * 32).finish(key + FRAME_2[32:])


def test_an_answer_to_another_page_is_refused():
    """A host's frame replayed to somebody else, by who heard it."""
    with pytest.raises(ProtocolError):
        Page(b"\x12" * 32).finish(FRAME_2)


def test_who_does_not_hold_the_identity_is_refused():
    """Somebody in between has keys of its own for the channel, and can name the host's key, but not sign with it."""
    page, mallory = Page(b"\x11" * 32), key_from_seed(b"\x55" * 32)
    frame, _ = answer(page.frame, ephemeral=b"\x22" * 32, static=b"\x33" * 32, host_key=HOST_KEY, sign=mallory.sign)
    with pytest.raises(ProtocolError, match="does not hold the key"):
        page.finish(frame)


def test_a_signature_of_another_handshake_is_refused():
    """Even with the host's static key stolen: the signature covers this very handshake."""
    said: list[bytes] = []

    def sign(text: bytes) -> bytes:
        said.append(HOST.sign(text))
        return said[0]

    answer(FRAME_1, ephemeral=b"\x22" * 32, static=b"\x33" * 32, host_key=HOST_KEY, sign=sign)
    page = Page(b"\x12" * 32)
    frame, _ = answer(page.frame, ephemeral=b"\x23" * 32, static=b"\x33" * 32, host_key=HOST_KEY, sign=sign)
    with pytest.raises(ProtocolError, match="does not hold the key"):
        page.finish(frame)


def test_frames_that_are_repeated_dropped_swapped_or_cut_are_refused():
    def frames() -> tuple[Sealed, bytes, bytes]:
        at_host, at_page, _ = handshake()
        return at_host, at_page.to_host.seal(b"one"), at_page.to_host.seal(b"two")

    at_host, one, _ = frames()
    assert at_host.to_host.open(one) == b"one"
    with pytest.raises(ProtocolError):
        at_host.to_host.open(one)
    at_host, _, two = frames()
    with pytest.raises(ProtocolError):
        at_host.to_host.open(two)
    at_host, one, _ = frames()
    for damaged in (one[:-1], one + b"\0", b"", bytes(15)):
        with pytest.raises(ProtocolError):
            handshake()[0].to_host.open(damaged)
    at_host, at_page, _ = handshake()
    with pytest.raises(ProtocolError):  # back to who sent it
        at_page.to_page.open(at_page.to_host.seal(b"one"))
