"""Ann's chat in a pseudo-terminal, in a room with bob."""

import os
import sys
from collections.abc import Iterator

import pytest

if os.name == "posix":
    from tests.support.ptyscreen import PtyScreen


@pytest.fixture
def room(host):
    return host(title="Room A", nick="hal")


@pytest.fixture
def bob(room, join):
    return join(room, "bob")


@pytest.fixture
def ann(room, tmp_path) -> Iterator:
    """`ann(columns)`: ann's chat on a screen that wide."""
    screens: list[PtyScreen] = []

    def start(columns: int = 80, rows: int = 24, term: str = "xterm-256color") -> "PtyScreen":
        program = [
            sys.executable,
            "-m",
            "tests.terminal.chat.chat_program",
            str(room.port),
            "ann",
            str(tmp_path / "ann"),
        ]
        screen = PtyScreen(program, columns=columns, rows=rows, env={"TERM": term})
        screens.append(screen)
        bar = "" if term == "dumb" else "connected"
        screen.wait_until(lambda: "you joined" in screen.text and bar in screen.text)
        return screen

    yield start
    for screen in screens:
        screen.close()
