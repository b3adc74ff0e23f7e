"""Another user of this machine, and files that this program did not leave as they are."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lanchat.server.host import Host
from tests.support.commands import Commands

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes, owners and links are POSIX")


# ---- the folder


def within_reach(folder: Path) -> list[tuple[str, str]]:
    """What another user can read or change, with its mode; but for the certificate, which everybody is shown."""
    found = []
    for path in sorted(folder.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir() and mode & 0o005:
            found += within_reach(path)
        if mode & 0o022 or mode & 0o004 and path.is_file() and path.name != "identity.crt":
            found.append((path.name, oct(mode)))
    return found


@pytest.mark.parametrize("exists", [True, False], ids=["a home that everybody may look into", "no home yet"])
def test_no_umask_opens_a_home_to_others(started: Commands, exists):
    for who in ("hal", "ann"):
        if exists:
            started.home(who).mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        room = started.host("Room A", "--headless")
        assert started.run("join", room.address, "--nick", "ann", input="words\n").code == 0
        room.stop()
    finally:
        os.umask(before)
    for who in ("hal", "ann"):
        home = started.home(who)
        assert {path.name for path in home.iterdir()} >= {"identity.key", "rooms" if who == "hal" else "seen"}
        assert within_reach(home) == []


@pytest.mark.parametrize("owner", ["others may write to it", "somebody else owns it"])
def test_a_home_that_somebody_else_has_prepared(lanchat: Commands, host: Callable[..., Host], tmp_path, owner):
    """In /tmp, say, with links to files that the victim may write and they may not."""
    if owner == "somebody else owns it" and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    precious, home = tmp_path / "precious", lanchat.home("vera")
    precious.write_text("my own\n")
    home.mkdir(parents=True)
    for name in ("known_hosts", "recent_rooms", "nick"):
        (home / name).symlink_to(precious)
    if owner == "somebody else owns it":
        os.chown(home, 65534, 65534)
    else:
        home.chmod(0o777)
    address = f"127.0.0.1:{host().port}"
    for command in (
        ("join", address, "--nick", "vera"),
        ("host", "Room B", "--headless"),
        ("id",),
        ("trust",),
        ("rooms",),
    ):
        ended = lanchat.run(*command, who="vera")
        assert ended.code == 1 and str(home) in ended.err and "is not used" in ended.err, command
    assert precious.read_text() == "my own\n"
    assert sorted(path.name for path in home.iterdir()) == ["known_hosts", "nick", "recent_rooms"]


def test_links_that_were_put_into_a_home_before_it_was_closed(lanchat: Commands, host: Callable[..., Host], tmp_path):
    precious, home = tmp_path / "precious", lanchat.home("vera")
    precious.write_text("my own\n")
    home.mkdir(parents=True, mode=0o700)
    (home / "known_hosts").symlink_to(precious)
    ended = lanchat.run("join", f"127.0.0.1:{host().port}", "--nick", "vera", input="hello\n")
    assert ended.code == 1 and "known_hosts: it is a symbolic link" in ended.err
    (home / "known_hosts").unlink()
    (home / "nick").symlink_to(precious)
    (home / "recent_rooms").symlink_to(precious)
    assert lanchat.run("join", f"127.0.0.1:{host().port}", "--nick", "vera", input="hello\n").code == 0
    assert precious.read_text() == "my own\n"
