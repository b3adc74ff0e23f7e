"""No command writes what it was given as it is: control characters in every argument, variable, file and field."""

import ast
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import lanchat as package
from lanchat.cli.main import all_commands
from lanchat.protocol.messages import Closing, Joined, Left, Notice, Present, Refused, Renamed, Said, Told
from lanchat.storage.known_hosts import FILE as KNOWN_HOSTS
from lanchat.storage.recent import FILE as RECENT_ROOMS
from lanchat.storage.repair import open_store
from lanchat.storage.rooms import joined_folder
from lanchat.terminal.stdio import SafeFormatter
from tests.hostile.attackers import ROOM, card, let_in
from tests.support.harmless import harmful
from tests.support.sampling import sampled

TOP = Path(package.__file__).parent
# Of each kind one: a title, the screen, eight bits, overwriting, a turned direction, nothing to see, line ends.
BAD = "\x1b]0;p\x07\x1b[2J\x9b31m\x08\x0d\u202e\u200b\u3164\ufe0f\U000e0041\u2028\x85\x7f"
LINES = "x\n-- ann left\rlanchat: done"
HASTE = {  # each command, so that it is soon over
    "host": ("Room A", "--headless", "--port", "0", "--no-announce", "--timeout", "0.1"),
    "join": ("127.0.0.1:1", "--timeout", "1", "--wait", "0.1"),
    "send": ("127.0.0.1:1", "hello", "--timeout", "1"),
    "tail": ("127.0.0.1:1", "--timeout", "1"),
    "ask": ("127.0.0.1:1", "hello?", "--timeout", "1"),
    "get": ("127.0.0.1:1", "--timeout", "1", "--wait", "0.1", "--all"),
    "rooms": ("--wait", "0"),
    "history": ("Room A",),
    "doctor": (),
    "id": (),
    "trust": (),
    "mcp": (),
    "irc": (),
}


def options() -> Iterator[tuple[str, str, str]]:
    """Each option of each command that takes a value: the command, the option, its environment variable."""
    for name, command in all_commands().items():
        for option in command.params:
            if isinstance(option, click.Option) and not option.is_flag:
                yield name, max(option.opts, key=len), str(option.envvar or "")


def shown(ended) -> None:
    """Assert that nothing of what was written acts on a terminal or hides, and that no line was forged."""
    assert harmful(ended.out + ended.err, but="\n") == set()
    assert not any(line.startswith(("-- ann left", "lanchat: done")) for line in ended.out.splitlines() + ended.said)
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("command", "option", "variable"), sampled([*options()], 5), ids=lambda value: value.lstrip("-")
)
def test_every_option_and_its_variable(lanchat, command, option, variable):
    for bad in (BAD, LINES):
        shown(lanchat.run(command, *HASTE[command], option, bad))
        if variable:
            shown(lanchat.run(command, *HASTE[command], **{variable: bad}))


@pytest.mark.parametrize("bad", [BAD, LINES, f"{BAD}:47474", f"lanchat://{BAD}:1/{ROOM}#{'a' * 64}"], ids=ascii)
@pytest.mark.parametrize("command", sampled(["host", "join", "history", "doctor", "nonsense"], 2))
def test_every_argument(lanchat, command, bad):
    shown(lanchat.run(command, bad, *HASTE.get(command, ())[1:]))
    shown(lanchat.run(command, "--", bad, "more"))


@pytest.mark.parametrize(
    "host", ["%1b%5d52;c;aGk=%07", "%C2%9b31m", "%E2%80%AEx", "%0a--%20ann", "%1b%5b2Jx", "[fe80::1%25%07]"]
)
@pytest.mark.parametrize("command", sampled(["doctor", "join"], 1))
def test_an_invite_that_stands_for_control_characters(lanchat, command, host):
    invite = f"lanchat://{host}:47474/{ROOM}?at={host}:1#{'a' * 64}"
    shown(lanchat.run(command, invite, *(("--timeout", "1") if command == "join" else ())))


# ---- what stands in files


@pytest.fixture
def home(lanchat) -> Path:
    """The home of ada, in whose files somebody else wrote."""
    folder: Path = lanchat.home("ada")
    for number, title in enumerate((BAD, LINES, "Room A"), 1):
        log, _ = open_store(joined_folder(folder, f"{number:032x}", title, number) / "log.db", durable=False)
        log.add(
            [Said(1, 0, BAD[:60], BAD, "1", BAD), Joined(2, 0, LINES[:60], LINES), Left(3, 0, "x", BAD, BAD, LINES)]
        )
        log.add(
            [
                Renamed(4, 0, "x", LINES, BAD),
                Said(5, 0, "a" * 32, "ann", "2", LINES),
                Told("3", 0, "x", BAD, "y", LINES, text=BAD),
            ]
        )
        log.close()
    known = "".join(f"{number:032x} {'a' * 64} {BAD.replace(chr(13), '')}{number}\n" for number in range(3))
    (folder / KNOWN_HOSTS).write_text(known, encoding="utf-8", newline="")
    (folder / RECENT_ROOMS).write_text(f"127.0.0.1:1 {ROOM} 1 {BAD}\n10.0.0.1\x07:1 {ROOM} 1 x\n", newline="")
    (folder / "nick").write_text(BAD)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", f"{1:032x}"),
        ("history", f"{2:032x}", "--json"),
        ("history", "Room A", "--search", "ann"),
        ("history", "nothing"),
        ("trust",),
        ("trust", "--forget", f"{0:032x}"),
        ("trust", "--forget", "nothing"),
        ("id",),
        ("doctor",),
        pytest.param(("doctor", "--json"), marks=pytest.mark.full),
        ("rooms", "--wait", "0"),
    ],
    ids=" ".join,
)
def test_every_file(lanchat, home, arguments):
    """A title, a nick, an address, and everything in a log."""
    shown(lanchat.run(*arguments, who="ada"))


@pytest.mark.full
@pytest.mark.skipif(os.name != "posix", reason="a path of POSIX systems may hold control characters")
@pytest.mark.parametrize("bad", ["h\x1b]0;p\x07\x9b\u202e", "h\nlanchat: done"], ids=ascii)
def test_the_path_of_the_home(lanchat, tmp_path, bad):
    """It may be a folder, or a file in the place of one."""
    (tmp_path / f"{bad}2").write_text("a file")
    for command in HASTE:
        shown(lanchat.run(command, *HASTE[command], LANCHAT_HOME=str(tmp_path / f"{bad}2")))
    for command in ("id", "history", "join", "host"):
        shown(lanchat.run(command, *HASTE[command], LANCHAT_HOME=str(tmp_path / bad)))


# ---- what a host says


def inside(caller) -> None:
    """Every field that a host may fill."""
    bad = BAD[:60]
    let_in(
        caller,
        Present(bad, BAD),
        *(Said(n, 0, bad, nick, str(n), text) for n, (nick, text) in enumerate([(BAD, BAD), (LINES, LINES)], 1)),
        *(Notice(text, text) for text in (BAD, LINES)),
        *(Joined(n, 0, bad, nick) for n, nick in enumerate((BAD, LINES), 10)),
        *(Left(n, 0, bad, nick, code, code) for n, (nick, code) in enumerate([(BAD, BAD), (LINES, LINES)], 20)),
        *(Renamed(n, 0, bad, nick, nick) for n, nick in enumerate((BAD, LINES), 30)),
        Told("1", 0, "b" * 32, BAD, "0" * 32, BAD, text=BAD),
        people=1,
        title=BAD,
        host=BAD,
    )
    caller.line()
    caller.send(Closing(BAD, f"{BAD} {LINES}"))


def refusing(code: str):
    def refuse(caller) -> None:
        caller.establish()
        caller.send(card(title=BAD, host=BAD))
        caller.line()
        caller.send(Refused(code, f"{BAD} {LINES}", BAD))

    return refuse


@pytest.mark.parametrize("option", [(), ("--json",)], ids=["lines", "json"])
def test_what_a_host_says_in_the_room(lanchat, evil_host, option):
    address = f"127.0.0.1:{evil_host(inside).port}"
    ended = lanchat.run("join", address, "--nick", "vera", "--until", "never", *option, input="hello\n")
    assert ended.code in (4, 6)
    shown(ended)


@pytest.mark.parametrize("code", ["nick", "password", "banned", "busy", BAD, ""], ids=ascii)
def test_what_a_host_says_at_the_door(lanchat, evil_host, code):
    ended = lanchat.run("join", f"127.0.0.1:{evil_host(refusing(code)).port}", "--nick", "vera", "--timeout", "5")
    assert ended.code != 0
    shown(ended)


def test_what_a_host_says_to_the_doctor(lanchat, evil_host):
    def pose(caller) -> None:
        caller.establish()
        caller.send(card(title=BAD, host=BAD))

    shown(lanchat.run("doctor", f"127.0.0.1:{evil_host(pose).port}"))


# ---- the log


def test_a_line_of_the_log_is_harmless_and_stays_one():
    formatter = SafeFormatter("%(message)s")
    try:
        raise ValueError(BAD)
    except ValueError as error:
        record = logging.LogRecord("lanchat", logging.INFO, "x", 1, "%s", (BAD + LINES,), (ValueError, error, None))
    line, *trace = formatter.format(record).split("\n")
    assert harmful(line) == set() and "-- ann left" in line
    assert harmful("".join(trace)) == set() and trace


# ---- the door


def test_words_for_a_person_are_printed_at_one_place():
    """What is printed elsewhere is for programs (JSON) or was made harmless line by line."""
    printing: set[tuple[str, str]] = set()
    for path in sorted(TOP.glob("terminal/**/*.py")) + sorted(TOP.glob("cli/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="print" as name)) | ast.Call(func=ast.Attribute(attr="echo" as name)):
                    printing.add((str(path.relative_to(TOP)), name))
                case ast.Call(func=ast.Attribute(attr="write" as name)):
                    printing.add((str(path.relative_to(TOP)), name))
    assert printing == {
        ("terminal/stdio.py", "write"),  # the door
        ("terminal/hidden.py", "write"),  # the question about a password, which is made harmless there
        ("terminal/colour.py", "write"),  # rows of a table, whose cells are made harmless one by one
        ("terminal/chat/line_screen.py", "write"),  # rows of the renderer
        ("cli/look.py", "echo"),  # JSON
        ("cli/completion.py", "echo"),  # a file for the shell
        ("cli/config.py", "echo"),  # JSON, and values as TOML writes them
        ("cli/help.py", "echo"),  # pages of this package, and
        ("cli/help.py", "write"),  # the commands' own help
        ("terminal/rooms.py", "write"),  # JSON
        ("terminal/logged.py", "write"),  # lines of the renderer
        ("terminal/script.py", "write"),  # JSON, and lines of lines.py
        ("terminal/ask.py", "write"),  # JSON
        ("terminal/send.py", "write"),  # JSON
        ("terminal/tail.py", "write"),  # JSON, and lines of lines.py
        ("terminal/transfer.py", "write"),  # JSON, paths, and the line of a transfer
    }
