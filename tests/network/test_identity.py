import datetime
import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from lanchat.errors import LanchatError, ProtocolError
from lanchat.network import identity as identity_module
from lanchat.network.identity import certificate_key, load_identity, verify
from lanchat.protocol.ids import fingerprint, member_id

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are of POSIX")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def pem(key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    content: bytes = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return content


def test_made_once_and_kept(home):
    first, again = load_identity(home), load_identity(home)
    assert (first.public, first.id, first.certificate) == (again.public, again.id, again.certificate)
    assert sorted(os.listdir(home)) == ["identity.crt", "identity.key"]
    assert load_identity(home / "other").public != first.public


def test_two_programs_that_begin_at_once_make_the_same_certificate(home):
    first = load_identity(home)
    (home / "identity.crt").unlink()
    assert load_identity(home).certificate == first.certificate


def test_what_it_is(home):
    ann = load_identity(home)
    spki = ann.private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert fingerprint(ann.public) == hashlib.sha256(spki).hexdigest()
    assert member_id(ann.public) == ann.id == fingerprint(ann.public)[:32]
    assert certificate_key(ann.certificate) == ann.public
    x509.load_der_x509_certificate(ann.certificate).verify_directly_issued_by(
        x509.load_der_x509_certificate(ann.certificate)
    )


def test_signatures(home):
    ann = load_identity(home)
    assert verify(ann.public, ann.sign(b"text"), b"text")
    assert not verify(ann.public, ann.sign(b"text"), b"other")
    assert not verify(bytes(32), ann.sign(b"text"), b"text")
    for bad in (b"", b"short", bytes(64), bytes(200)):
        assert not verify(ann.public, bad, b"text")
        assert not verify(bad[:31], ann.sign(b"text"), b"text")


# ---- the files


@posix
def test_modes_whatever_the_umask(home):
    before = os.umask(0)
    try:
        load_identity(home)
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "identity.key").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o700 | 0o001])
def test_a_key_that_others_can_read_is_no_key(home, mode):
    load_identity(home)
    (home / "identity.key").chmod(mode)
    with pytest.raises(LanchatError, match="can be read by others") as caught:
        load_identity(home)
    assert "chmod 600" in caught.value.hint


@posix
def test_a_symlink_is_no_key(home):
    load_identity(home)
    (home / "identity.key").rename(home / "elsewhere")
    (home / "identity.key").symlink_to(home / "elsewhere")
    with pytest.raises(LanchatError, match="not a plain file"):
        load_identity(home)


@posix
def test_a_symlink_to_nowhere_is_not_followed(home, tmp_path):
    home.mkdir()
    (home / "identity.key").symlink_to(tmp_path / "planted")
    with pytest.raises(LanchatError, match="not a plain file"):
        load_identity(home)
    assert not (tmp_path / "planted").exists()


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give files away")
def test_a_key_of_another_user_is_no_key(home):
    load_identity(home)
    os.chown(home / "identity.key", 65534, -1)
    with pytest.raises(LanchatError, match="belongs to another user"):
        load_identity(home)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"not a key",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP256R1())),
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        ),
    ],
    ids=["empty", "zeros", "text", "cut", "another kind", "encrypted"],
)
def test_a_damaged_key_is_said_and_never_replaced(home, content):
    home.mkdir()
    (home / "identity.key").write_bytes(content)
    (home / "identity.key").chmod(0o600)
    with pytest.raises(LanchatError, match="is damaged") as caught:
        load_identity(home)
    assert "mv " in caught.value.hint
    assert (home / "identity.key").read_bytes() == content


@pytest.mark.parametrize("content", [None, b"", b"rubbish", "of another key"])
def test_a_certificate_is_made_again(home, content, identity):
    ann = load_identity(home)
    match content:
        case None:
            (home / "identity.crt").unlink()
        case bytes():
            (home / "identity.crt").write_bytes(content)
        case _:
            (home / "identity.crt").write_bytes(identity("eve").certificate_path.read_bytes())
    again = load_identity(home)
    assert again.public == ann.public == certificate_key(again.certificate)
    assert load_identity(home).certificate == again.certificate


# ---- homes that cannot be used (root may write anywhere, so not by modes)


def refused(home: Path) -> LanchatError:
    with pytest.raises(LanchatError, match="cannot use") as caught:
        load_identity(home)
    assert caught.value.hint == "set LANCHAT_HOME to a folder you can write to"
    return caught.value


def test_a_home_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    assert "not a directory" in str(refused(tmp_path / "file" / "home")).lower()


def test_a_home_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no files")
def test_a_home_where_nothing_can_be_written():
    refused(Path("/proc/self"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_nothing_half_written(home, monkeypatch):
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in str(refused(home))
    assert os.listdir(home) == []


# ---- several at once


def test_two_threads_at_once_have_one_key(home):
    """A script that hosts and joins in one process, on its first run."""
    start = threading.Barrier(8)
    keys, errors = [], []

    def load() -> None:
        start.wait()
        try:
            keys.append(load_identity(home).public)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(keys) == 8 and len(set(keys)) == 1
    assert sorted(os.listdir(home)) == ["identity.crt", "identity.key"]


def test_two_processes_at_once_have_one_key(home):
    program = (
        "import sys; from pathlib import Path; from lanchat.network.identity import load_identity; sys.stdin.read(); "
    )
    program += "print(load_identity(Path(sys.argv[1])).id)"
    root = Path(identity_module.__file__).parents[2]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()  # ready, go
        process.stdin = None
    ids = [process.communicate(timeout=20)[0].decode().strip() for process in started]
    assert len(set(ids)) == 1 and ids[0] == load_identity(home).id


def test_what_a_killed_process_left_behind_is_in_nobodys_way(home):
    home.mkdir()
    (home / f"identity.key.{os.getpid()}").write_text("half")  # process ids come again, in a container at once
    load_identity(home)
    load_identity(home)


# ---- certificates of strangers


def test_certificates_that_hold_no_key_of_ours():
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


def test_certificates_that_cannot_be_read(identity):
    good = identity("ann").certificate
    for bad in (b"", b"\x00", good[:-1], good[:50], good + b"\x00"):
        with pytest.raises(ProtocolError, match="cannot be read"):
            certificate_key(bad)


@pytest.mark.parametrize("version", [1, 3, 4, 127])
def test_certificates_of_an_unknown_version(identity, version):
    good = identity("ann").certificate
    at = good.index(bytes.fromhex("a003020102"))
    bad = good[: at + 4] + bytes([version]) + good[at + 5 :]
    try:
        certificate_key(bad)
    except ProtocolError:
        pass


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_any_changed_certificate_is_read_or_refused(identity):
    """A host shows what it likes; OpenSSL hands it on unchecked, since we accept any."""
    good = identity("ann").certificate
    for position in range(len(good)):
        for bit in (0x01, 0x20, 0x80):
            bad = bytearray(good)
            bad[position] ^= bit
            try:
                assert len(certificate_key(bytes(bad))) == 32
            except ProtocolError:
                pass
