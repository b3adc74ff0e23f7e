"""What of the bytes of a terminal is text, what is a key, and what is neither."""

from hypothesis import given
from hypothesis import strategies as st

from lanchat.terminal.keystream import (
    CTRL_C,
    ESC,
    MAX_PASTE,
    PASTE_BEGIN,
    PASTE_END,
    Key,
    KeyStream,
    Paste,
    Piece,
    Text,
    only_text,
)
from tests.support.cases import cases

PAUSE = 1.0  # s


def pieces(*reads: str) -> list[Piece]:
    """What these reads bring, with a pause between them, and silence at the end."""
    stream = KeyStream()
    found = [piece for number, read in enumerate(reads) for piece in stream.feed(read, number * PAUSE)]
    return found + stream.flush()


def text(*reads: str) -> str:
    return "".join(piece.text for piece in pieces(*reads) if isinstance(piece, Text))


@cases(
    "code",
    [
        "\x1b[13;2u",
        "\x1b[15;5~",
        "\x1b[I",
        "\x1b[?64;1;2c",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1b]11;rgb:0000/0000/0000\x07",
        "\x1bP>|kitty 0.30\x1b\\",
        "\x1bP1+r524742=382f382f38\x1b\\",
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b[12;40R",
        "\x1b[M !!",
        "\x1b[[A",
        "\x1bOP",
        "\x1bO5P",
        "\x1b[<0;10;10M",
    ],
)
def test_a_sequence_is_one_key_however_it_is_torn(code):
    assert pieces(f"ab{code}cd") == [Text("ab"), Key(code), Text("cd")]
    assert text("ab", *code, "cd") == "abcd"
    for at in range(2, len(code)):
        assert pieces("ab" + code[:at], code[at:] + "cd") == [Text("ab"), Key(code), Text("cd")]


@cases("begun", ["\x1b[", "\x1b[13;", "\x1b]", "\x1b]11;rgb:00", "\x1bP", "\x1bP1+r52", "\x1bO", ESC])
def test_a_sequence_that_breaks_off_holds_nothing_up(begun):
    stream = KeyStream()
    stream.feed(begun, 0.0)
    assert stream.feed(CTRL_C, 0.1)[-1] == Key(CTRL_C)
    stream.feed(begun, 0.2)
    stream.flush()
    assert stream.feed("hello", 0.3) == [Text("hello")]


def test_what_is_no_text_is_not_typed():
    assert text("a\x9bb\x85c\udce9d") == "abcd"
    assert pieces("a\x1ab\x00") == [Text("a"), Key("\x1a"), Text("b"), Key("\x00")]
    assert text("می‌خواهم 👩‍💻 ❤️") == "می‌خواهم 👩‍💻 ❤️"


def test_a_letter_with_alt_is_a_key_and_a_letter_after_escape_is_a_letter():
    assert pieces("\x1bf") == [Key("\x1bf")]
    assert pieces(ESC, "f") == [Key(ESC), Text("f")]
    assert pieces("\x1b[") == [Key("\x1b[")]
    assert pieces("\x1b\r") == [Key(ESC), Key("\r")]
    assert pieces("\x1b\x1b[A") == [Key(ESC), Key("\x1b[A")]


def test_a_paste_is_one_piece_however_it_is_torn():
    whole = f"{PASTE_BEGIN}one\r\ntwo\rthree\x1b[31m\x07{PASTE_END}\r"
    for at in range(1, len(whole)):
        stream = KeyStream()
        found = stream.feed(whole[:at], 0.0) + stream.feed(whole[at:], 0.0)
        assert found == [Paste("one\ntwo\nthree"), Key("\r")]


def test_half_a_paste_is_typed_after_a_while_and_then_every_key_works_again():
    stream = KeyStream()
    assert stream.feed(PASTE_BEGIN + "half of", 0.0) == []
    assert stream.flush() == [Paste("half of")]
    assert stream.feed("a paste goes on", 1.0) == [Paste("a paste goes on")]
    assert stream.feed("\r", 2.0) == [Key("\r")]
    assert stream.feed("free", 3.0) == [Text("free")]
    assert stream.feed(PASTE_END, 4.0) == [Key(PASTE_END)]  # late, and bound to nothing


def test_ctrl_c_gets_through_every_paste():
    stream = KeyStream()
    stream.feed(PASTE_BEGIN + "half", 0.0)
    assert stream.feed(CTRL_C, 0.0) == [Paste("half"), Key(CTRL_C)]  # which clears the line
    assert stream.feed("free", 0.0) == [Text("free")]
    assert stream.feed("1\r2\r3\r4\r", 0.0) == [Paste("1\n2\n3\n4\n")]
    assert stream.feed("5\r" + CTRL_C, 0.0) == [Paste("5\n"), Key(CTRL_C)]
    assert stream.feed("free", 0.0) == [Text("free")]


def test_a_paste_without_end_has_a_bound():
    stream = KeyStream()
    stream.feed(PASTE_BEGIN, 0.0)
    for _ in range(3):
        stream.feed("x" * (MAX_PASTE // 2 + 1), 0.0)
    (pasted,) = stream.feed(PASTE_END, 0.0)
    assert pasted == Paste("x" * MAX_PASTE)


def test_many_lines_at_once_are_a_paste_also_without_its_marks():
    stream = KeyStream()
    lines = "".join(f"line {number} of the file\r" for number in range(400))
    found = [piece for at in range(0, len(lines), 1024) for piece in stream.feed(lines[at : at + 1024], 0.0)]
    assert {type(piece) for piece in found} == {Paste}
    assert "".join(piece.text for piece in found if isinstance(piece, Paste)) == lines.replace("\r", "\n")
    stream.flush()
    assert stream.feed("hello\r", 1.0) == [Text("hello"), Key("\r")]


def test_a_slow_line_pastes_as_well():
    stream = KeyStream()
    found = [piece for at, char in enumerate("one\rtwo\rthree\rfour\r") for piece in stream.feed(char, at / 1000)]
    assert found.count(Key("\r")) == 2  # the first lines look as if they were typed
    assert "".join(piece.text for piece in found if isinstance(piece, Paste)).endswith("\nfour\n")


def test_a_program_that_types_lines_sends_each():
    stream = KeyStream()
    for number in range(10):
        assert stream.feed(f"line {number}\r", number / 1000)[-1] == Key("\r")
    assert stream.feed("\r\r\r\r", 0.01) == [Key("\r")] * 4  # Return that is held down
    assert pieces("one\rtwo\r").count(Key("\r")) == 2


PARTS = [*"\x1b[]OP_M~;0159Rac\r\n\x03\x07\\ü", PASTE_BEGIN, PASTE_END]


@given(st.lists(st.lists(st.sampled_from(PARTS)).map("".join)))
def test_text_is_never_a_control_character(reads):
    stream = KeyStream()
    for read in reads:
        for piece in stream.feed(read, 0.0) + stream.flush():
            if isinstance(piece, Text | Paste):
                assert not set(piece.text) & set(map(chr, [*range(9), *range(11, 32), 127]))
    stream.flush()
    assert stream.feed(CTRL_C, 0.0)[-1] == Key(CTRL_C)


def test_a_pasted_log_comes_without_its_colours():
    assert only_text("\x1b[1;31merror\x1b[0m: no\x00thing\r\n\tat \x1b]8;;x\x07y") == "error: nothing\n\tat y"
