"""Ann's chat with keys from a pipe, or in a pseudo-terminal and in a room with bob."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prompt_toolkit.input import create_pipe_input

from lanchat.errors import ConnectionLost
from lanchat.server.host import Host
from lanchat.storage.member_store import NoStore
from lanchat.terminal.chat.chat import Chat
from tests.support.chat import Recorder, RunningChat
from tests.support.people import EAGER, joined_room

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


@pytest.fixture
def talk(identity):
    """`talk(room)`: ann's chat; a function for the room if it is to be another one later, or none."""

    @contextmanager
    def start(room, *notes: str, store=None, reopening=False, begun="you joined", **options) -> Iterator[RunningChat]:
        def dial() -> socket.socket:
            hosted: Host | None = room() if callable(room) else room
            if hosted is None:
                raise ConnectionLost("Nobody hosts it now.")
            return hosted.connect()

        joined = joined_room(
            dial,
            identity("ann"),
            "ann",
            reopening=reopening,
            patience=None if reopening else 0.0,
            open_store=lambda card: store or NoStore(),
            timing=EAGER,
        )
        terminal = Recorder()
        try:
            with create_pipe_input() as keys:
                chat = Chat(joined, input=keys, output=terminal, **options)
                for note in notes:
                    chat.note(note)
                with RunningChat(chat, keys, terminal) as ann:
                    ann.shows(begun)
                    yield ann
        finally:
            joined.close()

    return start
