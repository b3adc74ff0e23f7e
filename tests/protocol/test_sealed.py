"""Sealed private messages: against the RFC's vectors, against libsodium's keys, and against whoever carries them."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from lanchat.protocol import sealed as sealed_module
from lanchat.protocol.binding import join_fields
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import SEED_SIZE, PrivateKey, key_from_seed
from lanchat.protocol.padding import OVERHEAD, SIZES, pad
from lanchat.protocol.sealed import (
    PURPOSE,
    CannotOpen,
    Sealer,
    can_seal_to,
    context,
    opening_key,
    sealing_key,
)
from tests.support import hpke

ROOM = "0123456789abcdef0123456789abcdef"
KEYS = {name: key_from_seed(bytes([number]) * SEED_SIZE) for name, number in (("ann", 0x11), ("bob", 0x22), ("eve", 7))}
PUBLIC = {name: key.public_key().public_bytes_raw() for name, key in KEYS.items()}
ID = {name: member_id(public) for name, public in PUBLIC.items()}
ANN, BOB, EVE = (Sealer(key, ROOM) for key in KEYS.values())
VECTORS = json.loads((Path(sealed_module.__file__).parent / "sealed_vectors.json").read_text(encoding="utf-8"))


def send(text: str = "psst", id: str = "1") -> tuple[bytes, bytes]:
    """What ann seals for bob."""
    return ANN.seal(PUBLIC["bob"], id, text)


def open_as_bob(box: bytes, id: str = "1") -> str:
    return BOB.open(ID["ann"], ID["bob"], id, box)


def why_not(open_box) -> str:
    with pytest.raises(CannotOpen) as error:
        open_box()
    return str(error.value)


# ---- honest people


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=1024).filter(str.strip))
def test_the_recipient_and_other_sessions_of_the_sender_read_it(text):
    box, copy = send(text)
    assert open_as_bob(box) == text
    assert ANN.open(ID["ann"], ID["bob"], "1", copy) == text


def test_both_boxes_have_one_of_four_sizes():
    assert {len(box) - OVERHEAD for text in ("ok", "yes", "x" * 64) for box in send(text)} == {64}
    assert [len(send("x" * length)[0]) - OVERHEAD for length in (65, 257, 1025)] == list(SIZES[1:])
    assert max(len(base64.b64encode(box)) for box in send("x" * 4096)) <= 6 * 1024


def test_the_same_text_is_sealed_differently_each_time():
    assert len({box for _ in range(4) for box in send("psst")}) == 8


def test_nothing_of_the_text_is_to_be_seen():
    assert b"SECRET" not in b"".join(send("SECRET" * 10))


# ---- whoever carries it


def test_a_box_fits_its_recipient_alone():
    box, copy = send()
    assert why_not(lambda: EVE.open(ID["ann"], ID["bob"], "1", box)) == "sealed for another key of yours"
    assert why_not(lambda: EVE.open(ID["ann"], ID["eve"], "1", box)) == "sealed by or for somebody else"
    redirected = box[:32] + PUBLIC["eve"] + box[64:]
    assert why_not(lambda: EVE.open(ID["ann"], ID["eve"], "1", redirected)) == "damaged or forged"
    assert why_not(lambda: open_as_bob(copy)) == "damaged or forged"
    assert why_not(lambda: ANN.open(ID["ann"], ID["bob"], "1", box)) == "damaged or forged"


def test_a_box_fits_its_sender_alone():
    box, _ = send()
    assert why_not(lambda: BOB.open(ID["eve"], ID["bob"], "1", box)) == "sealed by or for somebody else"
    passed_off = PUBLIC["eve"] + box[32:]
    assert why_not(lambda: BOB.open(ID["eve"], ID["bob"], "1", passed_off)) == "damaged or forged"


def test_a_box_fits_one_id_and_one_room():
    box, _ = send(id="1")
    assert why_not(lambda: open_as_bob(box, "2")) == "damaged or forged"
    elsewhere = Sealer(KEYS["bob"], "f" * 32)
    assert why_not(lambda: elsewhere.open(ID["ann"], ID["bob"], "1", box)) == "damaged or forged"


@given(st.integers(0, OVERHEAD + 63), st.integers(1, 255))
def test_no_byte_of_a_box_may_be_another(at, change):
    box = bytearray(send()[0])
    box[at] ^= change
    assert why_not(lambda: open_as_bob(bytes(box)))


@given(st.binary(max_size=300) | st.sampled_from(SIZES).map(lambda size: bytes(size + OVERHEAD)))
def test_noise_is_no_box(noise):
    why_not(lambda: open_as_bob(noise))
    keys = PUBLIC["ann"] + PUBLIC["bob"]
    why_not(lambda: open_as_bob(keys + noise))
    why_not(lambda: open_as_bob((keys + noise).ljust(OVERHEAD + 64, b"\x00")[: OVERHEAD + 64]))


# ---- senders and recipients who cheat


def forge(signer: PrivateKey, text: bytes, *, id: str = "1", padded: bytes | None = None) -> bytes:
    """A box for bob in ann's name, by somebody who may hold another key and break the rules."""
    info = context(ROOM, PUBLIC["ann"], PUBLIC["bob"], id)
    plain = signer.sign(info + join_fields(text)) + (pad(text) if padded is None else padded)
    return PUBLIC["ann"] + PUBLIC["bob"] + hpke.seal(bytes(range(32)), sealing_key(PUBLIC["bob"]), info, plain)


def test_who_knows_both_public_keys_cannot_write_in_anothers_name():
    """Sealing needs no secret, so the signature is what tells who wrote it."""
    assert open_as_bob(forge(KEYS["ann"], b"honest")) == "honest"
    assert why_not(lambda: open_as_bob(forge(KEYS["eve"], b"forged"))) == "not signed by its sender"
    assert why_not(lambda: open_as_bob(forge(KEYS["bob"], b"forged"))) == "not signed by its sender"


def test_a_recipient_cannot_hand_on_what_was_signed_for_them():
    """Bob opens what ann wrote, and seals it to eve: ann's signature names bob."""
    signed = hpke.unseal(opening_key(KEYS["bob"]), send()[0][64:], context(ROOM, PUBLIC["ann"], PUBLIC["bob"], "1"))
    info = context(ROOM, PUBLIC["ann"], PUBLIC["eve"], "1")
    box = PUBLIC["ann"] + PUBLIC["eve"] + hpke.seal(bytes(range(32)), sealing_key(PUBLIC["eve"]), info, signed)
    assert why_not(lambda: EVE.open(ID["ann"], ID["eve"], "1", box)) == "not signed by its sender"


@pytest.mark.parametrize(
    "text",
    [b"", b"  \n", b"\xff\xfe", b"\n" * 200, b"x\n" * 101, b"\x01" * 4000],
    ids=["empty", "blank", "no text", "no visible line", "too many lines", "too long as JSON"],
)
def test_what_no_room_would_have_taken_is_not_shown_either(text):
    """The room cannot look into a box, so the rules for a text are the recipient's to hold."""
    assert why_not(lambda: open_as_bob(forge(KEYS["ann"], text))) == "against the rules for messages"


def test_padding_hides_nothing():
    hidden = pad(b"hi")[:-1] + b"!"
    assert why_not(lambda: open_as_bob(forge(KEYS["ann"], b"hi", padded=hidden))) == "damaged or forged"


def test_a_text_that_is_too_long_is_not_sealed():
    with pytest.raises(ValueError, match="4096"):
        send("x" * 4097)


# ---- keys, against libsodium


@given(st.binary(min_size=SEED_SIZE, max_size=SEED_SIZE))
def test_keys_are_those_that_libsodium_derives(seed):
    key = key_from_seed(seed)
    public, secret = sodium.crypto_sign_seed_keypair(seed)
    assert opening_key(key) == sodium.crypto_sign_ed25519_sk_to_curve25519(secret)
    assert sealing_key(public) == sodium.crypto_sign_ed25519_pk_to_curve25519(public)
    assert can_seal_to(public, member_id(public))


@given(st.binary(min_size=32, max_size=32))
def test_no_32_bytes_are_a_key_here_and_none_for_libsodium(noise):
    """But for points of mixed order, which libsodium refuses: nobody has such a key by chance, or gains by one."""
    try:
        ours = sealing_key(noise)
    except ValueError:
        with pytest.raises(CryptoError):
            sodium.crypto_sign_ed25519_pk_to_curve25519(noise)
    else:
        if sodium.crypto_core_ed25519_is_valid_point(noise):
            assert ours == sodium.crypto_sign_ed25519_pk_to_curve25519(noise)


PRIME = 2**255 - 19
ORDER_EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", [0, 1, PRIME - 1, ORDER_EIGHT, PRIME - ORDER_EIGHT])
def test_keys_of_small_order_are_refused(y, sign):
    key = (y | sign).to_bytes(32, "little")
    assert not can_seal_to(key, member_id(key))
    with pytest.raises(CryptoError):
        sodium.crypto_sign_ed25519_pk_to_curve25519(key)


@pytest.mark.parametrize("y", [2, 7, PRIME, PRIME + 1, PRIME + 3, 2**255 - 1])
def test_what_is_no_point_or_in_no_proper_form_is_refused(y):
    key = y.to_bytes(32, "little")
    with pytest.raises(ValueError):
        sealing_key(key)
    with pytest.raises(CryptoError):
        sodium.crypto_sign_ed25519_pk_to_curve25519(key)


@pytest.mark.parametrize("key", [b"", b"short", PUBLIC["bob"] + b"\x00", PUBLIC["bob"][:-1]])
def test_a_key_has_32_bytes(key):
    assert not can_seal_to(key, member_id(key))
    with pytest.raises(ValueError):
        ANN.seal(key, "1", "psst")


def test_a_key_fits_one_member():
    assert can_seal_to(PUBLIC["bob"], ID["bob"])
    assert not can_seal_to(PUBLIC["eve"], ID["bob"])
    assert not can_seal_to(b"", "~1f")


# ---- the RFC's vectors


@dataclass(frozen=True)
class Vector:
    """RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode."""

    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    ephemeral = bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
    share = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    private = bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
    public = bytes.fromhex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
    secret = bytes.fromhex("0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7")
    key = bytes.fromhex("ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91")
    nonce = bytes.fromhex("5c4d98150661b848853b547f")
    plain = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
    aad = bytes.fromhex("436f756e742d30")
    sealed = bytes.fromhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28")


def test_our_own_hpke_gives_the_rfcs_values():
    v = Vector()
    assert hpke.schedule(v.ephemeral, v.public, v.share + v.public, v.info) == (v.secret, v.key, v.nonce)
    assert hpke.seal(v.ephemeral, v.public, v.info, v.plain, v.aad) == v.share + v.sealed
    assert hpke.unseal(v.private, v.share + v.sealed, v.info, v.aad) == v.plain


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.binary(max_size=64))
def test_the_library_and_our_own_hpke_open_each_others_boxes(ephemeral, plain, info):
    """The library takes no additional data, so it cannot be held against the RFC's ciphertexts itself."""
    v, suite = Vector(), sealed_module._SUITE
    private = X25519PrivateKey.from_private_bytes(v.private)
    assert suite.decrypt(hpke.seal(ephemeral, v.public, info, plain), private, info) == plain
    assert hpke.unseal(v.private, suite.encrypt(plain, private.public_key(), info), info) == plain


LOW_ORDER = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    2**255 - 20,
)  # all X25519 keys below the prime that lead to zero


def test_no_share_of_small_order_is_taken():
    info = context(ROOM, PUBLIC["ann"], PUBLIC["bob"], "1")
    for share in LOW_ORDER:
        with pytest.raises(ValueError):  # both sides would come to zero, whatever their keys
            hpke.seal(bytes(range(32)), share.to_bytes(32, "little"), info, b"")
        box = PUBLIC["ann"] + PUBLIC["bob"] + share.to_bytes(32, "little") + bytes(OVERHEAD + 64 - 96)
        assert why_not(lambda box=box: open_as_bob(box)) == "damaged or forged"


# ---- vectors for another implementation; the same are in sealed_vectors.json


def test_a_message_byte_by_byte():
    """Seeds are 32 equal bytes: ann 11, bob 22, ephemeral key of the box 33, of the copy 34."""
    ann, bob, id, text = PUBLIC["ann"], PUBLIC["bob"], "5eed-1", b"ok"
    assert ann.hex() == "d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737"
    assert bob.hex() == "a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0"
    assert ID["ann"] == "503d8ee46d581c649966569ae095e270" and ID["bob"] == "744f36cca67eb1912cb282e08e86bd2f"
    assert opening_key(KEYS["bob"]).hex() == "68c3eb1cd6dbdd0037d503e6655229500a83f464be62ca753bff884c43788778"
    assert sealing_key(bob).hex() == "9d8d78b9c9e6661e552f2f1af02095ee2f8743fa2e6183f41bb7077ef51b5379"
    info = join_fields(PURPOSE, ROOM.encode(), ann, bob, id.encode())
    assert info.hex() == (
        "000000196c616e636861742070726976617465206d657373616765203100000020"
        "3031323334353637383961626364656630313233343536373839616263646566"
        "00000020d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737"
        "00000020a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0"
        "00000006356565642d31"
    )
    signature = KEYS["ann"].sign(info + b"\x00\x00\x00\x02" + text)
    assert signature.hex() == (
        "62efeab04a81fc20e4db2bb9a5f755c3e866948b664b7c1429e895b6faca0504"
        "5d095915304829a2a19d8c1363ff07c3a9fcac390bd83fef69c8ad5938ad4b0b"
    )
    plain = signature + b"\x00\x02ok" + bytes(62)
    sealed = hpke.seal(b"\x33" * 32, sealing_key(bob), info, plain)
    assert sealed.hex() == (
        "7b0d47d93427f8311160781c7c733fd89f88970aef490d8aa0ee19a4cb8a1b14"
        "c75f8cea2ac417f7f650d5acddf0fbb28b85c13dab4c1b608f2ea9425c1188bd"
        "cbd67f8d659b012068b4a159a238a97fe4fff84580859a3e97ff15e1ad461e5a"
        "de98a03b0d4681eb9c67275bbea6a9a99b2f8493faa2197391b96f8c314cfba3"
        "05f17d3e35e1fb550df6921b678fd3bee71e4c9db1b297f27d560ca6c5a8dec6"
        "86668ae787005ad14cf4ee9dbd62f08d90bd"
    )
    assert BOB.open(ID["ann"], ID["bob"], id, ann + bob + sealed) == "ok"
    assert VECTORS["messages"][0]["box"] == (ann + bob + sealed).hex()


@pytest.mark.parametrize("who", ["sender", "recipient"])
def test_the_keys_in_the_file(who):
    given = VECTORS[who]
    key = key_from_seed(bytes.fromhex(given["seed"]))
    public = key.public_key().public_bytes_raw()
    assert given == {
        "seed": given["seed"],
        "key": public.hex(),
        "member_id": member_id(public),
        "x25519_private": opening_key(key).hex(),
        "x25519_public": sealing_key(public).hex(),
    }


@pytest.mark.parametrize("given", VECTORS["messages"], ids=lambda given: str(given["id"]))
def test_the_messages_in_the_file(given):
    data = given["text"].encode()
    info = context(VECTORS["room"], PUBLIC["ann"], PUBLIC["bob"], given["id"])
    signature = KEYS["ann"].sign(info + join_fields(data))
    assert (given["info"], given["signature"]) == (info.hex(), signature.hex())
    for name, owner, reader in (("box", "bob", BOB), ("copy", "ann", ANN)):
        box = bytes.fromhex(given[name])
        sealed = hpke.seal(
            bytes.fromhex(given[f"{name}_ephemeral"]), sealing_key(PUBLIC[owner]), info, signature + pad(data)
        )
        assert box == PUBLIC["ann"] + PUBLIC["bob"] + sealed
        assert reader.open(ID["ann"], ID["bob"], given["id"], box) == given["text"]


def test_the_page_about_the_wire_has_the_first_of_them():
    page = (Path(sealed_module.__file__).parent / "README.md").read_text(encoding="utf-8")
    digits = "".join(page.split())
    first, box = VECTORS["messages"][0], VECTORS["messages"][0]["box"]
    for value in (VECTORS["sender"]["key"], VECTORS["recipient"]["key"], VECTORS["recipient"]["x25519_public"]):
        assert value in digits
    assert first["signature"] in digits and f"enc{box[128:192]}sealed{box[192:]}" in digits
