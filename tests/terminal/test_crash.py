"""An unforeseen error in any thread of the real program ends it, with words and exit code 1."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.commands import Commands
from tests.support.program import Ended

if os.name == "posix":
    from tests.support.ptyscreen import PtyScreen

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses terminals and signals of POSIX systems")

# Runs lanchat with a fault in one of its methods: MODULE CLASS.METHOD ARGUMENTS
FAULTY = """
import importlib, sys
from lanchat.cli.main import main
module, path = sys.argv[1:3]
del sys.argv[1:3]
owner, name = path.split(".")
def fail(*arguments, **options):
    raise RuntimeError("a fault \\x1b[2J of the test")
place = getattr(importlib.import_module(module), owner)
getattr(place, name)  # a fault that nothing meets would prove nothing
setattr(place, name, fail)
main()
"""


class FaultyCommands(Commands):
    """`lanchat.run("lanchat.server.hub", "Hub._handle", "host", "Room A")`: the program with this fault in it."""

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", FAULTY, *arguments]


@pytest.fixture
def faulty(own_world: Path) -> Iterator[FaultyCommands]:
    with FaultyCommands(own_world / "faulty") as commands:
        yield commands


def crashed(ended: Ended, thread: str) -> bool:
    """Whether it ended as a program does that has a fault in this thread; the thread's name is a pattern."""
    told = re.search(
        r"^lanchat: An unforeseen error has ended lanchat: RuntimeError: .* \(thread (.*)\)\.$", ended.err, re.M
    )
    assert told, ended
    assert re.fullmatch(thread, told[1]), ended
    assert "\nTraceback (most recent call last):\n" in ended.err and "\x1b" not in ended.err
    assert ended.err.count("Traceback") == 1, "it is told once"
    return ended.code == 1


@pytest.mark.parametrize(
    ("module", "method", "thread"),
    [
        ("lanchat.server.hub", "Hub._handle", "hub"),
        ("lanchat.storage.sqlite_log", "SqliteLog._write", "log"),
        ("lanchat.server.doors.native", "NativeDoor._receive", "reader-.*"),
        ("lanchat.network.flusher", "Flusher._flush_ready", "(host|member)-flusher"),
    ],
)
def test_a_fault_in_a_thread_of_the_host_ends_it(faulty, module, method, thread):
    host = faulty.start(module, method, "host", "Room A", "--nick", "hal", "--port", "0", "--no-announce")
    assert crashed(host.wait(), thread)


def test_a_fault_while_a_member_joins_ends_the_host(faulty, lanchat):
    host = faulty.start("lanchat.server.acceptor", "Acceptor._accept", "host", "Room A", "--port", "0", "--no-announce")
    lanchat.start("join", host.address, "--nick", "ann")
    assert crashed(host.wait(), "accept")


@pytest.mark.parametrize(
    ("module", "method", "thread"),
    [
        ("lanchat.client.inbound", "Inbound.receive_all", "member-reader"),
        ("lanchat.storage.history", "HistoryWriter._write", "history"),
        ("lanchat.terminal.script", "Script._show", "script-listener"),
        ("lanchat.terminal.script", "Script._speak", "script-stdin"),
    ],
)
def test_a_fault_in_a_thread_of_a_member_ends_it(faulty, lanchat, module, method, thread):
    room = lanchat.host("Room A")
    member = faulty.start(module, method, "join", room.address, "--nick", "ann", "--until", "never said", stdin="pipe")
    with suppress(BrokenPipeError):  # it may have ended before it could read this
        member.say("hello\n")
    assert crashed(member.wait(), thread)


def test_a_fault_in_a_thread_of_discovery_ends_the_search(faulty):
    assert crashed(faulty.run("lanchat.discovery.finder", "Finder._refresh", "rooms", "--wait", "60"), "finder")


def test_a_fault_in_the_main_thread_ends_it_although_other_threads_run(faulty):
    ended = faulty.run("lanchat.discovery.finder", "Finder.wait_change", "rooms", "--wait", "60")
    assert crashed(ended, "MainThread")


def test_the_terminal_is_left_as_it_was_found(faulty, lanchat):
    room = lanchat.host("Room A")
    env = {name: value for name, value in faulty.env("ann").items() if value is not None}
    arguments = ("lanchat.client.delivery", "Delivery.heard", "join", room.address, "--nick", "ann")
    with PtyScreen(faulty.argv(*arguments), env=env) as screen:
        screen.wait_until(lambda: "connected" in screen.text)
        screen.press("hello\r")
        assert screen.wait_exit() == 1
        assert screen.modes == screen.modes_before and not screen.cursor_hidden
        assert "(thread member-reader)" in "\n".join(screen.all_lines).replace("\n", "")


INTERRUPTED = """
import sys
import lanchat.errors
from lanchat.__main__ import main
class Late:
    def __set_name__(self, owner, name):
        raise KeyboardInterrupt
def make(*arguments):
    type("Made", (), {"field": Late()})
class Loader:
    find_spec = staticmethod(lambda name, *arguments: make() if name == "lanchat.cli.main" else None)
if sys.argv.pop(1) == "loading":
    sys.modules.pop("lanchat.cli.main", None)
    sys.meta_path.insert(0, Loader)
else:
    from lanchat.cli import options
    options.run = make
main()
"""


class InterruptedCommands(Commands):
    """`lanchat.run("loading", "id")`: the program, with a Ctrl-C at the moment in which it makes a class."""

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", INTERRUPTED, *arguments]


@pytest.mark.parametrize("moment", ["loading", "running"])
def test_a_ctrl_c_while_a_class_is_made_is_no_fault(moment, own_world):
    """Up to Python 3.11 it arrives as a RuntimeError."""
    with InterruptedCommands(own_world / "interrupted") as interrupted:
        ended = interrupted.run(moment, "id")
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "")


LATE = """
import os, signal, sys
from lanchat.cli import main
name = sys.argv.pop(1)
real = getattr(main, name)
def late(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    real(*arguments)
setattr(main, name, late)
main.main()
"""


class LateSignals(Commands):
    """`lanchat.run("leave", "id")`: the program, with a signal when it comes to this function of the command line."""

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", LATE, *arguments]


@pytest.mark.parametrize(("function", "code"), [("_print_error", 130), ("leave", 3)])
def test_a_signal_to_a_program_that_ends_already_is_no_error(own_world, function, code):
    """As when one of its threads has a fault because another one has ended it."""
    with LateSignals(own_world / "late") as lanchat:
        ended = lanchat.run(function, "join", "127.0.0.1:1", "--nick", "bob")
    assert ended.code == code and "Traceback" not in ended.err
