"""How what happens in a room looks."""

import unicodedata
from dataclasses import replace
from datetime import UTC, date

import pytest

from lanchat.client.events import Acked, Backup, Closed, Connected, Disconnected, Named, PrivateMessage
from lanchat.errors import ConnectionLost
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FileEntry
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import Card, Joined, Left, Moved, Notice, Present, Renamed, Said, Welcome
from lanchat.room.roster import Person, Roster
from lanchat.terminal.chat.files import Listed
from lanchat.terminal.chat.line import SYSTEM
from lanchat.terminal.chat.nicks import PALETTE, nick_colour
from lanchat.terminal.chat.own_notes import NewSince, Note
from lanchat.terminal.chat.people import greeting_text, who_text
from lanchat.terminal.chat.render import COMMAND, ERROR, MARK, MENTION, MINE, PRIVATE, TIME, Renderer
from tests.support.cases import cases

NOON = 12 * 3600 * 1000  # ms
DAY = 24 * 3600 * 1000  # ms
BOB_ID = "b" * 32
ANN, BOB = nick_colour("a", "ann"), nick_colour("b", "bob")

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x07",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x07\x08\x0d\x7f\x00",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200b\u200e\ufeff\u00ad",
    "\u2028\u2029\x85\x0b\x0c",
    "\ud800",
    "\ue000\U000e0041",
    "\001\033[31m\002",
    "a" + "\u0301" * 500,
    "<b>&amp;{0}%s",
]
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Shown:
    """A renderer whose lines are broken for a window of so many columns."""

    def __init__(self, renderer, columns=0):
        self._renderer, self._columns = renderer, columns

    def render(self, item):
        line = self._renderer.render(item)
        return [] if line is None else line.fragments(self._columns)


def renderer(columns=0, **options):
    """A renderer for ann, on the first day of 1970."""
    return Shown(Renderer(Roster(me="a", nick="ann"), date(1970, 1, 1), UTC, **options), columns)


def said(text, by="b", nick="bob", at=NOON, action=False, late=False):
    return Said(1, at, by, nick, "id", text, action, late)


def connected(title="Room A", host="hal", nick="ann"):
    return Connected(Card(1, "r", title, host, 1, False, bytes(32)), Welcome("a", nick, 0, 0, 0), (), "h")


def greeting(*present, title="Room A", host="hal", nick="ann"):
    roster = Roster()
    roster.welcome(Welcome("a", nick, 0, 0, len(present)), (Present("a", nick), *present))
    return greeting_text(connected(title, host, nick), roster)


def plain(fragments):
    return "".join(text for _, text in fragments)


def test_a_line_has_time_nick_and_text():
    assert renderer().render(said("hi")) == [(TIME, "12:00 "), (BOB, "bob"), ("", " hi\n")]


def test_in_my_own_message_the_nick_is_marked():
    mine = renderer().render(said("hi", by="a", nick="ann"))
    assert mine == [(TIME, "12:00 "), (f"{ANN} {MINE}", "ann"), ("", " hi\n")]


def test_above_late_lines_stands_once_that_they_are_late():
    shown = renderer()
    one, two = said("one", late=True), said("two", late=True)
    lines = [one, Acked(("1",)), two, said("now"), one, Notice("x", "hm"), two]
    assert "".join(plain(shown.render(line)) for line in lines) == (
        "-- said while disconnected:\n12:00 bob one\n12:00 bob two\n12:00 bob now\n"
        "-- said while disconnected:\n12:00 bob one\n-- (host): hm\n"
        "-- said while disconnected:\n12:00 bob two\n"
    )


def test_a_late_line_of_another_day_has_its_date():
    shown, late = renderer(), said("one", at=NOON + DAY, late=True)
    assert plain(shown.render(late)).startswith("-- said while disconnected:\n-- Friday, 2 January 1970 --\n12:00 bob")
    assert plain(shown.render(said("now"))).startswith("-- Thursday, 1 January 1970 --\n12:00 bob now")


def test_an_action_reads_as_a_sentence():
    assert plain(renderer().render(said("waves", action=True))) == "12:00 * bob waves\n"


def test_following_lines_stand_under_the_text():
    assert plain(renderer().render(said("one\ntwo\nthree"))) == "12:00 bob one\n          two\n          three\n"


def test_a_long_nick_does_not_push_the_following_lines_out_of_the_window():
    lines = plain(renderer().render(said("one\ntwo", nick="b" * 32))).splitlines()
    assert lines[1] == " " * 12 + "two"


@pytest.mark.parametrize("text", ["ann: look", "hey Ann!", "so, ANN\nsecond line"])
def test_a_line_with_my_nick_stands_out(text):
    fragments = renderer().render(said(text))
    assert (fragments[0], fragments[-1][0]) == ((MARK, "12:00"), MENTION)


def private(text, by="b", nick="bob", to="a", to_nick="ann"):
    return PrivateMessage("id", NOON, by, nick, to, to_nick, text)


def test_a_private_message_shows_sender_and_recipient_in_a_style_of_its_own():
    assert renderer().render(private("psst")) == [
        (TIME, "12:00"),
        ("", " "),
        (PRIVATE, "[bob -> you]"),
        ("", " psst\n"),
    ]
    mine = private("psst", by="a", nick="ann", to="b", to_nick="bob")
    assert plain(renderer().render(mine)) == "12:00 [you -> bob] psst\n"
    nobody = Shown(Renderer(Roster(), date(1970, 1, 1), UTC))
    assert plain(nobody.render(private("psst"))) == "12:00 [bob -> ann] psst\n"


def test_one_that_cannot_be_opened_is_a_quiet_line():
    closed = replace(private(""), problem="sealed for another key of yours")
    quiet = "12:00 -- A private message from bob could not be opened (sealed for another key of yours).\n"
    assert renderer().render(closed)[-1][0] == SYSTEM and plain(renderer().render(closed)) == quiet
    own = replace(private("", by="a", nick="ann", to="b", to_nick="bob"), problem="damaged")
    assert plain(renderer().render(own)) == "12:00 -- Your private message to bob could not be opened (damaged).\n"


@cases("text", HOSTILE)
def test_what_the_host_says_about_one_does_nothing_to_the_terminal(text):
    shown = plain(renderer().render(replace(private("", nick=text or "x"), problem=f"not sealed: {text}"))).strip()
    assert not {unicodedata.category(char) for char in shown.replace("\n", "")} & FORBIDDEN
    assert all(line.startswith("   ") for line in shown.splitlines()[1:])


def test_a_private_message_with_my_nick_stands_out():
    fragments = renderer().render(private("ann, look"))
    assert (fragments[0], fragments[-1][0]) == ((MARK, "12:00"), MENTION)
    assert renderer().render(private("I am ann", by="a", nick="ann", to="b", to_nick="bob"))[0] == (TIME, "12:00")


@cases("text", HOSTILE)
def test_a_private_message_does_nothing_to_the_terminal(text):
    for fragments in (renderer().render(private(text)), renderer().render(private("psst", nick=text or "x"))):
        shown = plain(fragments).replace("\n", "")
        assert not {unicodedata.category(char) for char in shown} & FORBIDDEN


def test_no_public_message_looks_like_a_private_one():
    assert plain(renderer().render(said("[ann -> you] psst"))) == "12:00 bob [ann -> you] psst\n"
    assert plain(renderer().render(said("x\n12:00 [ann -> you] psst"))).splitlines()[1].startswith("      ")


@pytest.mark.parametrize("text", ["anna is here", "joann", "ann-marie", "nobody"])
def test_a_longer_word_is_not_my_nick(text):
    assert renderer().render(said(text))[0] == (TIME, "12:00 ")


def test_a_word_that_i_chose_is_marked_as_my_nick_is():
    fragments = renderer(words=("deploy",)).render(said("Deploy, please"))
    assert (fragments[0], fragments[-1][0]) == ((MARK, "12:00"), MENTION)


def test_my_own_message_mentions_nobody():
    assert renderer().render(said("I am ann", by="a", nick="ann"))[0] == (TIME, "12:00 ")


def test_who_closed_the_room_is_named_although_they_have_left():
    key = b"k" * 32
    roster = Roster(me="a", nick="ann", host_id=member_id(key))
    shown = Shown(Renderer(roster, date(1970, 1, 1), UTC))
    closed, waits = (
        Disconnected("The host has closed the room.", closed=True),
        "Waiting in case it opens again; Ctrl-C leaves.",
    )
    assert plain(shown.render(closed)) == f"-- The host has closed the room. {waits}\n"
    roster.apply(Joined(1, NOON, roster.host_id, "hal", host=True, key=key))
    roster.apply(Left(2, NOON, roster.host_id, "hal"))
    assert plain(shown.render(closed)) == f"-- hal closed the room. {waits}\n"
    by_owner = Disconnected("The room was closed by ann.", closed=True, by="ann")
    assert plain(shown.render(by_owner)) == f"-- ann closed the room. {waits}\n", "hal only hosted it as well"
    by_nobody = Disconnected("The host says: The disk is broken.", closed=True, explained=True)
    assert plain(shown.render(by_nobody)) == f"-- The host says: The disk is broken. {waits}\n"


def test_in_a_narrow_window_lines_break_between_words():
    narrow = renderer(30)
    lines = plain(narrow.render(Disconnected("The host closed the link.")))
    assert lines == "-- The host closed the link.\n   Reconnecting …\n"
    lines = plain(narrow.render(Left(9, NOON, "b", "bob", "no answer for 25 s")))
    assert lines == "12:00 -- bob left (no answer\n         for 25 s)\n"
    lines = plain(narrow.render(said("what ann said was that there is\ntea in the kitchen")))
    assert lines == ("12:00 bob what ann said was\n          that there is\n          tea in the kitchen\n")
    lines = plain(narrow.render(said("what", action=True, nick="b" * 32)))
    assert lines == f"12:00 * {'b' * 22}\n            {'b' * 10}\n            what\n", (
        "a nick is not cut: two may begin alike"
    )
    lines = plain(narrow.render(private("that there is tea", nick="bob" * 5)))
    assert lines == "12:00 [bobbobbobbobbob -> you]\n            that there is tea\n"
    command = "lanchat join 'lanchat://192.168.1.7:47474/" + "5" * 32 + "'"
    lines = plain(narrow.render(Note(f"Join with:\n  {command}")))
    assert lines == f"-- Join with:\n     {command}\n", "what people copy stays in one piece"


@cases(
    ("event", "line"),
    [
        (Joined(1, NOON, "b", "bob"), "12:00 -- bob·b joined\n"),
        (Joined(1, NOON, "b", "bob", host=True), "12:00 -- bob·b opened the room\n"),
        (Joined(1, NOON, "a", "ann", host=True), "12:00 -- you opened the room\n"),
        (Joined(1, NOON, "a", "ann"), "12:00 -- you joined\n"),
        (Joined(1, NOON, "~7", "nc"), "12:00 -- ~nc joined\n"),
        (Left(1, NOON, "b", "bob"), "12:00 -- bob left\n"),
        (Left(1, NOON, "b", "bob", "it did not\nread"), "12:00 -- bob left (it did not\\x0aread)\n"),
        (Renamed(1, NOON, "b", "bob", "rob"), "12:00 -- bob is now rob\n"),
        (Renamed(1, NOON, "a", "ann", "anna"), "12:00 -- you are now anna\n"),
        (Moved(1, NOON, "b", "bob", 65, "hal", "handover"), "12:00 -- hal has handed the room to bob\n"),
        (
            Moved(1, NOON, "a", "ann", 65, "hal", "takeover"),
            "12:00 -- you now host the room, because hal's computer cannot be reached\n",
        ),
        (
            Moved(1, NOON, "b", "bob", 65, "ann", "takeover"),
            "12:00 -- this computer did not answer for a while; bob now hosts the room\n",
        ),
        (Moved(1, NOON, "b", "bob", 64, "ann", "failback"), "12:00 -- bob hosts the room again\n"),
        (Moved(1, NOON, "a", "ann", 65, "ann", "takeover"), "12:00 -- you host the room again\n"),
    ],
)
def test_events_are_lines_that_nobody_said(event, line):
    fragments = renderer().render(event)
    assert plain(fragments) == line
    assert {style for style, _ in fragments} == {SYSTEM}


@pytest.mark.parametrize("reason", ["reads too slowly", "\x1b[2J"])
def test_after_a_reconnect_i_see_why_the_host_had_dropped_me(reason):
    """It stands among the events that were missed."""
    shown = plain(renderer().render(Left(1, NOON, "a", "ann", reason)))
    assert shown.startswith("12:00 -- ") and "\x1b" not in shown and "ann" not in shown
    assert plain(renderer().render(Left(1, NOON, "a", "ann"))) == "12:00 -- you left\n"
    assert plain(renderer().render(Left(1, NOON, "a", "another", "replaced"))) == "12:00 -- another left (replaced)\n"


def test_notices_and_notes_are_lines_that_nobody_said():
    assert renderer().render(Note("one\ntwo")) == [("", "-- one\n   two\n")]
    assert renderer().render(Note("no", error=True)) == [(ERROR, "-- no\n")]
    assert renderer().render(Acked(("id",))) == []
    assert renderer().render(Closed(ConnectionLost("the host is gone", "look for it: lanchat rooms"))) == [
        (ERROR, "-- The host is gone. Look for it: lanchat rooms\n")
    ]


def test_a_notice_is_marked_as_the_hosts():
    """With colour or without: no line of this program begins with a nick and `(host):`."""
    roster = Roster(me="a", nick="ann")
    roster.welcome(Welcome("a", "ann", 0, 0, 2), (Present("b", "bob"), Present("h", "hal", host=True)))
    shown = Shown(Renderer(roster, date(1970, 1, 1), UTC), columns=30)
    told = shown.render(Notice("x", "Fingerprint of bob:  abab\nTo compare, they run:  lanchat id"))
    assert told == [("", "-- hal (host): Fingerprint of\n   bob:  abab\n   To compare, they run:\n   lanchat id\n")]
    assert plain(renderer().render(Notice("x", "y"))) == "-- (host): y\n", "a host that does not say who it is"
    assert plain(renderer(hosting=True).render(Notice("x", "y"))) == "-- y\n", "our own"
    assert renderer().render(Notice("rights", "Only the host may do that."))[0][0] == ERROR, "as our own refusals"


def test_the_greeting_says_who_hosts_the_room_and_who_is_here():
    assert greeting() == "You are in Room A (hosted by hal) as ann. /help lists the commands."
    assert ", with bob and ~nc. /help" in greeting(Present(BOB_ID, "bob"), Present("~1", "nc"))
    many = [Present(f"{number:032x}", f"p{number}") for number in range(9)]
    assert ", with p0, p1, p2, p3, p4 and 4 others. /help" in greeting(*many)
    assert plain(renderer().render(connected())) == "", "it stands below the history"


@pytest.mark.parametrize(
    ("at", "since"), [(NOON, "12:00"), (NOON - DAY, "Wednesday 12:00"), (NOON - 30 * DAY, "1969-12-02 12:00")]
)
def test_a_rule_says_since_when_there_is_something_new(at, since):
    assert plain(renderer().render(NewSince(at))) == f"─── new since {since} ───\n"


@pytest.mark.parametrize(("today", "at"), [(1, "12:00"), (2, "Thursday 12:00"), (20, "1970-01-01 12:00")])
def test_the_time_of_a_file_is_told_as_every_moment_of_the_past(today, at):
    files = Renderer(Roster(me="a", nick="ann"), date(1970, 1, 1), UTC)
    files.today = date(1970, 1, today)  # the chat has been open since the first of January
    line = files.render(Listed((FileEntry("5" * 32, "a.pdf", 9, "b", "bob", NOON, 9, "5" * 64),)))
    assert line is not None and line.text == f"1  a.pdf  9 bytes  bob  {at}  stored"


def test_a_time_that_is_none_is_left_out_of_the_rule():
    assert plain(renderer().render(NewSince(MAX_NUMBER))) == "─── new ───\n"


def test_a_command_that_others_type_stands_out():
    assert renderer().render(Note("lanchat join", command=True)) == [(COMMAND, "     lanchat join\n")]


def test_a_lost_connection_and_a_reconnect_are_reported():
    lost = renderer().render(Disconnected("no answer"))
    assert lost == [(ERROR, "-- No answer. Reconnecting …\n")]
    assert renderer().render(replace(connected(), again=True)) == [(SYSTEM, "-- Connected again.\n")]


def test_a_guest_has_a_tilde():
    assert plain(renderer().render(said("hi", by="~7", nick="nc"))) == "12:00 ~nc hi\n"


def test_a_date_stands_only_between_two_days():
    ann = renderer()
    lines = [plain(ann.render(said("x", at=at))) for at in (NOON, NOON + DAY, NOON + DAY + 1, NOON + 2 * DAY)]
    assert lines == [
        "12:00 bob x\n",
        "-- Friday, 2 January 1970 --\n12:00 bob x\n",
        "12:00 bob x\n",
        "-- Saturday, 3 January 1970 --\n12:00 bob x\n",
    ]


def test_an_impossible_time_is_no_error():
    assert plain(renderer().render(said("x", at=MAX_NUMBER))) == "--:-- bob x\n"


def test_without_colour_the_nicks_of_others_have_no_style():
    assert renderer(colour=False).render(said("hi"))[1] == ("", "bob")
    assert renderer(colour=False).render(said("hi", by="a", nick="ann"))[1] == (MINE, "ann")


def test_a_nick_keeps_its_colour():
    assert nick_colour("b", "bob") == nick_colour("b", "bob")
    assert {nick_colour(str(number), "bob") for number in range(200)} == set(PALETTE)


@cases("colour", PALETTE)
def test_every_colour_can_be_read_on_dark_and_on_light_backgrounds(colour):
    """The contrast as WCAG counts it, which asks for 3:1 in large text; most terminals' own schemes have about that."""
    assert min(contrast(colour, "#000000"), contrast(colour, "#ffffff")) >= 4.0
    assert contrast(colour, "#002b36") >= 3.0, "the dark blue of Solarized"


def contrast(colour: str, background: str) -> float:
    light, dark = sorted((brightness(colour), brightness(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def brightness(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@cases("bad", HOSTILE)
def test_text_of_strangers_does_nothing_to_the_terminal(bad):
    items = [
        said(bad),
        said("x", nick=bad),
        said(bad, action=True),
        Joined(1, NOON, "b", bad),
        Left(1, NOON, "b", bad, bad),
        Renamed(1, NOON, "b", bad, bad),
        Renamed(1, NOON, "a", "ann", bad),
        Moved(1, NOON, "b", bad, 65, bad, "takeover"),
        Notice("x", bad),
        Closed(ConnectionLost(bad, bad)),
        Disconnected(bad),
        Note(bad),
        Note(bad, command=True),
    ]
    shown = [plain(renderer().render(item)) for item in items]
    shown = [line for line in shown if line]
    shown.append(who_text([Person("b", bad)], ("a", "ann")) + "\n")
    shown.append(greeting(Present("b", bad), title=bad, host=bad, nick=bad) + "\n")
    for line in shown:
        assert line.endswith("\n")
        assert {unicodedata.category(char) for char in line[:-1]} & FORBIDDEN == set()
    assert len(plain(renderer().render(said("a" + "\u0301" * 500)))) < 30


@pytest.mark.parametrize("bad", ["bob\n12:00 -- ann left", "bob\u2028x"])
def test_a_nick_or_a_title_cannot_begin_a_new_line(bad):
    for item in (said("x", nick=bad), Joined(1, NOON, "b", bad), Left(1, NOON, "b", "bob", bad)):
        assert plain(renderer().render(item)).count("\n") == 1
    assert "\n" not in greeting(Present("b", bad), title=bad)


def test_a_nick_that_is_too_long_is_cut_and_an_empty_one_is_visible():
    assert plain(renderer().render(said("x", nick="n" * 256))) == f"12:00 {'n' * 32}... x\n"
    assert plain(renderer().render(said("x", nick=" "))) == "12:00 ? x\n"


def test_a_member_with_my_id_and_another_nick_is_not_me():
    roster = Roster()
    roster.welcome(Welcome("a", "ann", 0, 0, 1), (Present("b", "bob"),))
    shown = Shown(Renderer(roster, date(1970, 1, 1), UTC))
    assert plain(shown.render(Left(1, NOON, "a", "other"))) == "12:00 -- other left\n"


def with_people(me="c", nick="cat", **options):
    roster = Roster(me=me, nick=nick)
    roster.people = {
        ("a", "ann"): Person("a", "ann", host=True),
        ("b", "bob"): Person("b", "bob"),
        ("c", "cat"): Person("c", "cat"),
    }
    return Shown(Renderer(roster, date(1970, 1, 1), UTC, **options))


def test_a_lost_backup_is_told_and_so_is_that_there_is_one_again():
    one = with_people()
    assert one.render(Backup("bob")) == [], "the bar tells it"
    assert plain(one.render(Backup(""))) == "-- No backup: messages are saved on ann's disk only.\n"
    assert plain(one.render(Backup("bob"))) == "-- Messages are saved on two computers again: ann's and bob's.\n"
    assert one.render(Backup("cat")) == []
    assert plain(one.render(Backup(""))) == "-- No backup: messages are saved on ann's disk only.\n"
    assert plain(one.render(Backup("cat"))) == "-- Messages are saved on two computers again: ann's and yours.\n"


def test_who_hosts_reads_of_the_own_disk():
    host = with_people("a")
    assert plain(host.render(Backup(""))) == "-- No backup: messages are saved on your disk only.\n"
    assert plain(host.render(Backup("bob"))) == "-- Messages are saved on two computers again: yours and bob's.\n"


def test_a_person_is_told_that_the_own_computer_is_a_standby():
    words = "-- This computer is now a standby: it keeps a copy of the room and can host it when ann is gone."
    assert plain(with_people().render(Named())) == f"{words} /standbys off ends that.\n"


def test_a_move_says_nothing_of_the_link():
    one = with_people(hosting=True)
    assert one.render(Disconnected("The host has handed the room to somebody else.", moved=True)) == []
    moved = Moved(1, NOON, "c", "cat", 65, "ann", "handover")
    assert plain(one.render(moved)) == "12:00 -- ann has handed the room to you: this computer hosts it from now on\n"


def test_a_person_with_one_key_on_two_computers_reads_nothing_false_at_the_one_that_does_not_host():
    one = with_people("a", "ann")
    moved = Moved(1, NOON, "a", "ann", 65, "hal", "handover")
    assert plain(one.render(moved)) == "12:00 -- hal has handed the room to you\n"
    words = "-- This computer is now a standby: it keeps a copy of the room and can host it when your other computer is"
    assert plain(one.render(Named())) == f"{words} gone. /standbys off ends that.\n"
    assert plain(one.render(Backup(""))) == "-- No backup: messages are saved on your disk only.\n"
    assert plain(one.render(Backup("ann"))) == "-- Messages are saved on two computers again: both are yours.\n"
