"""What a typed line means."""

import pytest

from lanchat.terminal.chat.commands import (
    COMMANDS,
    AskNick,
    Completion,
    Leave,
    Misused,
    Reply,
    SayIt,
    ShowHelp,
    ShowWho,
    TellThem,
    Unknown,
    UseRight,
    complete,
    help_text,
    parse,
)


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
        ("/msg bob hi  there", TellThem("bob", "hi  there")),
        ("/msg ~bob: two\nlines", TellThem("bob", "two\nlines")),
        ("/msg bob", Misused("this command is used as: /msg NICK TEXT")),
        ("/msg", Misused("this command is used as: /msg NICK TEXT")),
        ("/reply yes  please", Reply("yes  please")),
        ("/r yes", Reply("yes")),
        ("/r", Misused("this command is used as: /reply TEXT")),
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
    assert parse("/kick bob") == Misused("/kick is for whoever hosts the room")
    assert parse("/kick bob", host=True) == UseRight("kick", "bob")
    assert parse("/kik bob") == Unknown("kik")
    assert "/kick" not in help_text()
    assert "/kick NICK" in help_text(host=True)
    assert parse("/lock") == Misused("/lock is for whoever hosts the room")
    assert parse("/kick ~nc, ", host=True) == UseRight("kick", "nc")
    assert complete("/k", ()) == []


def test_help_has_a_row_for_every_command():
    rows = help_text(host=True).splitlines()
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
        ("/msg bo", [Completion("bob ", 2)]),
        ("hello ", []),
        ("", []),
        ("zed", []),
        ("say /n", []),
    ],
)
def test_what_tab_proposes(before, found):
    assert complete(before, ["bob", "Anton", "ann"]) == found


def test_tab_on_a_slash_alone_shows_all_commands():
    assert [found.text.strip() for found in complete("/", [], host=True)] == [
        f"/{command.name}" for command in COMMANDS
    ]
