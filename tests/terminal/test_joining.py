"""What a person is asked before the room, and what is kept of the answers."""

from contextlib import closing

import pytest

from lanchat.errors import Refused
from lanchat.storage.home import home_folder, save_nick, saved_nick
from lanchat.storage.own_settings import own_settings
from lanchat.terminal import joining
from lanchat.terminal.joining import join_by_name, until_admitted
from lanchat.terminal.prompts import WantedNick, Who


@pytest.fixture
def enter(own_world):
    """`enter(room, nick, given=False, ...)`: a person joins by the room's invite. Returns the nick there."""

    def join_and_leave(room, nick, *, given=False, password=None, remember=False, ask=True) -> str:
        invite = f"lanchat://127.0.0.1:{room.port}/{room.room_id}#{room.identity.id}"
        who = Who(WantedNick(nick, given), password, remember)
        with closing(join_by_name(invite, who, 5, ("127.0.0.1",), pytest.fail, ask=ask)) as joined:
            return joined.nick

    return join_and_leave


@pytest.fixture
def answers(monkeypatch):
    """What the person answers to each question, in this order."""
    left: list[str] = []
    monkeypatch.setattr(joining, "ask_nick", lambda question, default: left.pop(0))
    monkeypatch.setattr(joining, "ask_password", lambda title: left.pop(0))
    return left


def test_the_nick_that_a_room_has_accepted_is_remembered_there_and_the_refused_one_nowhere(host, join, enter, answers):
    room, other = host(title="Room A"), host(title="Room B")
    join(room, "bob")
    answers.append("evita")
    assert enter(room, "bob", given=True) == "evita"
    assert saved_nick(home_folder()) == "evita", "it is the first that was accepted at all"
    save_nick(home_folder(), "eve")
    assert enter(room, "eve") == "evita", "nobody is asked again"
    assert enter(other, "eve") == "eve"
    assert enter(room, "eve", ask=False) == "evita", "a script has the nick of its person"


def test_a_nick_that_was_given_is_kept_once_it_was_accepted(host, enter):
    room = host(title="Room A")
    assert enter(room, "ann", given=True) == "ann"
    assert enter(room, "anna", given=True) == "anna"
    assert saved_nick(home_folder()) == "anna" and enter(room, "anna") == "anna"


def test_a_password_is_remembered_only_if_the_person_says_so(host, enter, answers):
    room = host(title="Room A", password="correct horse")
    answers += ["correct horse", "correct horse"]
    enter(room, "ann", given=True)
    assert own_settings(home_folder(), room.room_id).password == ""
    enter(room, "ann", remember=True)
    assert answers == []
    enter(room, "ann")
    enter(room, "ann", ask=False)


def test_a_remembered_password_that_is_wrong_is_forgotten(host, enter, answers):
    room = host(title="Room A", password="correct horse")
    enter(room, "ann", password="correct horse", remember=True)
    own_settings(home_folder(), room.room_id).change(password="battery staple")
    with pytest.raises(Refused):
        enter(room, "ann", ask=False)
    assert own_settings(home_folder(), room.room_id).password == ""
    answers.append("correct horse")
    enter(room, "ann")
    assert answers == []


def test_a_remembered_password_that_a_room_does_not_have_any_more_is_said_how_to_forget(host, enter):
    room = host(title="Room A")
    enter(room, "ann")
    own_settings(home_folder(), room.room_id).change(password="correct horse")
    with pytest.raises(Refused, match="has no password, but you came with one. It was remembered here") as caught:
        enter(room, "ann")
    assert f'lanchat trust --forget "{room.room_id}"' in caught.value.hint
    assert own_settings(home_folder(), room.room_id).password, "only the person decides that"


@pytest.mark.parametrize("first", ["in the list", "given", "unknown"])
def test_a_person_types_three_passwords_however_the_first_one_came(first, answers):
    answers += ["one", "two", "three", "four"]
    tried = []

    def join(nick: str, password: str | None) -> None:
        tried.append(password)
        raise Refused("The password is wrong.", code="password")

    given = "guess" if first == "given" else None
    with pytest.raises(Refused, match="wrong"):
        until_admitted(join, "ann", given, "Room A", needs_password=first == "in the list")
    before = [] if first == "in the list" else [given]
    assert tried == [*before, "one", "two", "three"] and answers == ["four"]
