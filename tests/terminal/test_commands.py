"""What a typed line means."""

import pytest

from lanchat.terminal.commands import (
    COMMANDS,
    AskNick,
    Command,
    Completion,
    Leave,
    Misused,
    SayIt,
    ShowHelp,
    ShowWho,
    Unknown,
    complete,
    help_text,
    parse,
)

KICK = (*COMMANDS, Command("kick", "NICK", "put somebody out", AskNick, for_host=True))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hello", SayIt("hello")),
        (" /who", SayIt(" /who")),
        ("either/or", SayIt("either/or")),
        ("/help", ShowHelp()),
        ("/HELP", ShowHelp()),
        ("/h", ShowHelp()),
        ("/who  ", ShowWho()),
        ("/nick anna", AskNick("anna")),
        ("/nick  anna ", AskNick("anna")),
        ("/me waves  at all", SayIt("waves  at all", action=True)),
        ("/me waves\nand goes", SayIt("waves\nand goes", action=True)),
        ("/quit", Leave()),
        ("/q", Leave()),
        ("//usr/bin is a path", SayIt("/usr/bin is a path")),
        ("//", SayIt("/")),
        ("two\n/quit", SayIt("two\n/quit")),
        ("/etc/hosts\n127.0.0.1 localhost", SayIt("/etc/hosts\n127.0.0.1 localhost")),
        ("/hlep", Unknown("hlep", "help")),
        ("/wh", Unknown("wh", "who")),
        ("/Nik bob", Unknown("Nik", "nick")),
        ("/xyzzy", Unknown("xyzzy")),
        ("/", Unknown("")),
        ("/me", Misused("this command is used as: /me TEXT")),
        ("/nick", Misused("this command is used as: /nick NICK")),
        ("/quit\nthe rest of a page", Misused("this command is used as: /quit")),
    ],
)
def test_what_a_line_means(typed, meant):
    assert parse(typed) == meant


def test_an_unknown_command_says_what_was_perhaps_meant_and_how_to_say_it_all_the_same():
    assert str(parse("/hlep")).startswith("there is no /hlep; did you mean /help?")
    assert str(parse("/xyzzy")).endswith("begin it with //")


def test_what_is_for_the_host_is_refused_hidden_and_not_proposed_to_others():
    assert parse("/kick bob", commands=KICK) == Misused("/kick is for whoever hosts the room")
    assert parse("/kick bob", commands=KICK, host=True) == AskNick("bob")
    assert parse("/kik bob", commands=KICK) == Unknown("kik")
    assert "/kick" not in help_text(commands=KICK)
    assert "/kick NICK" in help_text(commands=KICK, host=True)
    assert complete("/k", (), commands=KICK) == []


def test_help_has_a_row_for_every_command():
    rows = help_text().splitlines()
    for command in COMMANDS:
        assert any(row.startswith(command.usage) and row.endswith(command.help) for row in rows)


def test_no_name_is_taken_twice():
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("/n", [Completion("/nick ", 2, "take another nick")]),
        ("/w", [Completion("/who", 2, "show who is in the room")]),
        ("an", [Completion("ann: ", 2), Completion("Anton: ", 2)]),
        ("hi AN", [Completion("ann ", 2), Completion("Anton ", 2)]),
        ("first\nbo", [Completion("bob ", 2)]),
        ("/nick bo", [Completion("bob ", 2)]),
        ("hello ", []),
        ("", []),
        ("zed", []),
        ("say /n", []),
    ],
)
def test_what_tab_proposes(before, found):
    assert complete(before, ["bob", "Anton", "ann"]) == found


def test_tab_on_a_slash_alone_shows_all_commands():
    assert [found.text.strip() for found in complete("/", [])] == [f"/{command.name}" for command in COMMANDS]
