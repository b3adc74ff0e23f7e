import re
import subprocess
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lanchat.protocol.text import (
    MAX_LINES,
    MAX_LISTED,
    MAX_TEXT,
    MAX_TITLE,
    argument,
    clean_text,
    clean_title,
    conjunction,
    last_argument,
    listed,
    quoted,
    safe_text,
    same_title,
)
from tests.support.cases import cases
from tests.support.harmless import WRITING, harmful

# ---- safe_text


@pytest.mark.parametrize(
    ("plane", "lines"),
    [(0, True), *(pytest.param(n, False, marks=() if n == 0 else pytest.mark.full) for n in range(17))],
)
def test_every_code_point_between_letters(plane, lines):
    """All 1,114,112, a plane in a text: each is shown, and no shown character hides or controls anything."""
    chars = [char for char in map(chr, range(plane << 16, (plane + 1) << 16)) if char != "Z"]
    shown = safe_text("Z".join(chars), lines=lines).split("Z")
    assert len(shown) == len(chars) and all(shown)
    if plane == 0:
        assert shown[10] == ("\n" if lines else r"\x0a")
        del shown[10]
    assert harmful("".join(shown)) == set()
    assert set("".join(shown)) & WRITING == set(), "between letters of Latin they are no writing"


@given(st.text(st.characters(), max_size=60), st.booleans())
def test_any_text_is_safe_and_stays_so(text, lines):
    shown = safe_text(text, lines=lines)
    assert harmful(shown, but="\n" if lines else "") == set()
    assert safe_text(shown, lines=lines) == shown
    shown.encode()


# Letters, marks and pictures of the kind beside which something invisible may be writing, and all that is invisible.
NEIGHBOURS = (
    "aअक\u094dर\u09cd\u200c\u200d\ufe0e\ufe0f\u20e3\u200b葛\U000e0100\u180b\u1820یم\u064b❤👩🏽🏴1#กข\u3164\u2800\u0301"
)
NEIGHBOURS += "\u093e\U000e0067\U000e0062\U000e0065\U000e006e\U000e007f"


@given(st.text(st.sampled_from(NEIGHBOURS), max_size=12))
@example("a\u0301\u0301\u0301\u0301\u094d\u200d")  # the virama is one mark too many
@example("م\ufe0f\u200c")
@example("葛\U000e0100\ufe0f\u200d👩")
@example("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\u200d❤")
def test_what_is_shown_is_shown_the_same_once_more(text):
    """Text passes more than one door: a title in the list, then in an error."""
    shown = safe_text(text)
    assert safe_text(shown) == shown
    assert not re.search("[\u200c\u200d\ufe0e\ufe0f]{2}", shown.replace("\ufe0f\u200d", "")), "one at a time"


HOSTILE = [
    ("\x1b[2J", r"\x1b[2J"),  # clear the screen
    ("\x1b[H", r"\x1b[H"),  # cursor home
    ("\x1b[1A\x1b[2K", r"\x1b[1A\x1b[2K"),  # overwrite the line above
    ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    ("\x1b]0;title\x07", r"\x1b]0;title\x07"),  # window title
    ("\x1b]2;t\x1b\\", "\\x1b]2;t\\x1b\\"),
    ("\x1b]52;c;cm0gLXJm\x07", r"\x1b]52;c;cm0gLXJm\x07"),  # clipboard
    ("\x1b]8;;http://evil\x1b\\good\x1b]8;;\x1b\\", "\\x1b]8;;http://evil\\x1b\\good\\x1b]8;;\\x1b\\"),  # link
    ("\x1b]1337;File=:AA\x07", r"\x1b]1337;File=:AA\x07"),  # iTerm2
    ("\x1b]9;note\x07", r"\x1b]9;note\x07"),
    ("\x1b]777;notify;a;b\x07", r"\x1b]777;notify;a;b\x07"),
    ("\x1bP+q544e\x1b\\", "\\x1bP+q544e\\x1b\\"),  # DCS: ask the terminal to type an answer
    ("\x1b[6n", r"\x1b[6n"),  # ask where the cursor is
    ("\x1b[c", r"\x1b[c"),
    ("\x1b[21t", r"\x1b[21t"),  # ask for the title
    ("\x1b[?1049h", r"\x1b[?1049h"),  # other screen
    ("\x1b[?25l", r"\x1b[?25l"),  # no cursor
    ("\x1b[?2004l", r"\x1b[?2004l"),  # no bracketed paste
    ("\x1b[200~ls\x1b[201~", r"\x1b[200~ls\x1b[201~"),
    ("\x1b[?1000h", r"\x1b[?1000h"),  # mouse
    ("\x1b#8", r"\x1b#8"),
    ("\x1bc", r"\x1bc"),  # reset
    ("\x1b(0", r"\x1b(0"),  # line drawing
    ("\x1b_Ga=T;x\x1b\\", "\\x1b_Ga=T;x\\x1b\\"),  # kitty picture
    ("\x1b^pm\x1b\\", "\\x1b^pm\\x1b\\"),
    ("\x9b2J", r"\x9b2J"),  # the same in 8 bits
    ("\x9d0;t\x9c", r"\x9d0;t\x9c"),
    ("\x90q\x9c", r"\x90q\x9c"),
    ("\x85", r"\x85"),  # NEL
    ("\x00", r"\x00"),
    ("\x07", r"\x07"),
    ("\x08\x08\x08", r"\x08\x08\x08"),
    ("ok\rann: hacked", r"ok\x0dann: hacked"),  # over the start of the line
    ("ok\nann: hacked", r"ok\x0aann: hacked"),  # a line in somebody else's name
    ("a\x0bb\x0cc", r"a\x0bb\x0cc"),
    ("\x0e\x0f", r"\x0e\x0f"),
    ("\x7f", r"\x7f"),
    ("\x18\x1a", r"\x18\x1a"),
    ("a\tb", "a    b"),
    ("\u2028ann: x", "<U+2028>ann: x"),
    ("\u2029", "<U+2029>"),
    ("\u202egnp.exe", "<U+202E>gnp.exe"),  # written backwards
    ("\u202a\u202b\u202c\u202d", "<U+202A><U+202B><U+202C><U+202D>"),
    ("\u2066\u2067\u2068\u2069", "<U+2066><U+2067><U+2068><U+2069>"),
    ("\u200e\u200f\u061c", "<U+200E><U+200F><U+061C>"),
    ("a\u200bb", "a<U+200B>b"),  # zero width
    ("a\u200cb", "a<U+200C>b"),
    ("a\u200db", "a<U+200D>b"),
    ("\u2060\u2061\u2064", "<U+2060><U+2061><U+2064>"),
    ("\ufeff", "<U+FEFF>"),
    ("so\u00adft", "so\\xadft"),
    ("\u180e", "<U+180E>"),
    ("\U000e0041\U000e0042", "<U+E0041><U+E0042>"),  # tags: text that no screen shows
    ("\U000e0001", "<U+E0001>"),
    ("\ue000\uf8ff", "<U+E000><U+F8FF>"),  # private
    ("\U0010fffd", "<U+10FFFD>"),
    ("\ud800\udfff", "<U+D800><U+DFFF>"),
    ("in\udc80\udcff", "in\\x80\\xff"),
    ("\ufffe\uffff", "<U+FFFE><U+FFFF>"),
    ("\ufff9a\ufffab\ufffb", "<U+FFF9>a<U+FFFA>b<U+FFFB>"),
    ("\u0378", "<U+0378>"),  # unassigned
    ("\U0001d173", "<U+1D173>"),
    ("a\u00a0b\u2003c\u202fd", "a b c d"),
    ("\u3164\u1160\uffa0", "<U+3164><U+1160><U+FFA0>"),  # letters that are blank
    ("a\u2800b", "a b"),
    ("\ufffc", "<U+FFFC>"),
    ("a\u034fb", "a<U+034F>b"),
    ("a\ufe0fb", "a<U+FE0F>b"),  # variation selectors: four bits behind any letter
    ("a\U000e0100\U000e01ef", "a<U+E0100><U+E01EF>"),
    ("❤\ufe0f\ufe0f", "❤\ufe0f<U+FE0F>"),
    ("葛\U000e0100\U000e0101", "葛<U+E0101>"),
    ("1\ufe0f", "1<U+FE0F>"),
    ("🏴\U000e0073\U000e0065\U000e0063\U000e0072\U000e0065\U000e0074\U000e007f", None),  # a word behind a flag
    ("م\u200c\u200c", "م\u200c<U+200C>"),
    ("👩\u200d\u200d👧", None),
    ("Z\u0300\u0301\u0302\u0303\u0304\u0305", "Z\u0300\u0301\u0302\u0303"),  # a pile of marks
    ("क" + "\u093e" * 500, "क" + "\u093e" * 4),  # marks that stand beside
    ("\u1100" + "\u1161" * 500, "\u1100" + "\u1161" * 4),
    ("Z" + "\u0489" * 500 + "z", "Z" + "\u0489" * 4 + "z"),
    ("\u0301" * 10, "\u0301" * 4),
]


@cases(("text", "shown"), HOSTILE)
def test_hostile_text(text, shown):
    if shown is None:  # but for the visible, all of it is named
        assert set(safe_text(text)) & WRITING == set()
    else:
        assert safe_text(text) == shown


@cases(
    "text",
    [
        "plain ASCII, with \\ and ~",
        "Grüße, Ærø, Ωmega, Привет",
        "こんにちは\u3000世界",
        "안녕하세요",
        "한글",
        unicodedata.normalize("NFD", "한글"),  # as macOS has it in file names
        "שלום",
        "مرحبا",
        "हिन्दी क्षत्रिय",
        "ภาษาไทย ที่นี่",
        "လျှို့ဝှက်",  # Burmese: five marks on the first letter
        "e\u0301 n\u0303",
        "½ € © ™ ₿",
        "",
    ],
)
def test_harmless_text_stays_as_it_is(text):
    assert safe_text(text) == text


def test_line_ends_stay_if_they_are_asked_for():
    assert safe_text("a\nb\r\nc", lines=True) == "a\nb\\x0d\nc"


# ---- titles


@cases(
    "title",
    [
        "Room A",
        "x",
        "Ærø – 2",
        "会議室",
        "❤\ufe0f lunch",
        "#dev: a/b",
        "t" * 60,
        "!",
        "کتاب\u200cها",
        "\U0001fae8",
        "🇩🇪",
    ],
)
def test_valid_titles(title):
    assert clean_title(title) == title
    assert clean_title(f"  {title} ") == title


@cases(
    ("text", "why"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("\u3000", "empty"),
        ("t" * 61, "60 characters; this one has 61"),
        ("t" * 300, "180 bytes"),
        ("\u0958" * 31, "180 bytes"),  # fits as it comes, not in NFC
        ("two\nlines", "one line"),
        ("tab\there", "one line"),
        ("\x1b]0;x\x07", "visible characters"),
        ("a\u200bb", "visible characters"),
        ("\u202eevil", "visible characters"),
        ("\u3164", "visible characters"),
        ("\u2800", "visible characters"),
        ("Room A\U000e0100", "visible characters"),
        ("Room\ufe0f A", "visible characters"),
        ("葛\U000e0100", "visible characters"),
        ("\u0301", "empty"),
        ("\ud800", "valid Unicode"),
        ("a\u00a0b", "visible characters"),
    ],
)
def test_invalid_titles(text, why):
    with pytest.raises(ValueError, match=why):
        clean_title(text)


@given(st.text(st.characters(), max_size=70))
def test_a_clean_title_stays_the_same(text):
    try:
        title = clean_title(text)
    except ValueError:
        return
    assert clean_title(title) == title == safe_text(title)
    assert 0 < len(title) <= MAX_TITLE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Room A", "Room A\U000e0100"),
        ("❤ lunch", "❤\ufe0f lunch"),
        ("کتابها", "کتاب\u200cها"),
        ("Zoë", "Zoe\u0308"),
        ("x", "\u200bx\u2060"),
    ],
)
def test_titles_that_differ_by_nothing_one_sees_are_the_same(one, other):
    assert same_title(one) == same_title(other)


def test_titles_that_differ_to_the_eye_are_two():
    assert len({same_title(title) for title in ("Room A", "Room B", "room A", "Room  A", "会議室", "会議")}) == 6


# ---- what is said


def test_line_ends_have_one_canonical_spelling():
    assert clean_text("a\r\nb\rc\n\n") == "a\nb\nc"
    assert clean_text("\n\n  indented\n") == "  indented"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * (MAX_TEXT + 1), "at most 4096"),
        ("é" * 2049, "4098 bytes"),
        ("x\ud800", "valid Unicode"),
        ("\n".join("x" * (MAX_LINES + 1)), "101 lines"),
        ("\x01" * 700 + "x", "4096 at most"),  # six bytes each on the wire
    ],
)
def test_invalid_texts(text, why):
    with pytest.raises(ValueError, match=why):
        clean_text(text)


def test_the_longest_valid_texts():
    assert len(clean_text("x" * MAX_TEXT)) == MAX_TEXT
    assert clean_text("\n".join("x" * MAX_LINES)).count("\n") == MAX_LINES - 1
    assert clean_text("\x1b[2J\x00") == "\x1b[2J\x00"  # said as it is; made safe where it is shown


# ---- words in a shell


@cases("title", ["Room A", "it's", 'say "hi"', "$HOME", "`id`", "a\\b", "100%", "wow!", "-x", "Café", "'\"$"])
def test_a_quoted_title_is_one_word_for_a_shell(title):
    done = subprocess.run(["sh", "-c", f"printf %s {quoted(title)}"], capture_output=True, check=True)
    assert done.stdout.decode() == title


@pytest.mark.parametrize(
    ("title", "typed"),
    [("Room A", '"Room A"'), ("-x", '-- "-x"'), ("100%", "100%"), ("it's", '"it\'s"'), ('say "hi"', "'say \"hi\"'")],
)
def test_a_title_in_a_command_is_quoted_and_no_option(title, typed):
    assert last_argument(title) == typed


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("192.168.1.9:47474", "192.168.1.9:47474"),
        ("host.local", "host.local"),
        ("[fd00::9]:47474", '"[fd00::9]:47474"'),
        ("[fe80::9%eth0]:47474", "'[fe80::9%eth0]:47474'"),
        ("/home/ann/Application Support/key", '"/home/ann/Application Support/key"'),
    ],
)
def test_an_address_or_a_path_that_a_shell_takes_for_something_else_is_quoted(address, typed):
    """zsh runs no command at all if a pattern fits no file."""
    assert argument(address) == typed


# ---- names in a sentence


@pytest.mark.parametrize(
    ("names", "behind_colon", "within"),
    [
        ([], "", ""),
        (["ann"], "ann", "ann"),
        (["ann", "bob"], "ann, bob", "ann and bob"),
        (["ann", "bob", "cat"], "ann, bob, cat", "ann, bob and cat"),
    ],
)
def test_a_few_names_are_all_told(names, behind_colon, within):
    assert (listed(names), conjunction(names)) == (behind_colon, within)


def test_of_many_names_the_first_are_told_and_how_many_there_are():
    many = [f"p{number}" for number in range(MAX_LISTED + 3)]
    for told in (listed(many), conjunction(many)):
        assert told.startswith("p0, p1, ") and told.endswith(f", p{MAX_LISTED - 1} and 3 more")
