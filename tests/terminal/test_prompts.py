"""The questions before the screen is up."""

import pytest

from lanchat.terminal.prompts import ask_new_password, ask_password


@pytest.fixture
def types(monkeypatch):
    """`types("abc", ...)`: what the person types unseen, at one question after another."""
    left: list[str] = []
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda question: left.pop(0))
    yield lambda *typed: left.extend(typed)
    assert left == [], "more questions were expected"


def test_a_new_password_that_is_too_short_is_asked_for_again_before_it_is_repeated(types, capsys):
    types("", "abc", "sesame", "sesame")
    assert ask_new_password() == "sesame"
    assert capsys.readouterr().err.count("A password needs at least 4 characters.") == 2


def test_two_different_passwords_are_asked_for_again(types, capsys):
    types("sesame", "sesam", "sesame", "", "open sesame", "open sesame")
    assert ask_new_password() == "open sesame"
    assert capsys.readouterr().err.count("These were two different passwords. Choose one again.") == 2


def test_return_alone_is_no_password_of_a_room(types):
    types("", "sesame")
    assert ask_password("Room A") == "sesame"
