"""Whether a person is called, and with which bytes."""

from lanchat.protocol.messages import Said
from lanchat.terminal.notify import ATTENTIVE, BELL, LONGEST, PAUSE, Caller, Terminal, harmless, kind_of
from tests.support.cases import cases

XTERM = Terminal({"TERM": "xterm-256color"})


def caller(terminal: Terminal = XTERM, *, silent: bool = False) -> Caller:
    """Of somebody who has just looked elsewhere."""
    made = Caller("Room A", terminal, silent=silent, now=0.0)
    made.focus(False)
    return made


@cases(
    ("env", "popup"),
    [
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "osc99"),
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "osc777"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM": "foot-extra"}, "osc777"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "osc9"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, "off"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"}, "off"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "off"),
        ({}, "off"),
    ],
)
def test_each_terminal_gets_the_popup_that_it_knows(env, popup):
    assert Terminal(env).popup == popup


def test_a_person_chooses_the_popup_and_whether_the_window_has_a_title():
    env = {"TERM": "xterm-256color"}
    assert Terminal(env, popup="osc9").show("A", "hi") == "\x1b]9;A: hi\a"
    assert Terminal({"TERM": "foot"}, popup="off").show("A", "hi") == ""
    assert Terminal(env, titled=False).name("A") == "" != Terminal(env).name("A")


def test_a_word_calls_as_the_nick_does():
    said = Said(1, 0, "b", "bob", "1", "please deploy")
    assert kind_of(said, "ann") == "message" and kind_of(said, "ann", "deploy") == "mention"


def test_what_a_popup_looks_like():
    assert Terminal({"TERM": "foot"}).show("Room A", "hi") == "\x1b]777;notify;Room A;hi\a"
    assert Terminal({"TERM_PROGRAM": "iTerm.app"}).show("Room A", "hi") == "\x1b]9;Room A: hi\a"
    kitty = "\x1b]99;i=lanchat:o=unfocused:d=0;Room A\a\x1b]99;i=lanchat:o=unfocused:p=body;hi\a"
    assert Terminal({"TERM": "xterm-kitty"}).show("Room A", "hi") == kitty
    assert XTERM.show("Room A", "hi") == ""


def test_a_popup_passes_through_tmux_and_screen():
    in_tmux = Terminal({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "iTerm.app"})
    assert in_tmux.show("A", "hi") == "\x1bPtmux;\x1b\x1b]9;A: hi\a\x1b\\"
    in_screen = Terminal({"TERM": "screen", "TERM_PROGRAM": "iTerm.app"})
    assert in_screen.show("A", "hi") == "\x1bP\x1b]9;A: hi\a\x1b\\"


def test_the_console_of_linux_shows_no_title_as_text():
    assert Terminal({"TERM": "linux"}).name("Room A") == ""


@cases("text", ["a;b", "a\x1b]0;x\ab", "a\x9cb", "a\x07b", "a\0b", "a\nb", "a\x1b\\b", "\u202eab"])
def test_no_text_ends_a_sequence_or_begins_one(text):
    shown = harmless(text)
    assert shown.isprintable() and ";" not in shown


def test_a_long_text_is_cut():
    assert len(harmless("x" * 5000)) == LONGEST


def test_a_mention_rings_and_is_counted_while_the_person_looks_elsewhere():
    ann = caller(Terminal({"TERM": "foot"}))
    ann.heard("mention", "bob", "ann: look", 1.0)
    assert ann.due(1.0) == "\x1b]2;(1) Room A - lanchat\x1b\\" + BELL + "\x1b]777;notify;Room A;bob: ann: look\a"
    assert ann.due(1.1) == ""


def test_a_private_message_is_not_read_out():
    ann = caller(Terminal({"TERM": "foot"}))
    ann.heard("private", "bob", "the secret", 1.0)
    assert "private message from bob" in (told := ann.due(1.0)) and "secret" not in told


def test_a_message_to_everyone_is_counted_only():
    ann = caller()
    ann.heard("message", "bob", "hello", 1.0)
    assert ann.due(1.0) == "\x1b]2;(1) Room A - lanchat\x1b\\"


def test_mentions_without_end_ring_once_in_a_pause():
    ann = caller(Terminal({"TERM": "foot"}))
    rings = 0
    for tenth in range(60):
        ann.heard("mention", "bob", "ann", tenth / 10)
        rings += ann.due(tenth / 10).count(BELL + "\x1b")
    assert rings == 2
    assert "29 messages for you in Room A" in ann.due(2 * PAUSE)


def test_nothing_rings_while_the_person_looks_here():
    ann = Caller("Room A", XTERM, silent=False, now=0.0)
    ann.focus(True)
    assert ann.heard("mention", "bob", "ann", 1e6) is False
    assert ann.due(1e6) == ""


def test_who_comes_back_has_seen_all():
    ann = caller()
    ann.heard("mention", "bob", "ann", 1.0)
    ann.due(1.0)
    ann.heard("mention", "bob", "ann", 1.5)
    ann.focus(True)
    assert ann.due(9.0) == "\x1b]2;Room A - lanchat\x1b\\"


def test_a_key_counts_as_a_look_where_the_terminal_tells_nothing():
    ann = Caller("Room A", XTERM, silent=False, now=0.0)
    assert not ann.looks_away(ATTENTIVE) and ann.looks_away(ATTENTIVE + 1)
    ann.key(20.0)
    assert not ann.looks_away(25.0)


def test_silent_rings_nothing_and_counts():
    ann = caller(Terminal({"TERM": "foot"}), silent=True)
    ann.heard("mention", "bob", "ann", 1.0)
    assert ann.due(1.0) == "\x1b]2;(1) Room A - lanchat\x1b\\"


def test_the_first_unseen_message_is_told_apart():
    ann = caller()
    assert [ann.heard("message", "bob", "hello", now) for now in (1.0, 2.0)] == [True, False]
    ann.focus(True)
    ann.focus(False)
    assert ann.heard("message", "bob", "hello", 3.0)
