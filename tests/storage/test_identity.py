"""The identity in a home: made once, protected, never replaced."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import lanchat
from lanchat.errors import LanchatError
from lanchat.protocol.ids import fingerprint, member_id
from lanchat.protocol.keys import certificate_key, verify
from lanchat.storage.identity import load_identity
from tests.support.keys import NO_KEYS
from tests.support.waiting import PATIENCE

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_an_identity_is_made_once_and_is_the_same_from_then_on(home):
    first, again = load_identity(home), load_identity(home)
    assert (first.public, first.id, first.certificate) == (again.public, again.id, again.certificate)
    assert sorted(os.listdir(home)) == ["identity.crt", "identity.key"]
    assert load_identity(home / "other").public != first.public


def test_the_member_id_is_the_beginning_of_the_fingerprint_of_the_key(home):
    ann = load_identity(home)
    spki = ann.private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert fingerprint(ann.public) == hashlib.sha256(spki).hexdigest()
    assert member_id(ann.public) == ann.id == fingerprint(ann.public)[:32]


def test_what_an_identity_signs_is_verified_by_its_public_key(home):
    ann = load_identity(home)
    assert verify(ann.public, ann.sign(b"text"), b"text")
    assert certificate_key(ann.certificate) == ann.public


# ---- the files


@posix
def test_the_files_are_protected_whatever_the_umask(home):
    before = os.umask(0)
    try:
        load_identity(home)
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "identity.key").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o700 | 0o001])
def test_a_key_that_others_can_read_is_refused(home, mode):
    load_identity(home)
    (home / "identity.key").chmod(mode)
    with pytest.raises(LanchatError, match="can be read by others") as caught:
        load_identity(home)
    assert "chmod 600" in caught.value.hint


@posix
def test_a_symlink_is_refused(home):
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
def test_a_key_of_another_user_is_refused(home):
    load_identity(home)
    os.chown(home / "identity.key", 65534, -1)
    with pytest.raises(LanchatError, match="belongs to another user"):
        load_identity(home)


@pytest.mark.parametrize("content", NO_KEYS.values(), ids=NO_KEYS)
def test_a_damaged_key_is_reported_and_never_replaced(home, content):
    home.mkdir()
    (home / "identity.key").write_bytes(content)
    (home / "identity.key").chmod(0o600)
    with pytest.raises(LanchatError, match="is damaged") as caught:
        load_identity(home)
    assert "mv " in caught.value.hint
    assert (home / "identity.key").read_bytes() == content


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "of another key"])
def test_a_missing_or_wrong_certificate_is_made_again(home, damage, identity):
    ann = load_identity(home)
    right = ann.certificate_path.read_bytes()
    match damage:
        case "missing":
            ann.certificate_path.unlink()
        case "empty":
            ann.certificate_path.write_bytes(b"")
        case "garbage":
            ann.certificate_path.write_bytes(b"garbage")
        case _:
            ann.certificate_path.write_bytes(identity("eve").certificate_path.read_bytes())
    assert load_identity(home).certificate == ann.certificate
    assert ann.certificate_path.read_bytes() == right


# ---- homes that cannot be used (root may write anywhere, so not by modes)


def refused(home: Path) -> LanchatError:
    with pytest.raises(LanchatError, match="Cannot use") as caught:
        load_identity(home)
    assert caught.value.hint == "Set LANCHAT_HOME to a folder you can write to."
    return caught.value


def test_a_home_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "not a directory" in str(refused(tmp_path / "file" / "home")).lower()


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no files")
def test_a_home_where_nothing_can_be_written_is_refused():
    refused(Path("/proc/self"))


def test_a_full_disk_leaves_no_half_written_key(home, monkeypatch):
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in str(refused(home))
    assert os.listdir(home) == []


# ---- several at once


def test_threads_that_start_at_once_get_one_key(home):
    """As in a script that hosts and joins in one process, on its first run."""
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


LOAD = """
import sys
from pathlib import Path
from lanchat.storage.identity import load_identity
sys.stdin.read()
print(load_identity(Path(sys.argv[1])).id)
"""


@pytest.mark.full
def test_processes_that_start_at_once_get_one_key(home):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(lanchat.__file__).parents[1])},
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()  # ready, go
        process.stdin = None
    ids = [process.communicate(timeout=PATIENCE)[0].decode().strip() for process in started]
    assert len(set(ids)) == 1 and ids[0] == load_identity(home).id


def test_the_draft_of_a_killed_process_does_no_harm(home):
    home.mkdir()
    (home / f"identity.key.{os.getpid()}").write_text("half")  # process ids come again, in a container at once
    assert load_identity(home).id == load_identity(home).id
