"""Keys, signatures and certificates, also those that a stranger shows."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lanchat.errors import ProtocolError
from lanchat.protocol.keys import (
    SEED_SIZE,
    certificate_key,
    key_from_pem,
    key_from_seed,
    key_to_pem,
    self_signed,
    verify,
)
from tests.support.keys import NO_KEYS

KEY = key_from_seed(b"ann".ljust(SEED_SIZE))
PUBLIC = KEY.public_key().public_bytes_raw()
CERTIFICATE, _ = self_signed(KEY)


def test_a_key_is_the_same_after_a_trip_through_a_file():
    assert key_from_pem(key_to_pem(KEY)).private_bytes_raw() == KEY.private_bytes_raw()


@pytest.mark.parametrize("content", NO_KEYS.values(), ids=NO_KEYS)
def test_a_file_without_an_ed25519_key_is_refused(content):
    with pytest.raises(ValueError):
        key_from_pem(content)


def test_a_signature_fits_one_key_and_one_text():
    signature = KEY.sign(b"text")
    other = key_from_seed(bytes(SEED_SIZE)).public_key().public_bytes_raw()
    assert verify(PUBLIC, signature, b"text")
    assert not verify(PUBLIC, signature, b"other")
    assert not verify(other, signature, b"text")


@pytest.mark.parametrize("bad", [b"", b"short", bytes(64), bytes(200)])
def test_bytes_that_are_no_signature_or_no_key_verify_nothing(bad):
    assert not verify(PUBLIC, bad, b"text")
    assert not verify(bad[:31], KEY.sign(b"text"), b"text")


def test_the_same_key_makes_the_same_certificate():
    assert self_signed(KEY) == self_signed(key_from_pem(key_to_pem(KEY)))


def test_a_certificate_carries_its_key_and_is_signed_by_it():
    assert certificate_key(CERTIFICATE) == PUBLIC
    certificate = x509.load_der_x509_certificate(CERTIFICATE)
    certificate.verify_directly_issued_by(certificate)


def test_a_certificate_is_what_any_maker_of_certificates_would_make_of_it():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lanchat")])
    made = (
        x509.CertificateBuilder(name, name, KEY.public_key(), 1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(9999, 12, 31))
        .sign(KEY, None)
    )
    kinds = serialization.Encoding.DER, serialization.Encoding.PEM
    assert self_signed(KEY) == tuple(made.public_bytes(kind) for kind in kinds)


def test_a_certificate_that_another_program_has_made_of_an_ed25519_key_is_read():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "some other client")])
    made = (
        x509.CertificateBuilder(name, name, KEY.public_key(), 77)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2030, 1, 1))
        .sign(KEY, None)
    )
    assert certificate_key(made.public_bytes(serialization.Encoding.DER)) == PUBLIC


def test_a_certificate_with_a_key_of_another_kind_is_refused():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    other = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2030, 1, 1))
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(ProtocolError, match="no Ed25519 key"):
        certificate_key(other.public_bytes(serialization.Encoding.DER))


@pytest.mark.parametrize("bad", [b"", b"\x00", CERTIFICATE[:-1], CERTIFICATE[:50], CERTIFICATE + b"\x00"])
def test_a_certificate_that_cannot_be_read_is_refused(bad):
    with pytest.raises(ProtocolError, match="cannot be read"):
        certificate_key(bad)


def refused_or_read(certificate: bytes) -> bool:
    """Whatever a host shows, there is an answer: a key, or a refusal."""
    try:
        return len(certificate_key(certificate)) == 32
    except ProtocolError:
        return True


@pytest.mark.parametrize("version", [1, 3, 4, 127])
def test_a_certificate_of_an_unknown_version_is_read_or_refused(version):
    at = CERTIFICATE.index(bytes.fromhex("a003020102"))
    assert refused_or_read(CERTIFICATE[: at + 4] + bytes([version]) + CERTIFICATE[at + 5 :])


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_any_damaged_certificate_is_read_or_refused():
    """OpenSSL does not check a host's certificate, since lanchat accepts any."""
    for position in range(len(CERTIFICATE)):
        for bit in (0x01, 0x20, 0x80):
            bad = bytearray(CERTIFICATE)
            bad[position] ^= bit
            assert refused_or_read(bytes(bad))
