"""A room that runs with a screen or as a script, and what its person is told at the beginning and the end."""

import os
import time

import pytest

import lanchat
from lanchat.errors import TimedOut
from lanchat.terminal.chat.chat import Chat, ChatEnd
from lanchat.terminal.options import ScriptOptions
from lanchat.terminal.run import Notices, run_chat, run_script
from lanchat.terminal.wording import COMPARE, first_time_text, unsent_text
from tests.support.waiting import wait_until


@pytest.mark.parametrize("ephemeral", [False, True])
def test_a_person_who_leaves_with_unsent_messages_is_told_what_happens_to_them(
    own_world, monkeypatch, capsys, ephemeral
):
    with lanchat.host("Room A", nick="hal", port=0, announce=False, ephemeral=ephemeral) as hal:
        monkeypatch.setenv("LANCHAT_HOME", f"{own_world}/bob")
        with lanchat.join(f"127.0.0.1:{hal.host.port}", nick="bob", patience=None) as bob:
            hal.close()
            monkeypatch.setattr(Chat, "run", lambda chat: say_and_leave(bob, "one", "two"))
            run_chat(bob, Notices())
    assert capsys.readouterr().err == unsent_text(2, kept=not ephemeral, last="two") + "\n"


@pytest.mark.parametrize("invited", [True, False])
def test_who_comes_by_an_invite_has_nothing_to_compare(own_world, monkeypatch, invited):
    notes: list[str] = []
    with lanchat.host("Room A", nick="hal", port=0, announce=False, ephemeral=True) as hal:
        monkeypatch.setenv("LANCHAT_HOME", f"{own_world}/bob")
        where = str(hal.invite) if invited else f"127.0.0.1:{hal.host.port}"
        with lanchat.join(where, nick="bob") as bob:
            monkeypatch.setattr(Chat, "note", lambda chat, text: notes.append(text))
            monkeypatch.setattr(Chat, "run", lambda chat: ChatEnd())
            run_chat(bob, Notices())
    first = first_time_text(bob.state.host_id, bob.state.owner_id, invited=invited)
    assert notes == [first if invited else f"{first}\n{COMPARE}"]
    assert ("is the one in your invite" in first) == invited


def say_and_leave(room: lanchat.JoinedRoom, *texts: str) -> ChatEnd:
    """A person who types these into a room that is gone, and leaves."""
    wait_until(lambda: not room.connected)
    for text in texts:
        room.say(text)
    return ChatEnd()


@pytest.mark.parametrize(("until", "deaf"), [(None, True), ("enough", False)])
def test_a_headless_host_whose_output_is_discarded_does_not_listen(own_world, monkeypatch, until, deaf):
    """Otherwise it would take a good part of the time that its members need."""
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as room, open(os.devnull, "w") as null:
        monkeypatch.setattr("sys.stdout", null)
        with pytest.raises(TimedOut):
            options = ScriptOptions(until=until, timeout=0.1)
            run_script(room, Notices(), options, deadline=options.deadline(time.monotonic()), headless=True)
        assert room._delivery.deaf == deaf


def test_notices_wait_until_something_can_show_them():
    shown: list[str] = []
    notices = Notices()
    notices("early")
    assert shown == []
    notices.show_with(shown.append)
    notices("late")
    assert shown == ["early", "late"]
