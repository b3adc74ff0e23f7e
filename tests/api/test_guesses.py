"""A host is told of wrong passwords."""

import pytest

import lanchat
from lanchat.api.guesses import PAUSE, GuessNotices
from lanchat.errors import Refused
from tests.support.waiting import wait_until


def test_the_first_is_told_at_once_and_further_ones_together():
    now, said = [0.0], list[str]()
    wrong = GuessNotices(said.append, lambda: now[0])
    wrong("192.168.1.9")
    for _ in range(4):
        wrong("192.168.1.7")
    assert said == ["Somebody at 192.168.1.9 gave a wrong password."]
    now[0] = PAUSE
    wrong("")
    assert said[1:] == ["5 wrong passwords were given, the last one at this machine."]


def test_while_a_sentence_waits_for_the_terminal_others_only_count():
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if len(said) == 1:
            now[0] += PAUSE
            wrong("192.168.1.7")  # as another thread would

    now = [0.0]
    wrong = GuessNotices(say, lambda: now[0])
    wrong("192.168.1.9")
    assert len(said) == 1
    wrong("192.168.1.7")
    assert said[1] == "2 wrong passwords were given, the last one at 192.168.1.7."


def test_a_host_is_told_of_a_wrong_password_and_not_of_a_missing_one(own_world):
    said: list[str] = []
    with lanchat.host("Room A", port=0, announce=False, password="correct horse", on_problem=said.append) as room:
        address = f"127.0.0.1:{room.host.port}"
        for password in (None, "battery staple"):
            with pytest.raises(Refused):
                lanchat.join(address, nick="eve", password=password)
        wait_until(lambda: said)
    assert said == ["Somebody at this machine gave a wrong password."]
