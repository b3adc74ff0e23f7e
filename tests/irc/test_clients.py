"""Two real IRC clients in a room, where they are installed (apt-get install weechat-headless irssi)."""

import os
import pty
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lanchat.server.host import Host
from tests.support.people import Listener
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.full, pytest.mark.timeout(120)]
PATIENCE = 60.0  # s; irssi sends five lines, and then one every 2.2 s


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._shown = b""
        self._thread = threading.Thread(target=self._read, name="client-screen")
        self._thread.start()

    def type(self, text: str) -> None:
        os.write(self._master, f"{text}\r".encode())

    def shows(self, text: str) -> None:
        wait_until(lambda: text.encode() in self._shown, PATIENCE, what=text)

    def join(self) -> None:
        self._thread.join()

    def _read(self) -> None:
        with suppress(OSError):  # Linux ends the reading so once the program has gone
            while data := os.read(self._master, 4096):
                self._shown += data


@contextmanager
def in_terminal(command: Sequence[str], home: Path) -> Iterator[Screen]:
    master, slave = pty.openpty()
    environment = {**os.environ, "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    program = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    screen = Screen(master)
    try:
        yield screen
    finally:
        program.send_signal(signal.SIGKILL)
        program.wait()
        screen.join()
        os.close(master)


@pytest.fixture
def room(host) -> Host:
    opened: Host = host("Room A", irc_port=0)
    return opened


@pytest.mark.skipif(not shutil.which("irssi"), reason="irssi is not installed")
def test_irssi_talks_in_the_room(room, join, tmp_path):
    ann = Listener(join(room, "ann"))
    command = ["irssi", "--home", str(tmp_path), "-c", "127.0.0.1", "-p", str(room.ports["irc"]), "-n", "iris"]
    with in_terminal(command, tmp_path) as irssi:
        ann.hear(lambda: "iris" in {member.nick for member in room._hub._room.members})
        irssi.type("/msg #room-a hello from irssi")
        assert ann.hear_text("hello from irssi").nick == "iris"
        irssi.type("/window 2")
        ann.member.outgoing.say("welcome, irssi")
        irssi.shows("welcome, irssi")
        irssi.type("/quit so long")
        ann.hear(lambda: room.people == 1)


@pytest.mark.skipif(not shutil.which("weechat-headless"), reason="weechat-headless is not installed")
def test_weechat_talks_in_the_room(room, join, tmp_path):
    ann = Listener(join(room, "ann"))
    ann.round_trip("said before")
    commands = [
        f"/server add lan 127.0.0.1/{room.ports['irc']}",
        "/set irc.server.lan.ssl off",  # until WeeChat 3
        "/set irc.server.lan.tls off",
        "/set irc.server.lan.nicks wee",
        '/set irc.server.lan.command "/msg #room-a hello from weechat"',
        "/set logger.file.flush_delay 0",
        "/set irc.server.lan.capabilities *",
        "/connect lan",
    ]
    words = [word for command in commands for word in ("-r", command)]
    with in_terminal(["weechat-headless", "--dir", str(tmp_path), *words], tmp_path):
        assert ann.hear_text("hello from weechat").nick == "wee"
        ann.member.outgoing.say("welcome, weechat")

        def logged() -> str:
            return "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*#room-a*.weechatlog"))

        wait_until(lambda: "welcome, weechat" in logged(), PATIENCE)
        assert "said before" in logged()
    ann.hear(lambda: room.people == 1)
