"""What happens in a room, as fragments."""

import unicodedata
from dataclasses import replace
from datetime import UTC, date

import pytest

from lanchat.client.events import Acked, Closed, Connected, Disconnected
from lanchat.errors import ConnectionLost
from lanchat.protocol.messages import MAX_NUMBER, Card, Joined, Left, Notice, Present, Renamed, Said, Told, Welcome
from lanchat.room.roster import Person, Roster
from lanchat.terminal.cells import cells, cut
from lanchat.terminal.chat.render import (
    ERROR,
    MARK,
    MENTION,
    MINE,
    PALETTE,
    PRIVATE,
    QUIET,
    TIME,
    Local,
    Renderer,
    bar_text,
    nick_colour,
    who_text,
)

NOON = 12 * 3600 * 1000  # ms
DAY = 24 * 3600 * 1000  # ms
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


def renderer(**options):
    """For ann, on the first day of 1970."""
    return Renderer(Roster(me="a", nick="ann"), date(1970, 1, 1), UTC, **options)


def said(text, by="b", nick="bob", at=NOON, action=False):
    return Said(1, at, by, nick, "id", text, action)


def connected(title="Room A", host="hal", nick="ann"):
    return Connected(Card(1, "r", title, host, 1, False, bytes(32)), Welcome("a", nick, 0, 0, 0), ())


def plain(fragments):
    return "".join(text for _, text in fragments)


def test_a_line_has_time_nick_and_text():
    assert renderer().render(said("hi")) == [(TIME, "12:00"), ("", " "), (BOB, "bob"), ("", " hi\n")]


def test_my_own_line_is_marked_at_the_nick():
    mine = renderer().render(said("hi", by="a", nick="ann"))
    assert mine == [(TIME, "12:00"), ("", " "), (f"{ANN} {MINE}", "ann"), ("", " hi\n")]


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


def told(text, by="b", nick="bob", to="a", to_nick="ann"):
    return Told("id", NOON, by, nick, to, to_nick, text)


def test_a_private_line_says_from_whom_to_whom_in_a_style_of_its_own():
    assert renderer().render(told("psst")) == [(TIME, "12:00"), ("", " "), (PRIVATE, "[bob -> you]"), ("", " psst\n")]
    mine = told("psst", by="a", nick="ann", to="b", to_nick="bob")
    assert plain(renderer().render(mine)) == "12:00 [you -> bob] psst\n"
    nobody = Renderer(Roster(), date(1970, 1, 1), UTC)
    assert plain(nobody.render(told("psst"))) == "12:00 [bob -> ann] psst\n"


def test_a_private_line_with_my_nick_stands_out_too():
    fragments = renderer().render(told("ann, look"))
    assert (fragments[0], fragments[-1][0]) == ((MARK, "12:00"), MENTION)
    assert renderer().render(told("I am ann", by="a", nick="ann", to="b", to_nick="bob"))[0] == (TIME, "12:00")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_private_line_does_nothing_to_the_terminal(text):
    for fragments in (renderer().render(told(text)), renderer().render(told("psst", nick=text or "x"))):
        shown = plain(fragments).replace("\n", "")
        assert not {unicodedata.category(char) for char in shown} & FORBIDDEN


def test_no_public_line_looks_like_a_private_one():
    assert plain(renderer().render(said("[ann -> you] psst"))) == "12:00 bob [ann -> you] psst\n"
    assert plain(renderer().render(said("x\n12:00 [ann -> you] psst"))).splitlines()[1].startswith("      ")


@pytest.mark.parametrize("text", ["anna is here", "joann", "ann-marie", "nobody"])
def test_a_longer_word_is_not_my_nick(text):
    assert renderer().render(said(text))[0] == (TIME, "12:00")


def test_my_own_line_mentions_nobody():
    assert renderer().render(said("I am ann", by="a", nick="ann"))[0] == (TIME, "12:00")


def test_quiet_lines_break_between_words_in_a_narrow_window():
    renderer = Renderer(Roster(), date(1970, 1, 1), UTC, columns=lambda: 30)
    text = "".join(text for _, text in renderer.render(Disconnected("the other side closed the link")))
    assert text == (
        "-- the connection is lost (the\n   other side closed the\n   link)); trying to come back\n".replace("))", ")")
    )
    (_, time), (_, news) = renderer.render(Left(9, NOON, "a", "ann", "no sign of life for 25 s"))
    assert time + news == "12:00 -- ann left (no sign of\n         life for 25 s)\n"
    command = "lanchat join 'lanchat://192.168.1.7:47474/" + "5" * 32 + "'"
    text = "".join(text for _, text in renderer.render(Notice("x", f"Come in by this:\n  {command}")))
    assert text == f"-- Come in by this:\n     {command}\n", "what people copy is in one piece"


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Joined(1, NOON, "b", "bob"), "12:00 -- bob·b joined\n"),
        (Joined(1, NOON, "b", "bob", host=True), "12:00 -- bob·b joined and hosts\n"),
        (Joined(1, NOON, "a", "ann", host=True), "12:00 -- you joined, and host the room\n"),
        (Joined(1, NOON, "a", "ann"), "12:00 -- you joined\n"),
        (Joined(1, NOON, "~7", "nc"), "12:00 -- ~nc joined\n"),
        (Left(1, NOON, "b", "bob"), "12:00 -- bob left\n"),
        (Left(1, NOON, "b", "bob", "it did not\nread"), "12:00 -- bob left (it did not\\x0aread)\n"),
        (Renamed(1, NOON, "b", "bob", "rob"), "12:00 -- bob is now rob\n"),
        (Renamed(1, NOON, "a", "ann", "anna"), "12:00 -- you are now anna\n"),
    ],
)
def test_news_are_quiet_lines(event, line):
    fragments = renderer().render(event)
    assert plain(fragments) == line
    assert {style for style, _ in fragments} == {QUIET}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("reads too slowly", "the host had cut us off: reads too slowly"),
        ("the other side is gone", "the link to the host was broken"),
        ("\x1b[2J", r"the host had cut us off: \x1b[2J"),
        ("", "you left"),
    ],
)
def test_who_was_away_hears_why(reason, words):
    """It comes in what was missed."""
    assert plain(renderer().render(Left(1, NOON, "a", "ann", reason))) == f"12:00 -- {words}\n"
    assert plain(renderer().render(Left(1, NOON, "a", "another", "replaced"))) == "12:00 -- another left (replaced)\n"


def test_lines_that_nobody_said():
    assert renderer().render(Notice("nick", "bob is taken")) == [(QUIET, "-- bob is taken\n")]
    assert renderer().render(Local("one\ntwo")) == [(QUIET, "-- one\n   two\n")]
    assert renderer().render(Local("no", error=True)) == [(ERROR, "-- no\n")]
    assert renderer().render(Acked(("id",))) == []
    assert renderer().render(Closed(ConnectionLost("the host is gone", "look for it: lanchat rooms"))) == [
        (ERROR, "-- the connection is over: the host is gone. look for it: lanchat rooms\n")
    ]
    assert plain(renderer().render(connected())) == "-- Room A, hosted by hal. You are ann. /help shows the commands\n"


def test_a_lost_connection_and_the_way_back():
    lost = renderer().render(Disconnected("no answer"))
    assert lost == [(ERROR, "-- the connection is lost (no answer); trying to come back\n")]
    assert renderer().render(replace(connected(), again=True)) == [(QUIET, "-- back in Room A\n")]


def test_somebody_from_the_plain_door_has_a_tilde():
    assert plain(renderer().render(said("hi", by="~7", nick="nc"))) == "12:00 ~nc hi\n"


def test_a_date_stands_between_two_days_only():
    paper = renderer()
    lines = [plain(paper.render(said("x", at=at))) for at in (NOON, NOON + DAY, NOON + DAY + 1, NOON + 2 * DAY)]
    assert lines == [
        "12:00 bob x\n",
        "-- Friday, 2 January 1970 --\n12:00 bob x\n",
        "12:00 bob x\n",
        "-- Saturday, 3 January 1970 --\n12:00 bob x\n",
    ]


def test_a_time_that_cannot_be_is_no_error():
    assert plain(renderer().render(said("x", at=MAX_NUMBER))) == "--:-- bob x\n"


def test_without_colour_only_the_nick_of_others_is_bare():
    assert renderer(colour=False).render(said("hi"))[2] == ("", "bob")
    assert renderer(colour=False).render(said("hi", by="a", nick="ann"))[2] == (MINE, "ann")


def test_a_nick_keeps_its_colour():
    assert nick_colour("b", "bob") == nick_colour("b", "bob")
    assert {nick_colour(str(number), "bob") for number in range(200)} == set(PALETTE)


@pytest.mark.parametrize("colour", PALETTE)
def test_every_colour_can_be_read_on_black_and_on_white(colour):
    """WCAG's contrast; 3:1 is what it asks for large text, and what most schemes of terminals give."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert min(1.05 / (light + 0.05), (light + 0.05) / 0.05) >= 4.0


@pytest.mark.parametrize("bad", HOSTILE)
def test_nothing_of_others_reaches_the_terminal_as_it_is(bad):
    items = [
        said(bad),
        said("x", nick=bad),
        said(bad, action=True),
        Joined(1, NOON, "b", bad),
        Left(1, NOON, "b", bad, bad),
        Renamed(1, NOON, "b", bad, bad),
        Renamed(1, NOON, "a", "ann", bad),
        Notice("x", bad),
        connected(title=bad, host=bad, nick=bad),
        Closed(ConnectionLost(bad, bad)),
        Disconnected(bad),
        Local(bad),
    ]
    shown = [plain(renderer().render(item)) for item in items]
    shown += [who_text([Person("b", bad)], ("a", "ann")) + "\n", bar_text(bad, 2, "connected", 80) + "\n"]
    for line in shown:
        assert line.endswith("\n")
        assert {unicodedata.category(char) for char in line[:-1]} & FORBIDDEN == set()
    assert len(plain(renderer().render(said("a" + "\u0301" * 500)))) < 30


@pytest.mark.parametrize("bad", ["bob\n12:00 -- ann left", "bob\u2028x"])
def test_a_nick_or_a_title_cannot_make_a_line(bad):
    for item in (said("x", nick=bad), Joined(1, NOON, "b", bad), connected(title=bad), Left(1, NOON, "b", "bob", bad)):
        assert plain(renderer().render(item)).count("\n") == 1


def test_a_nick_longer_than_any_is_cut_and_an_empty_one_is_seen():
    assert plain(renderer().render(said("x", nick="n" * 256))) == f"12:00 {'n' * 32}... x\n"
    assert plain(renderer().render(said("x", nick=" "))) == "12:00 ? x\n"


def test_who_is_here():
    people = [Person("h", "Hal", host=True), Person("~7", "nc"), Person("a", "ann")]
    assert who_text(people, ("a", "ann")) == "3 people: ann·a (you), Hal·h (host), ~nc"
    assert who_text([Person("a", "ann", host=True)], ("a", "ann")) == "1 person: ann·a (you, host)"


@pytest.mark.parametrize(
    ("title", "width", "bar"),
    [
        ("Room A", 80, " Room A · 3 people · connected"),
        ("Room A", 24, " Room A · 3 · connected"),
        ("Room A", 20, " Room A · connected"),
        ("Room A", 10, " Room A"),
        ("Room A", 5, " Roo…"),
        ("Room A", 0, ""),
        ("A rather long title of a room", 40, " A rather long t… · 3 people · connected"),
        ("日本語の部屋の長い名前", 40, " 日本語の部屋の… · 3 people · connected"),
        ("日本語の部屋の長い名前", 20, " 日本語… · connected"),
    ],
)
def test_the_bar_fits_its_window(title, width, bar):
    shown = bar_text(title, 3, "connected", width)
    assert cells(shown) <= width
    assert shown == bar


def test_cutting_counts_cells():
    assert [cut("日本語", width) for width in (6, 5, 4, 3, 1, 0)] == ["日本語", "日本…", "日…", "日…", "…", ""]


def test_present_people_are_known_by_id_and_nick():
    roster = Roster()
    roster.welcome(Welcome("a", "ann", 0, 0, 1), (Present("b", "bob"),))
    paper = Renderer(roster, date(1970, 1, 1), UTC)
    assert plain(paper.render(Left(1, NOON, "a", "other"))) == "12:00 -- other left\n"
