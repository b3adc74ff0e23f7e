"""Scripts in a room, as processes: stdin is said, what arrives is printed, and the exit code tells how it went."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanchat.client.member import Member
from lanchat.errors import LanchatError, TimedOut
from lanchat.protocol.messages import Joined, Left
from lanchat.protocol.status import Status
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage import outbox
from lanchat.storage.log import NoLog, ignore
from lanchat.storage.member_store import DiskStore
from lanchat.terminal import script
from lanchat.terminal.options import ScriptOptions
from lanchat.terminal.wording import first_time_text, note_text
from tests.support.addresses import LOOPBACK
from tests.support.commands import Commands, own_title
from tests.support.contract import all_parsed
from tests.support.people import Listener
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until

POSIX = pytest.mark.skipif(os.name != "posix", reason="uses signals and a shell of POSIX systems")

CLOSED = re.compile(r"lanchat: .* closed the room\.")


@pytest.fixture
def room(host: Callable[..., Host]) -> Host:
    """A room on this machine, hosted by this very process."""
    return host("Room A")


@pytest.fixture
def ann(room: Host, join: Callable[..., Member]) -> Listener:
    """A member of it in this process, who collects what she hears."""
    return Listener(join(room, "ann"))


def at(room: Host) -> str:
    return f"127.0.0.1:{room.port}"


def first_note(room: Host) -> str:
    """What somebody is told who meets this host for the first time."""
    return note_text(first_time_text(room.identity.id, room.identity.id))


def shown_to_a_newcomer(lanchat: Commands, address: str, upto: str) -> list[str]:
    """What is printed for bob, who joins now, until this text is."""
    bob = lanchat.start("join", address, "--nick", "bob", "--history", stdin="pipe")
    bob.wait_out(upto)
    bob.end_input()
    ended = bob.wait()
    assert ended.code == 0
    return ended.lines


# ---- stdin is said


def test_each_line_of_stdin_is_said(lanchat, room, ann):
    bob = lanchat.run("join", at(room), "--nick", "bob", input="one\ntwo  words\n\n \ndrei \N{SNOWMAN}\nno line end")
    ann.hear_text("no line end")
    assert ann.texts == ["one", "two  words", "drei \N{SNOWMAN}", "no line end"], "blank lines are nothing to say"
    assert (bob.code, bob.out) == (0, "")


def test_line_ends_of_windows_are_no_part_of_a_message(lanchat, room, ann):
    assert lanchat.run("join", at(room), "--nick", "bob", input="one\r\ntwo\r\n").code == 0
    ann.hear_text("two")
    assert ann.texts == ["one", "two"]


def test_bytes_that_are_not_utf8_are_replaced(lanchat, room, ann):
    assert lanchat.run("join", at(room), "--nick", "bob", input="a \udcff b\n").code == 0
    ann.hear_text("a \N{REPLACEMENT CHARACTER} b")


def test_a_line_is_said_as_soon_as_it_is_typed(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    for text in ("one", "two"):
        bob.say(f"{text}\n")
        ann.hear_text(text)
    bob.end_input()
    assert bob.wait().code == 0


def test_a_line_that_is_too_long_is_reported_and_the_others_are_said(lanchat, room, ann):
    bob = lanchat.run("join", at(room), "--nick", "bob", input="one\n" + "x" * 5000 + "\nthree\n")
    ann.hear_text("three")
    assert ann.texts == ["one", "three"]
    assert bob.code == 1
    (report,) = [line for line in bob.said if not line.startswith("-- ")]
    assert report.startswith("lanchat: Line 2 was not sent: ")


def test_of_a_progress_bar_the_last_state_is_said(lanchat, room, ann):
    """It has more states than a message may have lines."""
    bar = "".join(f"\rstep {n} of 150" for n in range(151))
    assert lanchat.run("join", at(room), "--nick", "bob", input=f"{bar}\nready\n").code == 0
    ann.hear_text("ready")
    assert ann.texts == ["step 150 of 150", "ready"]


def test_500_lines_arrive_complete_and_in_order(lanchat, host, join):
    room = host("Room A")  # without limits on how much one member may say
    ann = Listener(join(room, "ann"))
    bob = lanchat.run("join", at(room), "--nick", "bob", input="".join(f"line {n}\n" for n in range(500)))
    assert bob.code == 0
    ann.hear_text("line 499")
    assert ann.texts == [f"line {n}" for n in range(500)]


def test_at_the_end_of_stdin_it_waits_until_everything_is_acknowledged(lanchat, identity):
    """The host's disk is slow here."""
    log = _SlowLog()
    with Host("Room A", identity("hal"), nick="hal", on=LOOPBACK, doors=[native_door(0)], log=log) as room:
        room.start()
        bob = lanchat.start("join", at(room), "--nick", "bob", stdin="one\ntwo\n")
        wait_until(lambda: log.last == 3)  # bob joined, one, two
        bob.wait_err("bob joined")
        assert bob.process.poll() is None
        log.write()
        assert bob.wait().code == 0


class _SlowLog(NoLog):
    """A disk that has written when the test says so."""

    stores_at_once = False
    last = 0

    def start(self, on_stored, on_trouble=ignore):
        self._on_stored = on_stored

    def append(self, records):
        self.last += len(records)
        return self.last

    def commit(self):
        pass

    def write(self):
        self._on_stored(self.last, self.last)


# ---- what arrives is printed


def test_what_arrives_is_printed_a_line_each(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    bob.say("my own\n")
    ann.hear_text("my own")
    ann.member.outgoing.say("hello bob")
    ann.member.outgoing.say("several\nlines")
    ann.member.outgoing.say("waves", action=True)
    bob.wait_out("waves\n")
    assert bob.lines == ["ann: hello bob", r"ann: several\nlines", "* ann waves"]
    bob.end_input()
    bob = bob.wait()
    assert (bob.code, bob.said) == (0, [first_note(room), "-- bob joined"]), "stderr is talk"


def test_the_last_lines_of_the_history_are_printed(lanchat, room, ann):
    for number in range(60):
        ann.member.outgoing.say(f"line {number}")
    assert ann.member.delivery.wait_acked(PATIENCE)
    assert shown_to_a_newcomer(lanchat, at(room), "line 59") == [f"ann: line {number}" for number in range(10, 60)]


def test_a_script_that_only_speaks_is_told_no_history(lanchat, room, ann):
    ann.round_trip("old")
    bob = lanchat.run("join", at(room), "--nick", "bob", input="hello\n")
    assert (bob.code, bob.out) == (0, "")


def test_a_private_message_that_quiet_did_not_print_comes_again(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--quiet", "--until", "enough", stdin="pipe")
    ann.hear_kind(Joined, nick="bob")
    ann.member.outgoing.tell("bob", "psst")
    ann.round_trip("enough")
    assert (bob.wait().code, bob.wait().out) == (0, "")
    assert lanchat.run("tail", at(room), "-n", "0", "--nick", "bob").lines == ["[ann -> you] psst"]


def test_a_quiet_script_prints_no_message(lanchat, room, ann):
    ann.round_trip("old")
    bob = lanchat.run("join", at(room), "--nick", "bob", "-q", "--until", "old")
    assert (bob.code, bob.out) == (0, "")


def test_every_line_contains_the_empty_text(lanchat):
    assert lanchat.run("join", "127.0.0.1:1", "--nick", "bob", "--until", "").code == 2


def test_without_history_a_private_message_that_waited_is_not_the_one_that_is_waited_for(lanchat, room, ann):
    assert lanchat.run("tail", at(room), "--nick", "bob").code == 0
    ann.hear(lambda: "bob" in str(ann.items))
    assert lanchat.run("send", at(room), "--to", "bob", "go", "--nick", "eve").code == 0
    bob = lanchat.start("join", at(room), "--nick", "bob", "--no-history", "--until", "go")
    bob.wait_out("[eve -> you] go")
    ann.member.outgoing.say("go now")
    assert bob.wait().lines == ["[eve -> you] go", "ann: go now"]


def test_control_characters_of_others_are_made_visible(lanchat, room, ann):
    ann.member.outgoing.say("a\x1b[2Jb\u202ec\rd")
    assert shown_to_a_newcomer(lanchat, at(room), "\n") == [r"ann: a\x1b[2Jb<U+202E>c\nd"]


def test_joining_leaving_and_renaming_are_reported_on_stderr(lanchat, room, ann, join):
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    eve = join(room, "eve")
    eve.outgoing.rename("eva")
    bob.wait_err("-- eve is now eva\n")
    eve.close()
    bob.wait_err("-- eva left\n")
    assert bob.out == ""


def test_json_is_an_object_a_line_in_ascii(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--json", stdin="pipe")
    bob.wait_err("bob joined")
    bob.say("not printed, nor as JSON\n")
    ann.hear_text("not printed, nor as JSON")
    bob.wait_out('"kept"')
    ann.member.outgoing.say("drei \N{SNOWMAN}\n\x1b[2J\u2028\x7f")
    ann.member.outgoing.rename("anna")
    bob.wait_out('"renamed"')
    bob.end_input()
    bob = bob.wait()
    assert bob.code == 0 and bob.out.isascii() and "\x1b" not in bob.out
    came, *events, ended = all_parsed(bob.lines)
    assert (came["event"], came["nick"], came["key_status"]) == ("came", "bob", "new")
    assert [(event["event"], event.get("nick")) for event in events] == [
        ("joined", "bob"),
        ("kept", None),
        ("said", "ann"),
        ("renamed", "ann"),
    ]
    assert ended == {"event": "ended", "code": 0, "reason": ""}
    _, kept, said, _ = events
    assert kept["seq"] == 3
    assert said["text"] == "drei \N{SNOWMAN}\n\x1b[2J\u2028\x7f"
    assert len(said["by"]) == 32 and said["at"] > 0
    assert [event["seq"] for event in events] == [2, 3, 4, 5]


def test_a_program_speaks_json_both_ways(lanchat, room, ann):
    ann.round_trip("hello")
    commands: list[dict[str, object]] = [
        {"say": "two\nlines", "id": "x-1"},
        {"say": "two\nlines", "id": "x-1"},
        {"me": "waves"},
        {"tell": "psst", "to": ann.me, "id": "x-2"},
        {"tell": "psst", "to": "nobody", "id": "x-3"},
        {"away": "lunch"},
        {"say": ""},
        {"leave": True},
        {"say": "never"},
    ]
    bob = lanchat.run(
        "join", at(room), "--nick", "bob", "--json", "--json-in", "--bot", input="\n".join(map(json.dumps, commands))
    )
    ann.hear_kind(Left, nick="bob")
    assert ann.texts == ["hello", "two\nlines", "waves"], "the second with the same id was recognised"
    ann.hear_kind(Joined, nick="bob", bot=True)
    ann.hear_kind(Status, nick="bob", away="lunch")
    lines = all_parsed(bob.lines)
    assert {line["id"]: line["receipt"] for line in lines if line["event"] == "kept" and line["id"][:2] == "x-"} == {
        "x-1": None,
        "x-2": "here",
    }
    refused = [(line["id"], line["line"]) for line in lines if line["event"] == "refused"]
    assert (None, 7) in refused and len(refused) == 2
    assert bob.code == lines[-1]["code"] == 1


def test_a_script_gets_no_colours(lanchat, room, ann):
    ann.member.outgoing.say("hello")
    bob = lanchat.start(
        "join", at(room), "--nick", "bob", "--history", stdin="pipe", TERM="xterm-256color", FORCE_COLOR="1"
    )
    bob.wait_out("hello\n")
    bob.end_input()
    bob = bob.wait()
    assert bob.code == 0 and "\x1b" not in bob.out + bob.err


@pytest.mark.full
def test_characters_that_the_encoding_lacks_are_replaced(lanchat, room, ann):
    """They are no reason to end."""
    bob = lanchat.start("join", at(room), "--nick", "bob", "--until", "the end", PYTHONIOENCODING="ascii:strict")
    bob.wait_err("bob joined")
    ann.member.outgoing.say("drei \N{SNOWMAN}")
    ann.member.outgoing.say("the end")
    bob = bob.wait()
    assert (bob.code, len(bob.lines)) == (0, 2)
    assert "Traceback" not in bob.err


# ---- when it leaves


def test_linger_keeps_the_script_in_the_room_after_stdin_ends(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--linger", "30", stdin="hello\n")
    ann.hear_text("hello")
    ann.member.outgoing.say("are you there")
    bob.wait_out("are you there")
    assert bob.stop(signal.SIGINT).code == 130
    assert lanchat.run("join", at(room), "--nick", "bob", "--linger", "0.2", input="so long\n").code == 0


def test_until_a_line_of_somebody_else_contains_the_text(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--until", "pong", stdin="ping and pong\n")
    ann.hear_text("ping and pong")
    ann.member.outgoing.say("wait")
    bob.wait_out("wait")
    assert bob.process.poll() is None, "its own line does not count, and the end of stdin does not end it"
    ann.member.outgoing.say("here is a pong for you")
    bob = bob.wait()
    assert (bob.code, bob.lines) == (0, ["ann: wait", "ann: here is a pong for you"])


def test_until_ends_it_while_stdin_is_open(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--until", "pong", stdin="pipe")
    bob.wait_err("bob joined")
    ann.member.outgoing.say("pong")
    assert bob.wait().code == 0


def test_without_history_only_new_lines_count(lanchat, room, ann):
    """A "ship it" of last week must not start a deployment today."""
    ann.member.outgoing.say("ship it", action=True)
    ann.hear_text("ship it")
    bob = lanchat.start("join", at(room), "--nick", "bob", "--no-history", "--until", "ship it", "--json")
    bob.wait_err("bob joined")
    ann.member.outgoing.say("now ship it")
    bob = bob.wait()
    said = [line["text"] for line in all_parsed(bob.lines) if line["event"] == "said"]
    assert (bob.code, said) == (0, ["now ship it"])


def test_at_the_timeout_it_says_what_did_not_come(room, enter):
    options = ScriptOptions(until="never", timeout=0.1)
    deadline = options.deadline(time.monotonic())
    bob = script.Script(enter(room, "bob"), iter(["hello"]), io.StringIO(), io.StringIO(), options, deadline=deadline)
    with pytest.raises(TimedOut) as caught:
        bob.run()
    assert str(caught.value) == 'No line with "never" arrived within 0.1 s.'


def test_the_timeout_counts_while_a_room_is_looked_for(lanchat, room):
    bob = lanchat.run("join", own_title("Nobody's room"), "--nick", "bob", "--wait", "60", "--timeout", "0.2")
    assert bob.code == 124, bob.err
    assert re.search(r"looked for (0\.\d|less than 0\.1) s", bob.err), "of 60 s, only what the timeout left"


def test_timeout_while_stdin_is_open(lanchat, room):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--timeout", "0.3", stdin="pipe")
    assert bob.wait().code == 124


@pytest.mark.full
def test_the_shorter_of_linger_and_timeout_decides(lanchat, room):
    assert lanchat.run("join", at(room), "--nick", "bob", "--linger", "0.2", "--timeout", "9", input="x\n").code == 0
    assert lanchat.run("join", at(room), "--nick", "bob", "--linger", "9", "--timeout", "0.2", input="x\n").code == 124


def test_a_very_long_time_is_no_error(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", "--linger", "1e10", "--timeout", "inf", stdin="hello\n")
    ann.hear_text("hello")
    ann.member.outgoing.say("still there")
    bob.wait_out("still there")
    bob = bob.stop(signal.SIGINT)
    assert bob.code == 130 and "Traceback" not in bob.err


def test_the_end_of_the_room_ends_the_script(lanchat, room):
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    room.close()
    bob = bob.wait()
    assert bob.code == 6 and CLOSED.fullmatch(bob.said[-1])


@POSIX
@pytest.mark.parametrize(
    "end", ["interrupt", *(pytest.param(end, marks=pytest.mark.full) for end in ("timeout", "patience"))]
)
def test_after_the_host_was_killed_it_tries_to_reconnect(lanchat, end):
    """It says so, and tries until it is interrupted, out of time, or out of patience."""
    hal = lanchat.host("Room A")
    limit = ("--timeout", "4") if end == "timeout" else ()
    bob = lanchat.start("join", hal.address, "--nick", "bob", *limit, stdin="pipe")
    bob.wait_err("bob joined")
    hal.send(signal.SIGKILL)
    bob.wait_err("Reconnecting …")
    if end == "interrupt":
        bob.send(signal.SIGINT)
    bob = bob.wait(50)
    assert bob.code == {"timeout": 124, "interrupt": 130, "patience": 6}[end]
    assert "Traceback" not in bob.err
    assert bob.said[-1].startswith("lanchat: ") or end == "interrupt"


def test_after_a_reconnect_it_says_why_the_host_had_dropped_it(lanchat, room, ann):
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    for link in room.links:
        link.drop("slow", "reads too slowly")
    bob.wait_err("-- Connected again.\n")
    wait_until(lambda: [line for line in bob.err.splitlines() if "this computer read too slowly" in line])
    bob.wait_err("-- ann left (could not keep up)\n")
    bob.end_input()
    assert bob.wait().code == 0


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_a_goodbye(lanchat, room, ann, number):
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    bob = bob.stop(number)
    assert (bob.code, bob.said) == (130, [first_note(room), "-- bob joined", ""])
    ann.hear(lambda: [item for item in ann.items if getattr(item, "reason", None) == "" and item.nick == "bob"])


@POSIX
def test_a_pipe_that_is_closed_early_is_no_error(lanchat, room, ann, tmp_path):
    for number in range(10):
        ann.member.outgoing.say(f"line {number}")
    assert ann.member.delivery.wait_acked(PATIENCE)
    command = shlex.join(lanchat.argv("join", at(room), "--nick", "bob", "--until", "enough"))
    argv = ["bash", "-c", f"set -o pipefail; {command} </dev/null | head -n 1"]
    with Program(argv, tmp_path / "pipe", lanchat.env("bob")) as running:
        ann.hear_kind(Joined, nick="bob")
        ann.member.outgoing.say("enough")
        ended = running.wait()
    assert (ended.code, ended.out) == (0, "ann: line 0\n")
    assert set(ended.said) <= {first_note(room), "-- ann joined", "-- bob joined", "-- bob left"}


@POSIX
def test_a_reader_that_goes_away_ends_the_script(lanchat, room, ann):
    reader, writer = os.pipe()
    with open(writer, "wb") as out:
        bob = lanchat.start("join", at(room), "--nick", "bob", "--history", stdin="pipe", stdout=out.fileno())
    with open(reader, "rb") as seen:
        ann.member.outgoing.say("one")
        assert seen.readline() == b"ann: one\n"
    ann.member.outgoing.say("two")
    ended = bob.wait()
    assert ended.code == 0
    assert "Traceback" not in ended.err and "Exception" not in ended.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_an_error(lanchat, room, ann):
    ann.member.outgoing.say("one")
    with open("/dev/full", "wb") as full:
        arguments = ("join", at(room), "--nick", "bob", "--until", "never")
        bob = lanchat.start(*arguments, stdout=full.fileno())
    ended = bob.wait()
    assert ended.code == 1
    assert ended.said[-1] == "lanchat: Cannot write the output: No space left on device."
    assert "Traceback" not in ended.err


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The writing end of a full pipe that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@POSIX
@pytest.mark.parametrize("end", [pytest.param("timeout", marks=pytest.mark.full), "signal"])
def test_it_ends_although_nobody_reads_its_output(lanchat, room, ann, full_pipe, end):
    limit = ("--timeout", "4") if end == "timeout" else ()
    bob = lanchat.start("join", at(room), "--nick", "bob", "--until", "never", *limit, stdout=full_pipe)
    ann.hear_kind(Joined, nick="bob")
    ann.member.outgoing.say("hello")
    bob.wait_err("bob joined")
    ended = bob.wait() if end == "timeout" else bob.stop(signal.SIGTERM)
    assert ended.code == (124 if end == "timeout" else 130)
    assert "Traceback" not in ended.err


def test_what_arrived_is_written_to_a_slow_reader(room, ann, enter, monkeypatch):
    """The script is over, but its reader, perhaps a pager, still gets everything."""
    monkeypatch.setattr(script, "DRAIN_LIMIT", 0.0)
    pager, codes = Pager(), []
    bob = script.Script(enter(room, "bob"), iter(()), pager, io.StringIO(), ScriptOptions())
    running = threading.Thread(target=lambda: codes.append(bob.run()))
    running.start()
    ann.hear_kind(Left, nick="bob")
    pager.reads_on.set()
    running.join()
    assert (codes, bob.output_blocked) == ([0], False)


def test_a_message_too_many_ends_a_script_with_an_error(room, enter, own_world, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_UNSENT", 0)
    bob = enter(room, "bob", open_store=lambda card: DiskStore(own_world, card, ignore))
    stay = script.Script(bob, iter(["hello", "and more"]), io.StringIO(), io.StringIO(), ScriptOptions())
    with pytest.raises(LanchatError, match="Not sent: 0 messages are waiting already") as caught:
        stay.run()
    assert caught.value.exit_code == 1 and caught.value.hint


class Pager(io.StringIO):
    """Reads nothing until the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.reads_on = threading.Event()

    def flush(self) -> None:
        assert self.reads_on.wait(PATIENCE)


@pytest.mark.full
@POSIX
@pytest.mark.skipif(shutil.which("nohup") is None, reason="needs nohup")
def test_a_host_under_nohup_outlives_its_terminal(own_world):
    with Commands(own_world / "nohup", prefix=("nohup",)) as nohup, Commands(own_world) as lanchat:
        hal = nohup.host("Room A")
        hal.send(signal.SIGHUP)
        assert lanchat.run("join", hal.address, "--nick", "ann", input="hello\n").code == 0
        hal.wait_out("ann: hello\n")
        assert hal.stop(signal.SIGTERM).code == 130


# ---- hosts


def test_a_host_talks_and_leaves_when_stdin_ends(lanchat):
    hal = lanchat.host("Room A", stdin="pipe")
    bob = lanchat.start("join", hal.address, "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    hal.say("welcome\n")
    bob.wait_out("hal: welcome\n")
    bob.say("hello hal\n")
    hal.wait_out("bob: hello hal\n")
    hal.end_input()
    assert hal.wait().code == 0
    bob = bob.wait()
    assert bob.code == 6 and CLOSED.fullmatch(bob.said[-1])


def test_a_host_with_linger_stays(lanchat):
    hal = lanchat.host("Room A", "--linger", "30", stdin="welcome\n")
    assert shown_to_a_newcomer(lanchat, hal.address, "welcome\n") == ["hal: welcome"]
    hal.wait_err("bob left")
    assert hal.stop(signal.SIGINT).code == 130


@pytest.mark.parametrize("options", [(), ("--headless",)])
def test_a_host_with_nothing_to_read_stays_until_a_signal(lanchat, options):
    hal = lanchat.host("Room A", *options)
    assert lanchat.run("join", hal.address, "--nick", "ann", input="hello\n").code == 0
    hal.wait_out("ann: hello\n")
    hal.wait_err("ann left\n")
    hal = hal.stop(signal.SIGINT)
    assert hal.code == 130 and "Traceback" not in hal.err


def test_a_headless_host_does_not_read(lanchat):
    hal = lanchat.host("Room A", "--headless", stdin="not said\n")
    assert lanchat.run("join", hal.address, "--nick", "ann", input="said\n").code == 0
    hal.wait_err("ann left")
    assert shown_to_a_newcomer(lanchat, hal.address, "said\n") == ["ann: said"]


def test_a_host_leaves_at_the_text_that_it_waits_for(lanchat):
    hal = lanchat.host("Room A", "--until", "stop")
    ann = lanchat.run("join", hal.address, "--nick", "ann", "--linger", "20", input="please stop\n")
    assert ann.code == 6 and CLOSED.fullmatch(ann.said[-1])
    assert hal.wait().code == 0


def test_netcat_joins_by_the_plain_port(lanchat):
    hal = lanchat.host("Room A", "--plain-port", "0", stdin="pipe")
    found = re.search(r"^  nc 127\.0\.0\.1 (\d+)$", hal.err, re.MULTILINE)
    assert found
    with socket.create_connection(("127.0.0.1", int(found[1])), timeout=PATIENCE) as nc:
        assert nc.recv(100) == b"Enter your name: "
        nc.sendall(b"pat\nhello\n")
        hal.wait_out("~pat: hello\n")
        hal.say("hello pat\n")
        with nc.makefile() as heard:
            assert heard.readline().startswith("* You are in Room A as pat. Here: hal.")
            assert heard.readline() == "hal: hello pat\n"


# ---- found by title


def test_a_room_is_found_by_its_title(lanchat):
    """Ann says a line, and bob, who joins later, waits for it."""
    title = own_title("Demo")
    hal = lanchat.host(title, "--headless", announce=True)
    ann = lanchat.run("join", title, "--wait", f"{PATIENCE}", "--nick", "ann", input="hello\n")
    assert (ann.code, ann.out) == (0, "")
    bob = lanchat.run("join", title, "--wait", f"{PATIENCE}", "--nick", "bob", "--until", "hello")
    assert (bob.code, bob.out) == (0, "ann: hello\n")
    hal = hal.stop()
    assert hal.out == "ann: hello\n" and "Traceback" not in hal.err


def test_an_unknown_title_says_which_rooms_there_are(lanchat):
    title = own_title("Demo")
    lanchat.host(title, "--headless", announce=True)

    def is_named() -> bool:
        nowhere = lanchat.run("join", f"No {title}", "--wait", "1")
        assert nowhere.code == 3
        return f'"{title}"' in nowhere.said[1]

    wait_until(is_named, what="the other room to be named")


@pytest.mark.full
def test_two_rooms_with_one_title_on_one_machine_are_told_apart_by_address(lanchat):
    title = own_title("Twins")
    hals = [lanchat.start("host", title, "--nick", nick) for nick in ("hal", "hans")]
    addresses = [hal.address for hal in hals]
    assert len(set(addresses)) == 2, "the second takes the next free port"
    wait_until(lambda: len(_rooms(lanchat, title)) == 2, 30)
    ann = lanchat.run("join", title, "--nick", "ann", input="hello\n")
    assert ann.code == 1
    what, hint = ann.said
    assert what == f'lanchat: 2 rooms are called "{title}".'
    for address, nick in zip(addresses, ("hal", "hans"), strict=True):
        assert f"{address} hosted by {nick}" in hint
    assert lanchat.run("join", addresses[1], "--nick", "ann", input="hello\n").code == 0
    hals[1].wait_out("ann: hello\n")
    assert hals[0].out == ""


def _rooms(lanchat: Commands, title: str) -> list[str]:
    listed = lanchat.run("rooms", "--json", "--wait", "1")
    assert listed.code == 0
    found = [json.loads(line) for line in listed.lines]
    return [room["addresses"][0] for room in found if room["title"] == title and room["state"] == "answering"]


@pytest.mark.full
def test_rooms_watch_reports_what_appears_and_goes(lanchat):
    title = own_title("Watched")
    watch = lanchat.start("rooms", "--json", "--watch")
    hal = lanchat.host(title, announce=True)
    watch.wait_out(f'"title": "{title}"')
    hal.stop()
    wait_until(lambda: any(_change(line) == ("gone", title) for line in watch.lines), 20, "the room to be gone")
    watch = watch.stop(signal.SIGINT)
    changes = [_change(line) for line in watch.lines]
    assert [change for change, of in changes if of == title][0] == "appeared"
    assert watch.code == 130 and watch.err.strip() == ""


def _change(line: str) -> tuple[str, str]:
    report = json.loads(line)
    return report["change"], report["title"]
