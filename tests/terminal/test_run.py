"""What a host tells its person first, and where nobody reads."""

import io
import os
import subprocess

import pytest

import lanchat
from lanchat.errors import TimedOut
from lanchat.terminal.chat.chat import Chat, ChatEnd
from lanchat.terminal.notices import Problems
from lanchat.terminal.run import is_nowhere, quoted, run_script, talk, ways_in
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    "title", ["Room A", "it's", 'say "hi"', "$HOME", "`id`", "a\\b", "100%", "wow!", "-x", "Café", "'\"$"]
)
def test_what_others_type_is_one_word_for_a_shell(title):
    done = subprocess.run(["sh", "-c", f"printf %s {quoted(title)}"], capture_output=True, check=True)
    assert done.stdout.decode() == title


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Room A", '  lanchat join "Room A"'),
        ("-x", '  lanchat join -- "-x"'),
        ("node.js", '  lanchat join "node.js"'),
        ("10.0.0.1:80", None),
    ],
)
def test_the_line_that_a_host_shows_is_one_that_works(own_world, title, line):
    with lanchat.host(title, nick="hal", port=0, announce=False, ephemeral=True) as room:
        _, first, *_ = ways_in(room, ("127.0.0.1",))
        assert first == (line or f"  lanchat join 127.0.0.1:{room.host.port}")


@pytest.mark.parametrize("ephemeral", [False, True])
def test_who_leaves_while_something_waits_is_told_what_becomes_of_it(own_world, monkeypatch, capsys, ephemeral):
    with lanchat.host("Room A", nick="hal", port=0, announce=False, ephemeral=ephemeral) as hal:
        monkeypatch.setenv("LANCHAT_HOME", f"{own_world}/bob")
        with lanchat.join(f"127.0.0.1:{hal.host.port}", nick="bob", patience=None) as bob:
            hal.close()
            monkeypatch.setattr(Chat, "run", lambda chat: leave_with(bob, "one", "two"))
            talk(bob, Problems())
    fate = "are lost" if ephemeral else "wait here and go out when you are in the room again"
    assert capsys.readouterr().err == f"2 messages of yours had not reached the room, and {fate}.\n"


def leave_with(room: lanchat.JoinedRoom, *texts: str) -> ChatEnd:
    """What a person does who types these into a room that is gone, and goes."""
    wait_until(lambda: not room.member.connected)
    for text in texts:
        room.member.say(text)
    return ChatEnd()


def test_where_nobody_reads(tmp_path):
    with open(os.devnull, "w") as null, open(tmp_path / "file", "w") as file:
        assert is_nowhere(null)
        assert not is_nowhere(file)
    assert not is_nowhere(io.StringIO()) and not is_nowhere(None)


@pytest.mark.parametrize(("until", "deaf"), [(None, True), ("enough", False)])
def test_a_headless_host_that_nobody_reads_does_not_listen_either(own_world, monkeypatch, until, deaf):
    """Else it would take a good part of the time that its members need."""
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as room, open(os.devnull, "w") as null:
        monkeypatch.setattr("sys.stdout", null)
        plan = {"linger": None, "until": until, "timeout": 0.1, "as_json": False, "no_history": False}
        with pytest.raises(TimedOut):
            run_script(room, Problems(), stay=True, nothing_to_read=True, **plan)
        assert room.member._deaf == deaf
