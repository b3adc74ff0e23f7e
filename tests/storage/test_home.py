"""The folder of everything that lanchat writes, also for users who have none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.storage.home import home_folder
from tests.support.commands import Commands

# Runs lanchat as a user id without a name, as in containers: only HOME could say where the home is.
NAMELESS = """
import pwd, sys
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
from lanchat.cli.main import main
main()
"""


class NamelessCommands(Commands):
    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", NAMELESS, *arguments]


@pytest.fixture
def nameless(own_world: Path, tmp_path: Path) -> Iterator[Commands]:
    """`nameless.run("rooms")`: as somebody without a name and a home, whose temporary files are in `tmp_path`."""
    gone = dict.fromkeys(("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_DATA_HOME"))
    with NamelessCommands(own_world, env={**gone, "TMPDIR": str(tmp_path)}) as commands:
        yield commands


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("LANCHAT_HOME")
    monkeypatch.setattr("platformdirs.user_data_path", fail)


def test_a_user_without_a_home_is_told_what_to_set(no_home):
    with pytest.raises(LanchatError, match=r"^This user has no home folder\.$") as caught:
        home_folder()
    assert "LANCHAT_HOME" in caught.value.hint


def test_what_stores_nothing_gets_an_empty_folder_instead(no_home):
    home = home_folder(needed=False)
    assert home.is_dir() and home == home_folder(needed=False)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_made_counts_as_none_for_what_stores_nothing(monkeypatch, tmp_path):
    tmp_path.chmod(0o500)
    monkeypatch.delenv("LANCHAT_HOME")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "share" / "lanchat")
    assert home_folder(needed=False) != home_folder() == tmp_path / "share" / "lanchat"


def test_a_home_that_can_be_made_is_used(monkeypatch, tmp_path):
    monkeypatch.delenv("LANCHAT_HOME")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "share" / "lanchat")
    assert home_folder(needed=False) == home_folder() == tmp_path / "share" / "lanchat"


@pytest.mark.skipif(os.name != "posix", reason="users without a name are POSIX")
def test_without_a_name_and_a_home_whatever_stores_nothing_works(nameless, tmp_path):
    assert nameless.run("rooms", "--wait", "0", LANCHAT_HOME=None).code == 3
    room = nameless.start("host", "Room A", "--ephemeral", "--port", "0", "--no-announce", LANCHAT_HOME=None)
    with Commands(tmp_path / "ann") as others:
        assert others.run("join", room.address, "--nick", "ann", input="hello\n").code == 0
    room.stop()
    assert not list(tmp_path.glob("lanchat-*")), "the folder ends with the program"


@pytest.mark.skipif(os.name != "posix", reason="users without a name are POSIX")
@pytest.mark.parametrize("command", [("id",), ("trust",), ("history", "Room A"), ("host", "Room A"), ("doctor",)])
def test_without_a_name_and_a_home_whatever_stores_says_what_to_set(nameless, command):
    ended = nameless.run(*command, LANCHAT_HOME=None)
    assert ended.code == 1 and "Traceback" not in ended.err
    assert "lanchat: This user has no home folder.\n" in ended.err and "LANCHAT_HOME" in ended.err
