"""What a typed line means, and what /help and Tab know of the commands."""

import pytest

from lanchat.room.access import MAX_NICKS
from lanchat.terminal.chat.commands import COMMANDS, Completion, complete, help_text, parse, search_hint
from lanchat.terminal.chat.intents import (
    ChangeNick,
    Leave,
    Misused,
    Moderate,
    Reply,
    Say,
    SayPrivately,
    ShowHelp,
    ShowWho,
    Unknown,
)
from lanchat.terminal.chat.keys import HELP
from tests.support.cases import cases


@cases(
    ("typed", "meant"),
    [
        ("hello", Say("hello")),
        (" /who", Say(" /who")),
        ("either/or", Say("either/or")),
        ("/help", ShowHelp()),
        ("/HELP", ShowHelp()),
        ("/h", ShowHelp()),
        ("/help all", ShowHelp("all")),
        ("/dm @bob hi", SayPrivately("bob", "hi")),
        ("/leave", Leave()),
        ("/who  ", ShowWho()),
        ("/who @bob", ShowWho("bob")),
        ("/who +", ShowWho("+")),
        ("/nick anna", ChangeNick("anna")),
        ("/nick  anna ", ChangeNick("anna")),
        ("/me waves  at all", Say("waves  at all", action=True)),
        ("/me waves\nand goes", Say("waves\nand goes", action=True)),
        ("/msg bob hi  there", SayPrivately("bob", "hi  there")),
        ("/msg ~bob: two\nlines", SayPrivately("bob", "two\nlines")),
        ("/msg bob", Misused("usage: /msg NICK TEXT")),
        ("/msg", Misused("usage: /msg NICK TEXT")),
        ("/reply yes  please", Reply("yes  please")),
        ("/r yes", Reply("yes")),
        ("/r", Misused("usage: /reply TEXT")),
        ("/quit", Leave()),
        ("/q", Leave()),
        ("//usr/bin is a path", Say("/usr/bin is a path")),
        ("//", Say("/")),
        ("two\n/quit", Say("two\n/quit")),
        ("/etc/hosts\n127.0.0.1 localhost", Say("/etc/hosts\n127.0.0.1 localhost")),
        ("/hlep", Unknown("hlep", "help")),
        ("/wh", Unknown("wh", "who")),
        ("/Nik bob", Unknown("Nik", "nick")),
        ("/xyzzy", Unknown("xyzzy")),
        ("/", Unknown("")),
        ("/me", Misused("usage: /me TEXT")),
        ("/nick", Misused("usage: /nick NICK")),
        ("/quit\nthe rest of a page", Misused("usage: /quit")),
    ],
)
def test_what_a_line_means(typed, meant):
    assert parse(typed) == meant


def test_an_unknown_command_says_what_was_perhaps_meant_and_how_to_say_it_anyway():
    assert str(parse("/hlep")) == 'No command /hlep; did you mean /help? (To say "/hlep", type //hlep.)'
    assert str(parse("/foo")) == 'No command /foo; /help lists them. (To say "/foo", type //foo.)'


def test_commands_of_the_host_are_refused_hidden_and_not_completed_for_others():
    assert parse("/kick bob") == Misused("Only the host can use /kick.", mendable=False)
    assert parse("/kick bob", hosting=True) == Moderate("kick", "bob")
    assert parse("/kik bob") == Unknown("kik")
    assert "/kick" not in help_text()
    assert "/kick NICK" in help_text(hosting=True)
    assert parse("/lock") == Misused("Only the host can use /lock.", mendable=False)
    assert parse("/kick ~nc, ", hosting=True) == Moderate("kick", "nc")
    assert complete("/k", ()) == []


@pytest.mark.parametrize("action", ["kick", "ban"])
def test_a_reason_behind_the_nick_is_refused_and_not_taken_for_a_part_of_it(action):
    refused = parse(f"/{action} bob too loud", hosting=True)
    assert refused == Misused(f"/{action} takes a nick alone, and passes on no reason. usage: /{action} NICK")


def test_who_looks_for_a_search_learns_where_it_is():
    kept = search_hint("search", "Room A", ephemeral=False)
    assert kept == 'No command /search. In another window:  lanchat history --search WORDS "Room A"'
    assert "lanchat history" not in search_hint("search", "Room A", ephemeral=True), "it would find nothing"


def test_help_all_has_a_row_for_every_command_which_fits_a_usual_window():
    rows = help_text("all", hosting=True, width=77).splitlines()
    for command in COMMANDS:
        assert any(row.startswith(command.usage) and row.endswith(command.help) for row in rows)
    assert max(map(len, rows)) <= 77


def test_the_commands_of_every_day_fit_into_a_usual_window_with_the_keys():
    rows = help_text(keys=HELP, hosting=True, width=77).splitlines()
    assert len(rows) + sum(len(row) > 77 for row in rows) <= 22, "of 24, with the typed line and the bar"
    assert "/help all" in rows[-3] and not any(row.startswith("/takeback") for row in rows)


def test_help_explains_one_command():
    assert help_text("/msg") == help_text("msg") == "/msg NICK TEXT  send a private message, even to someone away"
    for wanted in ("kick", "nothing"):
        with pytest.raises(ValueError, match=rf"^No command /{wanted}\. /help all"):
            help_text(wanted)


def test_in_a_narrow_window_help_stands_below_each_command():
    lines = help_text(width=37).splitlines()
    at = lines.index("/msg NICK TEXT")
    assert lines[at + 1 : at + 3] == ["    send a private message, even to", "    someone away"]


def test_no_name_is_taken_twice():
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))


@cases(
    ("before", "found"),
    [
        ("/n", [Completion("/nick ", 2, f"change your nick; you can have {MAX_NICKS} in a room")]),
        ("/w", [Completion("/who ", 2, "show who is in the room")]),
        ("an", [Completion("ann: ", 2), Completion("Anton: ", 2)]),
        ("hi AN", [Completion("ann ", 2), Completion("Anton ", 2)]),
        ("first\nbo", [Completion("bob ", 2)]),
        ("/nick bo", [Completion("bob ", 2)]),
        ("\u4eca\u5929an", [Completion("ann ", 2), Completion("Anton ", 2)]),  # Chinese puts no space before it
        ("\u0443\u0436\u0435an", []),
        ("/me", [Completion("/me ", 3, "say what you do: /me waves")]),
        ("/men", [Completion("/mentions", 4, "list the last messages that name you")]),
        ("/msg bo", [Completion("bob ", 2)]),
        ("hello ", []),
        ("", []),
        ("zed", []),
        ("say /n", []),
    ],
)
def test_tab_completes_commands_and_nicks(before, found):
    assert complete(before, ["bob", "Anton", "ann"]) == found


def test_tab_on_a_slash_alone_shows_all_commands():
    assert [found.text.strip() for found in complete("/", [], hosting=True)] == [
        f"/{command.name}" for command in COMMANDS
    ]
