"""The command line as people meet it: help, what is loaded, and how it ends if something is wrong."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import pytest

import lanchat as package
from lanchat.cli.main import all_commands, cli
from lanchat.storage.rooms import ABOUT, HOSTED
from tests.support.cases import cases
from tests.support.commands import Commands, Running, own_title
from tests.support.longer import TIMES
from tests.support.program import Ended, start
from tests.support.waiting import PATIENCE, wait_until

if os.name == "posix":
    from tests.support.ptyscreen import PtyScreen

POSIX = pytest.mark.skipif(os.name != "posix", reason="uses signals and permissions of POSIX systems")
LINUX = pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="reads /proc")
README = Path(__file__).parents[2] / "README.md"
HEAVY = {"zeroconf", "prompt_toolkit", "cryptography"}


@pytest.fixture
def stranger() -> Iterator[Callable[[bytes | None], str]]:
    """`stranger(b"SSH-2.0\\r\\n")`: the address of a server that answers each caller so; with None it never answers."""
    servers: list[socket.socket] = []
    callers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(server: socket.socket, answer: bytes | None) -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            callers.append(caller)
            if answer is not None:
                with caller:
                    caller.recv(4096)
                    caller.sendall(answer)

    def open_server(answer: bytes | None) -> str:
        servers.append(server := socket.create_server(("127.0.0.1", 0)))
        threads.append(thread := threading.Thread(target=serve, args=(server, answer)))
        thread.start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield open_server
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)  # close() alone does not wake accept()
        server.close()
    for thread in threads:
        thread.join()
    for caller in callers:
        caller.close()


def fails(ended: Ended, code: int, cause: str, what_to_do: str = "") -> None:
    """It ended with an error in the one form: a sentence that says what happened, and below it at most what to do.

    Both are patterns. Where the words come from another part of lanchat, tests look only for the facts in them.
    """
    assert ended.code == code, ended
    assert re.fullmatch(f"lanchat: {cause}", ended.said[0]), ended.err
    assert re.match(r'lanchat: [A-Z0-9"/].*[.?]$', ended.said[0]), f"no sentence: {ended.err}"
    assert len(ended.said) == (2 if what_to_do else 1), ended.err
    assert not what_to_do or re.fullmatch(f"  {what_to_do}", ended.said[1]), ended.err
    assert ended.out == ""


def misused(ended: Ended, cause: str) -> None:
    """The command was misused, and the error says how to use it."""
    fails(ended, 2, cause, r"Usage: lanchat.* \(more: lanchat.* --help\)")


# ---- help


def commands() -> list[tuple[str, click.Command]]:
    found = [("lanchat", cli), *((f"lanchat {name}", command) for name, command in all_commands().items())]
    return [(name, command) for name, command in found if not command.hidden]


@cases(("name", "command"), commands())
def test_every_command_and_option_has_help(name, command):
    assert command.help, name
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, f"{name} {option.opts}"


THINGS_TO_DO = ("--list", "--forget", "--run", "--exec", "--room", "--allow", "--restore")


@cases(("name", "command"), commands())
def test_every_option_has_an_environment_variable(name, command):
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden and option.expose_value:
            if option.opts[0] in ("--password", *THINGS_TO_DO):
                continue  # LANCHAT_PASSWORD is the password itself
            word = max(option.opts, key=len).lstrip("-").upper().replace("-", "_")
            word = "AGENT_NICK" if (name, word) == ("lanchat mcp", "NICK") else word  # not that of its person
            assert option.envvar == f"LANCHAT_{word}" and option.show_envvar, f"{name} {option.opts}"


def test_every_command_is_in_the_table_of_the_readme():
    table = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert table
    for name, _ in commands():
        assert any(line.startswith(f"| `{name}") for line in table), name


def test_help_names_the_program_and_the_exit_codes(started):
    whole, one = started.run("--help"), started.run("join", "-h")
    assert (whole.code, whole.err, one.code, one.err) == (0, "", 0, "")
    assert whole.out.startswith("Usage: lanchat [OPTIONS]"), "not the name of a Python module"
    assert one.out.startswith("Usage: lanchat join")
    assert "Exit codes: 0 done" in whole.out


def test_the_list_of_commands_fits_every_window_and_says_all(monkeypatch):
    for columns in (30, 40, 80, 160):
        monkeypatch.setenv("COLUMNS", str(columns))
        text = cli.get_help(click.Context(cli, info_name="lanchat", **cli.context_settings))
        assert max(map(len, text.splitlines())) <= columns
        assert "..." not in text.replace("[ARGS]...", "")


def test_version_is_printed(started):
    for option in ("--version", "-V"):
        assert started.run(option) == Ended(0, f"lanchat {package.__version__}\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_version_that_cannot_be_written_is_an_error(lanchat):
    with open("/dev/full", "wb") as full:
        ended = lanchat.start("--version", stdout=full.fileno()).wait()
    assert (ended.code, ended.said[-1]) == (1, "lanchat: Cannot write the output: No space left on device.")


# ---- what is loaded


def loaded(*arguments: str, code: int = 0) -> set[str]:
    """The top-level names of all modules that Python loads to run this, which ends with that exit code."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )
    assert done.returncode == code, done.stderr[-1000:]
    return {name.split(".")[0] for name in re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)}


def test_the_version_is_printed_without_loading_much():
    modules = loaded("-m", "lanchat", "--version")
    assert "lanchat" in modules
    assert not modules & {*HEAVY, "click", "typing", "logging", "threading", "msgspec", "ssl", "asyncio", "sqlite3"}


@pytest.mark.full
def test_a_list_of_rooms_in_ascii_needs_no_tables_of_characters_and_no_screen():
    modules = loaded("-m", "lanchat", "rooms", "--wait", "0", code=3)
    assert "cryptography" in modules
    assert not modules & {"wcwidth", "prompt_toolkit"}


def test_importing_lanchat_costs_nothing():
    before = loaded("-c", "pass")
    assert loaded("-c", "import lanchat; lanchat.__version__") - before <= {"lanchat", "typing", "collections"} | {
        name for name in sys.stdlib_module_names if name not in ("ssl", "asyncio", "sqlite3", "socket", "subprocess")
    }


def test_a_script_that_joins_an_address_needs_no_discovery_and_no_screen(host):
    room = host("Room A")
    modules = loaded("-m", "lanchat", "join", f"127.0.0.1:{room.port}", "--nick", "bob")
    assert "cryptography" in modules
    assert not modules & {"zeroconf", "prompt_toolkit"}


# ---- no room there, or something else


def test_an_unknown_room_is_an_error(lanchat):
    title = f"Nowhere {os.getpid()}"
    ended = lanchat.run("join", title, "--wait", "0.3")
    fails(ended, 3, f'.*"{title}".*0.3 s.*', ".*(ADDRESS|: ).*")


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:abc", "[::1]:0", "node.js:70000"])
def test_a_port_that_is_none_is_refused_at_once(lanchat, address):
    ended = lanchat.run("join", address, "--wait", "3600")
    misused(ended, rf"Invalid value for ROOM: {address.rpartition(':')[2]} is not a port \(1 to 65535\)\.")


def test_a_title_where_a_command_belongs_is_answered_with_the_command(lanchat):
    fails(lanchat.run("Room A"), 2, 'There is no command "Room A".', 'To join a room: lanchat join "Room A"')
    fails(lanchat.run("$HOME"), 2, r'There is no command "\$HOME".', r"To join a room: lanchat join '\$HOME'")
    fails(lanchat.run("jion"), 2, 'There is no command "jion".', r"Did you mean lanchat join\?")
    fails(lanchat.run("hist"), 2, 'There is no command "hist".', r"Did you mean lanchat history\?")


def test_a_password_that_is_too_short_is_answered_for_the_one_who_gave_it(lanchat):
    short = r"A password needs at least \d+ characters\. That in LANCHAT_PASSWORD has 3\."
    fails(lanchat.run("join", "Room A", LANCHAT_PASSWORD="abc"), 1, short, r"Ask the host for the password\.")
    fails(lanchat.run("host", "Room A", LANCHAT_PASSWORD="abc"), 1, short, ".*--password auto")


def test_a_password_that_is_no_unicode_is_answered_by_where_it_stands(lanchat):
    ended = lanchat.run("join", "Room A", LANCHAT_PASSWORD="\udcff")
    fails(ended, 1, r"The password in LANCHAT_PASSWORD is not valid Unicode\.", r"Write it in UTF-8\.")


def test_a_wrong_number_of_people_is_answered_in_plain_words(lanchat):
    misused(lanchat.run("host", "Room A", "--people", "many"), '.*--people: "many" is not a number from 2 to 1000\\.')


def test_a_wrong_nick_is_named_by_where_it_came_from(lanchat):
    misused(lanchat.run("join", "Room A", LANCHAT_NICK="a b"), "Invalid value for LANCHAT_NICK: .*")
    misused(lanchat.run("join", "Room A", "--nick", "a b"), "Invalid value for --nick: .*")


def test_control_characters_in_a_title_do_nothing_to_the_terminal(lanchat):
    ended = lanchat.run("join", "a\x1b[2Jb", "--wait", "0")
    assert ended.code == 3 and "\x1b" not in ended.err


def test_an_address_without_a_room_is_an_error(lanchat):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ended = lanchat.run("join", f"127.0.0.1:{port}", input="hello\n")
    fails(ended, 3, f".* room at 127.0.0.1:{port}.*", ".*address.*")


@pytest.mark.parametrize("name", ["no-such-machine.invalid:1", "a..b:1"])
def test_a_machine_that_does_not_exist_is_an_error(lanchat, name):
    fails(lanchat.run("join", name), 3, f'.*"{name.partition(":")[0]}".*', ".*address.*")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x03\x00\x02\x02\x28",  # a TLS alert
        b"\x16\x03\x03\xff\xff" + b"x" * 70_000,
        b"",
    ],
    ids=["http", "ssh", "alert", "record", "nothing"],
)
def test_something_else_that_listens_there_is_an_error(lanchat, stranger, answer):
    ended = lanchat.run("join", stranger(answer), input="hello\n")
    fails(ended, 3, ".*lanchat.*", ".*address.*")


@pytest.mark.full
def test_silence_ends_after_ten_seconds(lanchat, stranger):
    ended = lanchat.run("join", stranger(None), timeout=60)
    fails(ended, 3, ".*lanchat.*answer in time.*", ".*address.*")


@LINUX
def test_silence_can_be_interrupted(lanchat, stranger):
    bob = lanchat.start("join", address := stranger(None))
    wait_until(lambda: _is_connected(address))
    ended = bob.stop(signal.SIGINT)
    assert (ended.code, ended.out, ended.err.strip()) == (130, "", "")


def _is_connected(address: str) -> bool:
    port = f":{int(address.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[2].endswith(port) and row[3] == "01" for row in rows)


# ---- hosting that fails


def test_a_port_in_use_is_an_error(lanchat, host):
    port = host("Room A").port
    ended = lanchat.run("host", "Room B", "--port", str(port), "--interface", "127.0.0.1")
    fails(ended, 1, f".*[Pp]ort {port} .*", ".*another.*")
    ended = lanchat.run("host", "Room B", "--port", "0", "--plain-port", str(port))
    fails(ended, 1, f".*[Pp]ort {port} .*", ".*another.*")


@pytest.mark.parametrize(
    ("title", "what"),
    [
        ("", ".*empty.*"),
        ("x" * 300, ".*at most.*"),
        ("a\x1b[2Jb", ".*one line.*"),
        ("a\udcffb", ".*Unicode.*"),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_an_invalid_title_is_refused(lanchat, title, what):
    misused(lanchat.run("host", title, "--headless"), f"Invalid value for TITLE: {what}")


@pytest.mark.parametrize("command", [("host", "Room A"), ("join", "127.0.0.1:1"), ("join", "Room A"), ("rooms",)])
def test_an_unknown_interface_is_an_error(lanchat, command):
    ended = lanchat.run(*command, "--interface", "nope0")
    fails(ended, 1, '.*"nope0".*', ".*lo.*")


def test_interfaces_in_the_environment_stand_between_commas(lanchat):
    ended = lanchat.run("rooms", LANCHAT_INTERFACE="127.0.0.1,Ethernet 2")
    fails(ended, 1, '.*"Ethernet 2".*', ".*lo.*")


# ---- misuse


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--nope"], r"There is no option --nope\."),
        (["host", "--password", "Room A"], '.*--password.* title first .lanchat host "Room A" --password.*'),
        (["host", "A", "--irc-port", "0", "--password", "auto"], "A room with a password has no --irc-port, .*"),
        (
            ["host", "A", "--irc-tls-port", "0", "--password", "auto"],
            r"IRC clients need a password of their own: --irc-password-file FILE .*",
        ),
        (["host", "A", "--irc-password-file", "x"], r"The option --irc-password-file needs --irc-tls-port, .*"),
        (["host", "A", "--web", "Room"], "Invalid value for --web: only a port .*"),
        (["host", "A", "--password", "secret"], 'Invalid value for --password: only "auto" .*'),
        (["join", "127.0.0.1:1", "--nick", "\x1b[2J"], r"Invalid value for --nick: .*"),
        ([], r"Which room\? lanchat join TITLE .*"),
        (["join"], r"Which room\? lanchat join TITLE .*"),
    ],
    ids=str,
)
def test_a_misused_command_says_what_is_wrong(lanchat, arguments, what):
    ended = lanchat.run(*arguments)
    misused(ended, what)
    assert "\x1b" not in ended.err and "secret" not in ended.err


def test_a_title_is_no_address_for_the_doctor(lanchat):
    fails(lanchat.run("doctor", "Room A"), 2, '"Room A" is not an address.', ".* host's screen shows.* lanchat doctor")


def test_the_environment_is_checked_like_the_options(lanchat):
    misused(lanchat.run("join", "127.0.0.1:1", LANCHAT_NICK="a b"), "Invalid value for LANCHAT_NICK: .*")
    misused(lanchat.run("join", "127.0.0.1:1", LANCHAT_TIMEOUT="soon"), "Invalid value for LANCHAT_TIMEOUT: .*")


# ---- refused


def test_a_script_with_a_taken_nick_is_told_which_is_free(lanchat, host, join):
    room = host("Room A")
    join(room, "ann")
    ended = lanchat.run("join", f"127.0.0.1:{room.port}", "--nick", "Ann", who="eve")
    fails(ended, 4, ".*Ann.*", "This one is free: --nick Ann2")
    assert lanchat.run("join", f"127.0.0.1:{room.port}", "--nick", "Ann2", who="eve").code == 0


# ---- homes


def test_a_home_that_is_a_file_is_an_error(lanchat, tmp_path):
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        ended = lanchat.run("join", "127.0.0.1:1", LANCHAT_HOME=str(home))
        fails(ended, 1, f".*{home}.*", ".*LANCHAT_HOME.*")


@POSIX
def test_a_home_of_an_unknown_user_is_an_error(lanchat):
    ended = lanchat.run("join", "127.0.0.1:1", LANCHAT_HOME="~nosuch/x")
    fails(ended, 1, ".*LANCHAT_HOME.*~nosuch.*", ".*LANCHAT_HOME.*")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_key_is_an_error_and_is_kept(lanchat, content):
    home = lanchat.home("me")
    home.mkdir(parents=True)
    key = home / "identity.key"
    key.write_bytes(content)
    key.chmod(0o600)
    command = ("join", "127.0.0.1:1") if content else ("host", "Room A")
    fails(lanchat.run(*command), 1, f".*{key}.*damaged.*", ".*move it away.*")
    assert key.read_bytes() == content, "nothing is lost"


@POSIX
def test_a_key_that_others_can_read_is_not_used(lanchat, host):
    address = f"127.0.0.1:{host('Room A').port}"
    assert lanchat.run("join", address, who="me").code == 0
    key = lanchat.home("me") / "identity.key"
    key.chmod(0o644)
    ended = lanchat.run("join", address, who="me")
    fails(ended, 1, f".*{key}.*others.*", f".*chmod 600 {key}")
    key.chmod(0o600)
    assert lanchat.run("join", address, who="me").code == 0


@POSIX
def test_only_its_owner_can_read_what_it_writes(lanchat, host):
    assert lanchat.run("join", f"127.0.0.1:{host('Room A').port}", who="me").code == 0
    home = lanchat.home("me")
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "identity.key").stat().st_mode & 0o077 == 0


def test_a_log_that_cannot_be_written_is_an_error(lanchat, tmp_path):
    where = tmp_path / "no" / "log"
    fails(lanchat.run("--log", str(where), "rooms"), 1, f"Cannot write the log {where}: .*", r"Choose another file\.")


def test_warnings_go_to_the_log_and_not_to_the_screen(lanchat, tmp_path):
    broken = lanchat.home("me") / HOSTED / ("5" * 32)
    broken.mkdir(parents=True)
    (broken / ABOUT).write_text("{")
    fails(lanchat.run("history", "Room A"), 3, 'No history of a room called "Room A".', ".*")
    lanchat.run("--log", str(tmp_path / "log"), "history", "Room A")
    assert f"cannot read {broken / ABOUT}" in (tmp_path / "log").read_text()


def test_a_log_holds_no_messages(lanchat, tmp_path):
    log = tmp_path / "log"
    hal = lanchat.start("--log", str(log), "host", "Room A", "--nick", "hal", "--port", "0", "--no-announce")
    assert lanchat.run("join", hal.address, "--nick", "ann", input="a secret\n").code == 0
    hal.wait_out("ann: a secret")
    hal.stop()
    assert "hosting room" in log.read_text() and "a secret" not in log.read_text()


# ---- in a terminal


@pytest.fixture
def person(lanchat: Commands) -> Iterator[Callable[..., "PtyScreen"]]:
    """`person("join", address)`: a person who starts lanchat in a terminal."""
    opened: list[PtyScreen] = []

    def start(*arguments: str, who: str = "me", **env: str) -> PtyScreen:
        whole = {name: value for name, value in lanchat.env(who, **env).items() if value is not None}
        opened.append(PtyScreen(lanchat.argv(*arguments), env=whole))
        return opened[-1]

    yield start
    for screen in opened:
        screen.close()


@POSIX
def test_the_nick_is_asked_for_once(lanchat, person, host):
    address = f"127.0.0.1:{host('Room A').port}"
    screen = person("join", address)
    screen.wait_until(lambda: "Your nick [" in screen.text)
    screen.press("a b\r")
    screen.wait_until(lambda: "a space" in screen.text or "no space" in screen.text)
    screen.press("nina\r")
    screen.wait_until(lambda: "nina" in screen.lines[-1] or "Room A" in screen.text)
    screen.press("\x04")
    assert screen.wait_exit() == 0
    assert screen.modes == screen.modes_before
    assert (lanchat.home("me") / "nick").read_text() == "nina\n"
    again = person("join", address)
    again.wait_until(lambda: "Room A" in again.text)
    assert "Your nick" not in "\n".join(again.all_lines)
    again.press("/quit\r")
    assert again.wait_exit() == 0


@POSIX
def test_ctrl_c_at_the_question_for_a_nick_ends_it(person):
    screen = person("join", "127.0.0.1:1")
    screen.wait_question()
    assert "Your nick [" in screen.text
    screen.press("\x03")
    assert screen.wait_exit() == 130
    assert "Traceback" not in screen.text


@POSIX
def test_a_taken_nick_is_asked_for_again(person, host, join):
    room = host("Room A")
    join(room, "ann")
    screen = person("join", f"127.0.0.1:{room.port}", "--nick", "ann")
    screen.wait_until(lambda: "Join as [ann2]" in screen.text)
    screen.press("\r")
    wait_until(lambda: room.people == 2)
    screen.wait_until(lambda: "Room A" in screen.text)
    screen.press("\x04")
    assert screen.wait_exit() == 0


@POSIX
def test_who_is_named_finds_it_again_in_the_room_and_in_the_history(lanchat, person, host, join):
    room = host("Room A")
    bob = join(room, "bob")
    lanchat.home("me").mkdir(parents=True, mode=0o700)
    (lanchat.home("me") / "config.toml").write_text('notify.words = ["deploy"]\n')
    screen = person("join", f"127.0.0.1:{room.port}", "--nick", "ann")
    screen.wait_until(lambda: "you joined" in screen.text)
    bob.outgoing.say("shall we deploy?")
    bob.outgoing.say("nothing else")
    screen.wait_until(lambda: "nothing else" in screen.text)
    screen.press("/mentions\r")
    screen.wait_until(lambda: "that name" in screen.text or "named you" in screen.text)
    assert "names you (ann or deploy):" in screen.text and screen.text.count("shall we deploy?") == 2
    screen.press("/quit\r")
    assert screen.wait_exit() == 0
    past = person("history", "Room A", LANCHAT_PAGER="")
    past.wait_exit()
    times = {line.split(" ", 2)[2].strip(): y for y, line in enumerate(past.lines) if " bob " in line}
    marked = {text: past.cells[y][0].reverse for text, y in times.items()}
    assert marked == {"shall we deploy?": True, "nothing else": False}


@POSIX
def test_in_a_terminal_a_missing_room_is_an_error_too(person):
    screen = person("join", "127.0.0.1:1", "--nick", "ann")
    assert screen.wait_exit() == 3
    assert re.search(r"lanchat: .* room at 127\.0\.0\.1:1", screen.text)
    assert screen.modes == screen.modes_before


@POSIX
def test_the_server_for_agents_says_in_a_terminal_whom_it_is_for(person):
    screen = person("mcp", "--room", "127.0.0.1:1")
    screen.wait_until(lambda: "-- This is a server for a coding agent." in screen.text)
    screen.press("\x03")
    screen.wait_exit()


@POSIX
def test_lanchat_alone_heeds_the_environment_and_opens_a_room_of_any_title(person, lanchat):
    """The options come from LANCHAT_NICK and LANCHAT_INTERFACE, and the title may look like an option."""
    screen = person(LANCHAT_NICK="nina", LANCHAT_NO_ANNOUNCE="1")
    screen.wait_until(lambda: "host" in screen.text.lower() and "Your nick" not in screen.text)
    screen.press("h")
    screen.wait_until(lambda: "title" in screen.text.lower())
    screen.press("--headless\r")
    screen.wait_until(lambda: "You host --headless" in "\n".join(screen.all_lines))
    # Only where LANCHAT_INTERFACE says.
    screen.wait_until(lambda: "lanchat join 127.0.0.1:" in "\n".join(screen.all_lines) and "nina" in screen.text)
    screen.press("\x04")
    screen.wait_until(
        lambda: "Rooms on this network" in screen.text and 'lanchat host -- "--headless" opens it' in screen.text
    )
    screen.press("q")
    assert screen.wait_exit() == 0


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_list(person, number):
    screen = person(LANCHAT_NICK="ann")
    screen.wait_until(lambda: "Rooms on this network" in screen.text)
    screen.kill(number)
    assert screen.wait_exit() == 130
    assert screen.modes == screen.modes_before and not screen.cursor_hidden and "Traceback" not in screen.text


# ---- the end


@LINUX
def test_the_exit_code_is_right_although_nobody_reads_stderr(lanchat):
    reading, writing = os.pipe()
    os.close(reading)
    env = {**os.environ, **{name: value for name, value in lanchat.env().items() if value is not None}}
    for arguments, code in ((("join", "127.0.0.1:1"), 3), (("host",), 2)):
        process = start(lanchat.argv(*arguments), stderr=writing, env=env)
        assert process.wait(PATIENCE) == code
    looking = start(lanchat.argv("rooms", "--watch"), stderr=writing, env=env)
    wait_until(partial(_is_looking, looking.pid))
    looking.send_signal(signal.SIGINT)
    assert looking.wait(PATIENCE) == 130
    os.close(writing)


@POSIX
def test_a_closed_stdout_is_no_error(lanchat):
    reading, writing = os.pipe()
    os.close(reading)
    ended = lanchat.start("id", stdout=writing).wait()
    os.close(writing)
    assert (ended.code, ended.err) == (0, "")


@LINUX
@pytest.mark.parametrize(
    ("number", "command"),
    [
        (signal.SIGINT, ("join", "Nowhere", "--wait", "60")),
        (signal.SIGTERM, ("join", "Nowhere", "--wait", "60")),
        (signal.SIGINT, ("rooms", "--wait", "60")),
        (signal.SIGTERM, ("rooms", "--watch")),
        (signal.SIGHUP, ("rooms", "--watch")),
    ],
    ids=str,
)
def test_a_signal_ends_a_search(lanchat, number, command):
    running = lanchat.start(*command)
    wait_until(lambda: _is_looking(running.pid))
    ended = running.stop(number)
    assert (ended.code, ended.err.strip()) == (130, ""), "rooms of other tests may stand on its list"


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_headless_host(lanchat, number):
    ended = lanchat.host("Room A", "--headless").stop(number)
    assert (ended.code, ended.out) == (130, "")
    last = [line for line in ended.said if line][-1]  # click ends the line of a ^C
    assert last == 'Closing Room A. lanchat host "Room A" opens it again, with its history.'


@LINUX
@pytest.mark.full
@pytest.mark.timeout(300 * TIMES)
def test_no_signal_is_lost_while_threads_begin(started):
    """The kernel may hand a signal to a thread that is starting another; the main thread must still get it."""
    for _ in range(30 * TIMES):
        running = started.start("join", "Nowhere", "--wait", "300")
        wait_until(partial(_is_looking, running.pid), 60, "its mDNS socket")  # just now zeroconf starts its threads
        assert running.stop(signal.SIGTERM).code == 130


def _is_looking(pid: int) -> bool:
    """Whether it has an mDNS socket, so that its imports are done."""
    inodes = {row.split()[9] for row in Path("/proc/net/udp").read_text().splitlines()[1:] if ":14E9 " in row}
    files = Path(f"/proc/{pid}/fd")
    try:
        return any(os.readlink(file).removeprefix("socket:[").rstrip("]") in inodes for file in files.iterdir())
    except OSError:
        return False  # a file that was closed meanwhile


@POSIX
def test_further_signals_do_not_cut_the_goodbyes_short(lanchat):
    """An impatient person presses Ctrl-C several times."""
    hal = lanchat.host("Room A", "--headless", announce=True)
    bob = lanchat.start("join", hal.address, "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    for _ in range(5):
        hal.send(signal.SIGINT)
    ended = hal.wait()
    assert ended.code == 130 and "Traceback" not in ended.err
    assert re.fullmatch(r"lanchat: .* closed the room\.", bob.wait().said[-1])


@LINUX
@pytest.mark.full
@pytest.mark.timeout(300 * TIMES)
@pytest.mark.parametrize(
    "command", [("rooms", "--wait", "60"), ("join", "Nowhere", "--wait", "60"), ("host", "Room A")]
)
def test_an_interrupt_at_any_moment_ends_it_quietly(started, command):
    """Every few milliseconds of its life: never a traceback, never a hang."""
    rounds = 30 * TIMES
    for moment in range(rounds):
        running = started.start(*command)
        wait_until(partial(_catches_signals, running), 60)
        after = 0.9 * moment / rounds  # no proof of anything: a random moment
        timer = threading.Timer(after, running.send, [signal.SIGINT])
        timer.start()
        ended = running.wait()
        timer.join()
        # Python kills itself where the interrupt met an exec(), as dataclasses do; a shell calls both 130.
        assert ended.code in (130, -signal.SIGINT), (moment, ended)
        assert "Traceback" not in ended.err and "Exception" not in ended.err, (moment, ended)


def test_an_interrupt_while_the_program_loads_ends_it_quietly(lanchat, tmp_path):
    """A module that it needs is replaced by one that brings the Ctrl-C."""
    (tmp_path / "click.py").write_text("import signal\n\nsignal.raise_signal(signal.SIGINT)\n")
    ended = lanchat.run("rooms", PYTHONPATH=str(tmp_path))
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_the_installed_command_loads_the_program_in_the_same_way():
    project = tomllib.loads((README.parent / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"lanchat": "lanchat.__main__:main"}


def _catches_signals(running: Running) -> bool:
    """Whether it catches SIGTERM already, which Python itself does not."""
    status = Path(f"/proc/{running.pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s+([0-9a-f]+)$", status, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_one_room_is_printed_as_soon_as_it_is_seen_and_its_lack_is_an_exit_code(lanchat):
    title = own_title("Room A")
    lanchat.host(title, "--headless", announce=True)
    seen = lanchat.run("rooms", "--one", title.lower(), "--wait", "30")
    assert seen.code == 0 and len(seen.lines) == 1 and seen.out.startswith(f"{title} ")
    missing = lanchat.run("rooms", "--one", "Room Q", "--wait", "0.1")
    assert (missing.code, missing.out) == (3, "")
    assert lanchat.run("rooms", "--one", "Room A", "--watch").code == 2
