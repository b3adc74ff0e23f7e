"""Lines of IRC, in the manner of ircdocs' parser tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.irc.line import MAX_LINE, Line, TooLong, lowered, made, parse, pieces, without_formatting
from tests.support.cases import cases


@cases(
    ("raw", "line"),
    [
        (b"foo bar baz asdf", Line("FOO", ("bar", "baz", "asdf"))),
        (b":coolguy foo bar baz :asdf quux", Line("FOO", ("bar", "baz", "asdf quux"), source="coolguy")),
        (b"NICK :wee\r", Line("NICK", ("wee",))),
        (b"WHO #c :%tuhnairf,1", Line("WHO", ("#c", "%tuhnairf,1"))),
        (b"JOIN :", Line("JOIN", ("",))),
        (b"PRIVMSG #a ::-) : b", Line("PRIVMSG", ("#a", ":-) : b"))),
        (b"  PING   a  ", Line("PING", ("a",))),
        (rb"@a=b\:\s\\\r\n\x;c;d= PING", Line("PING", (), {"a": "b; \\\r\nx", "c": "", "d": ""})),
        (b"@a :src PING", Line("PING", (), {"a": ""}, "src")),
        (b"A " + b"p " * 16, Line("A", ("p",) * 14 + ("p p",))),
    ],
)
def test_a_line_is_taken_apart(raw, line):
    assert parse(raw) == line


@pytest.mark.parametrize("raw", [b"", b"\r", b"   ", b"@tag", b":source", b"@a :b ", b"\0"])
def test_a_line_without_a_command_is_blank(raw):
    assert parse(raw) is None


@pytest.mark.parametrize("raw", [b"PING " + b"a" * 506, b"@" + b"a" * 4095 + b" PING", b"@" + b"a" * 9000])
def test_a_line_with_too_many_bytes_is_refused(raw):
    with pytest.raises(TooLong):
        parse(raw)


def test_the_longest_line_is_taken():
    assert parse(b"@" + b"a" * 4094 + b" PING " + b"b" * 505) is not None


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(UnicodeDecodeError):
        parse(b"PRIVMSG #a :caf\xe9")


@given(st.binary(max_size=600))
def test_any_bytes_are_a_line_or_refused(raw):
    try:
        parse(raw)
    except (TooLong, UnicodeDecodeError):
        pass


@given(st.text(), st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(max_size=20), max_size=3))
def test_what_is_written_is_read_back_and_is_one_line(text, tags):
    tags = {name: value.encode(errors="ignore").decode().replace("\0", "") for name, value in tags.items()}
    raw = made("server", "NOTICE", "wee", last=text, tags=tags)
    assert raw.endswith(b"\r\n") and not {10, 13, 0} & set(raw[:-2])
    line = parse(raw[:-2])
    assert line is not None and (line.command, line.parameters[0], line.tags) == ("NOTICE", "wee", tags)


def test_a_line_that_is_too_long_is_cut_between_characters():
    raw = made("server", "NOTICE", "wee", last="ж" * 400)
    assert MAX_LINE - 1 <= len(raw) <= MAX_LINE
    raw.decode()


@given(st.text(max_size=300), st.integers(min_value=8, max_value=60))
def test_pieces_fit_and_hold_every_word(text, size):
    text = text.encode(errors="ignore").decode()
    found = pieces(text, size)
    assert all(len(piece.encode()) <= size for piece in found)
    assert "".join("".join(found).split()) == "".join("".join(text.split("\n")).split())


def test_a_text_is_broken_at_line_ends_and_between_words():
    assert pieces("one two three\n\n  \nfour", 8) == ["one two", "three", "four"]
    assert pieces("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_formatting_codes_go():
    assert without_formatting("\x02bold\x02 \x0304,12red\x03 \x04ff0000hex\x0f 1\x1d2\x1f3\x1e4\x115\x166") == (
        "bold red hex 123456"
    )


def test_channels_ignore_the_case_of_ascii_alone():
    assert lowered("#Room-ÄB") == "#room-Äb"
