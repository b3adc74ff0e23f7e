"""The commands of a script, as processes: what they say, print and leave, and their exit codes."""

import json
import os
import shlex
import sys
from collections.abc import Callable

import pytest

from lanchat.client.member import Member
from lanchat.server.host import Host
from lanchat.terminal.runner import outcome
from tests.support.contract import parsed
from tests.support.people import Listener, PlainClient
from tests.support.program import Program


@pytest.fixture
def room(host: Callable[..., Host]) -> Host:
    return host("Room A", plain_port=0)


@pytest.fixture
def ann(room: Host, join: Callable[..., Member]) -> Listener:
    return Listener(join(room, "ann"))


def at(room: Host) -> str:
    return f"127.0.0.1:{room.port}"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


# ---- send


def test_words_are_said_and_nothing_is_printed(lanchat, room, ann):
    build = lanchat.run("send", at(room), "deployed", "1.4", "--nick", "build")
    assert (build.code, build.out) == (0, "")
    assert ann.hear_text("deployed 1.4").nick == "build"


@pytest.mark.skipif(os.name != "posix", reason="names a pipe by a path")
def test_a_password_file_may_be_a_pipe_that_gives_it_once(lanchat, host, join):
    guarded = host("Secret", password="right horse")
    ann = Listener(join(guarded, "ann", password="right horse"))
    words = ("send", at(guarded), "hello", "--nick", "build", "--password-file", "/dev/stdin")
    build = lanchat.start(*words, stdin="pipe")
    build.say("right horse\n")
    build.end_input()
    assert build.wait().code == 0, build.err
    ann.hear_text("hello")


def test_each_line_of_stdin_is_said(lanchat, room, ann):
    assert lanchat.run("send", at(room), "--nick", "build", input="one\n\ntwo\n").code == 0
    ann.hear_text("two")
    assert ann.texts == ["one", "two"]


def test_more_lines_than_may_be_on_their_way_at_once(lanchat, room, ann):
    lines = [f"line {number}" for number in range(300)]
    assert lanchat.run("send", at(room), "--nick", "build", input="\n".join(lines)).code == 0
    ann.hear_text(lines[-1])
    assert ann.texts == lines


def test_all_of_stdin_is_one_message(lanchat, room, ann):
    assert lanchat.run("send", at(room), "--whole", "--nick", "build", input="one\n  two\n").code == 0
    ann.hear_text("one\n  two")


@pytest.mark.skipif(os.name != "posix", reason="redirects with a POSIX shell")
def test_a_stdin_for_writing_only_is_an_empty_message(lanchat):
    """nohup opens it like this."""
    command = shlex.join(lanchat.argv("send", "127.0.0.1:1", "--whole", "--nick", "build"))
    with Program(["sh", "-c", f"{command} 0>/dev/null"], lanchat.folder / "nohup", lanchat.env("build")) as build:
        ended = build.wait()
    assert (ended.code, "A message cannot be empty." in ended.err) == (2, True), ended.err


def test_what_is_too_long_for_one_message_is_a_usage_error_before_anything_is_said(lanchat, room, ann):
    ended = lanchat.run("send", at(room), "--whole", "--nick", "build", input="x" * 5000)
    assert ended.code == 2
    assert lanchat.run("send", at(room), "next", "--nick", "build").code == 0
    ann.hear_text("next")
    assert ann.texts == ["next"]


def test_an_action(lanchat, room, ann):
    assert lanchat.run("send", at(room), "--me", "waves", "--nick", "build").code == 0
    assert ann.hear_text("waves").action


def test_a_private_message_comes_to_one_alone(lanchat, room, ann, join):
    bob = Listener(join(room, "bob"))
    assert lanchat.run("send", at(room), "--to", "bob", "psst", "--nick", "build").code == 0
    bob.hear(lambda: "psst" in [getattr(item, "text", "") for item in bob.items])
    ann.round_trip("afterwards")
    assert ann.texts == ["afterwards"]


def test_a_private_message_to_nobody_is_refused(lanchat, room):
    ended = lanchat.run("send", at(room), "--to", "zoe", "psst", "--nick", "build")
    assert ended.code == 4
    assert "zoe" in ended.err


def test_a_private_message_to_a_guest_is_refused_because_the_host_could_read_it(lanchat, room, ann):
    guest = PlainClient(room.ports["plain"])
    guest.come_in("gus")
    ann.hear(lambda: "gus" in str(ann.items))
    ended = lanchat.run("send", at(room), "--to", "gus", "psst", "--nick", "build")
    guest.socket.close()
    assert ended.code == 4


def test_an_id_makes_a_retry_safe(lanchat, room, ann):
    for _ in range(2):
        ended = lanchat.run("send", at(room), "once", "--id", "build-7", "--json", "--nick", "build")
        assert ended.code == 0
        assert json.loads(ended.out)["id"] == "build-7"
    assert lanchat.run("send", at(room), "next", "--nick", "build").code == 0
    ann.hear_text("next")
    assert ann.texts == ["once", "next"]


@pytest.mark.parametrize("id", ["", "with space", "x" * 65, "ünicode"])
def test_an_id_that_is_none_is_a_usage_error(lanchat, id):
    assert lanchat.run("send", "127.0.0.1:1", "text", "--id", id, "--nick", "build").code == 2


def test_json_has_the_number_that_the_message_got(lanchat, room, ann):
    ended = lanchat.run("send", at(room), "hello", "--json", "--nick", "build")
    said = ann.hear_text("hello")
    assert json.loads(ended.out) == {"event": "kept", "id": said.id, "seq": said.seq, "receipt": None}


def test_a_room_that_does_not_answer(lanchat):
    assert lanchat.run("send", "127.0.0.1:1", "text", "--nick", "build").code == 3


def test_what_an_earlier_join_could_not_send_is_not_sent(lanchat, room, ann):
    """A stale "restart the server" is not for a program that says something else. The next join sends it."""
    from lanchat.protocol.messages import Say
    from lanchat.storage.outbox import Outbox
    from lanchat.storage.rooms import joined_folder

    outbox = Outbox(joined_folder(lanchat.home("build"), room.room_id, "Room A", 0))
    outbox.add(Say("stale-1", "restart the server"))
    outbox.close()
    assert lanchat.run("send", at(room), "fresh", "--nick", "build").code == 0
    ann.hear_text("fresh")
    assert lanchat.run("join", at(room), "--nick", "build", input="last\n").code == 0
    ann.hear_text("last")
    assert ann.texts == ["fresh", "restart the server", "last"]


@pytest.mark.parametrize(
    ("code", "says"),
    [("raise SystemExit(0)", "finished after"), ("raise SystemExit(3)", "failed with exit code 3 after")],
)
def test_the_outcome_of_a_program_is_said_and_its_exit_code_is_ours(lanchat, room, ann, code, says):
    ended = lanchat.run("send", at(room), "--nick", "build", "--run", "--", *python(code))
    ann.hear(lambda: ann.texts)
    assert says in ann.texts[0]
    assert ended.code == (3 if "3" in code else 0)


@pytest.mark.skipif(sys.platform != "linux", reason="arguments elsewhere are Unicode")
def test_the_outcome_of_a_program_with_an_argument_that_is_no_unicode_can_be_said():
    assert (
        outcome(["echo", os.fsdecode(b"\xff")], 0, 1.0).text.encode() == "\"echo '\ufffd'\" finished after 1 s".encode()
    )


def test_a_program_that_does_not_exist(lanchat, room):
    ended = lanchat.run("send", at(room), "--nick", "build", "--run", "--", "no-such-program")
    assert ended.code == 1
    assert "no-such-program" in ended.err


@pytest.mark.parametrize("words", [["text", "--whole"], ["--me", "--to", "ann", "text"], ["--run"]])
def test_words_that_contradict_each_other_are_usage_errors(lanchat, words):
    assert lanchat.run("send", "127.0.0.1:1", "--nick", "build", *words).code == 2


@pytest.mark.parametrize(("command", "option"), [("send", "--run"), ("tail", "--exec")])
def test_an_option_behind_that_of_the_program_is_named(lanchat, command, option):
    ended = lanchat.run(command, "127.0.0.1:1", option, "--nick", "build", "--", "false")
    assert ended.code == 2 and f"--nick stands where the program belongs, behind {option}." in ended.err


def test_a_shell_that_completes_gets_no_usage_error(lanchat):
    words = "lanchat send room --run "
    ended = lanchat.run(_LANCHAT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="4")
    assert ended.err == ""


# ---- tail


def test_the_last_messages_are_printed(lanchat, room, ann):
    for text in ("one", "two", "three"):
        ann.round_trip(text)
    ended = lanchat.run("tail", at(room), "-n", "2", "--nick", "bob")
    assert (ended.code, ended.lines) == (0, ["ann: two", "ann: three"])


@pytest.mark.parametrize("number", [200, 650])
def test_more_than_a_newcomer_gets_is_fetched(lanchat, room, ann, number):
    """The host sends 500 events by itself to who asks for more than 50 messages, and the rest in pages."""
    for text in range(699):
        ann.member.outgoing.say(str(text))
    ann.round_trip("699")
    ended = lanchat.run("tail", at(room), "-n", str(number), "--nick", "bob")
    assert (ended.code, ended.lines) == (0, [f"ann: {text}" for text in range(700 - number, 700)])


def test_somebody_who_is_in_the_room_already_can_look_at_it(lanchat, room, ann):
    """Then nothing of the host tells where the past ends."""
    ann.round_trip("one")
    bob = lanchat.start("join", at(room), "--nick", "bob", stdin="pipe")
    bob.wait_err("bob joined")
    assert lanchat.run("tail", at(room), "--nick", "bob").lines == ["ann: one"]
    bob.end_input()
    assert bob.wait().code == 0


def test_an_empty_room_has_no_last_message(lanchat, room):
    ended = lanchat.run("tail", at(room), "--nick", "bob")
    assert (ended.code, ended.out) == (0, "")


def test_what_is_older_is_not_shown(lanchat, room, ann):
    ann.round_trip("one")
    assert lanchat.run("tail", at(room), "--since", "1h", "--nick", "bob").lines == ["ann: one"]
    assert lanchat.run("tail", at(room), "--since", "yesterday", "--nick", "bob").code == 2


def test_a_private_message_that_waited_is_shown_once(lanchat, room, join, identity):
    assert lanchat.run("tail", at(room), "--nick", "bob").code == 0
    assert lanchat.run("send", at(room), "--to", "bob", "psst", "--nick", "ann").code == 0
    assert lanchat.run("tail", at(room), "--nick", "bob").lines == ["[ann -> you] psst"]
    assert lanchat.run("tail", at(room), "--nick", "bob").lines == []


def test_what_comes_is_printed_until_the_room_is_gone(lanchat, room, ann):
    ann.round_trip("one")
    bob = lanchat.start("tail", at(room), "-f", "--json", "--nick", "bob")
    assert parsed(bob.next_line())["event"] == "came"
    one = parsed(bob.next_line())
    assert (one["text"], one["history"]) == ("one", True)
    assert parsed(bob.next_line())["event"] == "joined"
    ann.member.outgoing.say("two")
    assert parsed(bob.next_line())["text"] == "two"
    room.close()
    assert bob.wait().code == 6
    assert parsed(bob.next_line())["code"] == 6


def test_the_time_is_over(lanchat, room):
    assert lanchat.run("tail", at(room), "-f", "--timeout", "1", "--nick", "bob").code == 124


def test_a_program_is_run_for_each_message_and_no_shell_sees_it(lanchat, room, ann, tmp_path):
    out = tmp_path / "out"
    code = "import os,sys; print(sys.stdin.read(), os.environ['LANCHAT_MSG_NICK'], sys.argv[1:], file=open(%r, 'a'))"
    bob = lanchat.start("tail", at(room), "-f", "--nick", "bob", "--exec", *python(code % str(out)), "-n", "--json")
    ann.hear(lambda: "bob" in str(ann.items))
    hostile = "$(touch hole) `id`; \x1b[2J"
    ann.member.outgoing.say("first")
    ann.member.outgoing.say(shlex.quote(hostile))
    bob_lines = lambda: out.read_text().splitlines() if out.exists() else []  # noqa: E731
    ann.hear(lambda: len(bob_lines()) == 2)
    assert bob_lines()[0] == "first ann ['-n', '--json']"
    assert "$(touch hole) `id`" in bob_lines()[1] and "\x1b" not in bob_lines()[1]
    bob.stop()
