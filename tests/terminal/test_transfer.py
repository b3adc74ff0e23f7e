"""The line that shows a transfer of `lanchat send --file`."""

import os
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.running import RunningTransfer, TransferState
from lanchat.errors import TimedOut
from lanchat.terminal.cells import cells
from lanchat.terminal.transfer import send_files

if os.name == "posix":
    import fcntl
    import termios

pytestmark = pytest.mark.skipif(os.name != "posix", reason="has a pseudo-terminal")


class SlowRoom:
    """Sends a file, and is never through."""

    def start_sending(self, path: Path, on_progress: Any, to: None) -> RunningTransfer:
        source = cast(Any, SimpleNamespace(file="", name=path.name, size=100))
        self.transfer = RunningTransfer(source, on_progress)
        self.transfer.say(TransferState.RUNNING, "It waits for the host.")
        return self.transfer


def test_the_line_fits_the_window_and_stays_erased(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    room = SlowRoom()
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal, os.fdopen(theirs, "w", encoding="utf-8") as talk:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        with pytest.raises(TimedOut):
            send_files(cast(JoinedRoom, room), ["a report.pdf"], deadline=0.0, as_json=False, out=talk, talk=talk)
        room.transfer.say(TransferState.RUNNING, "It waits for its turn.")  # its thread has not ended yet
        talk.write("$ ")
        talk.flush()
        shown = b""
        while not shown.endswith(b"$ "):
            shown += terminal.read(1000)
    drawn, rest = shown.decode().split("\x1b[K", 1)
    assert cells(drawn.removeprefix("\r")) == 39
    assert rest == "\r\x1b[K$ "
