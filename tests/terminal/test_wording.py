"""The sentences that lanchat itself says."""

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Left
from lanchat.protocol.text import TooLong
from lanchat.terminal.phrases import counted, sentence
from lanchat.terminal.wording import (
    advice,
    error_line,
    error_text,
    held_text,
    left_text,
    resent_text,
    unsent_text,
)
from tests.support.cases import cases


@cases(
    ("text", "shown"),
    [
        ("the room is full", "The room is full."),
        ("The room is full.", "The room is full."),
        ("which room?", "Which room?"),
        ("reconnecting …", "Reconnecting …"),
        ('no room "Room A"', 'No room "Room A".'),
        ("report.pdf was cancelled", "report.pdf was cancelled."),
        ("mDNS does not work here.", "mDNS does not work here."),
        ("fe80::1 does not answer", "fe80::1 does not answer."),
        ("/home/ann/identity.key is damaged", "/home/ann/identity.key is damaged."),
    ],
)
def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop(text, shown):
    assert sentence(text) == shown


def test_no_full_stop_follows_what_is_to_be_typed():
    assert advice("look again: lanchat rooms") == "Look again: lanchat rooms"
    assert advice("choose another file") == "Choose another file."


def test_an_error_says_what_happened_and_below_it_what_to_do():
    assert error_text("the room is full") == ["lanchat: The room is full."]
    assert error_text("no room", "open one: lanchat host TITLE") == [
        "lanchat: No room.",
        "  Open one: lanchat host TITLE",
    ]


def test_an_error_in_one_line_is_two_sentences():
    error = LanchatError("Cannot use big.bin: No such file or directory", "Choose a file")
    assert error_line(error) == "Cannot use big.bin: No such file or directory. Choose a file."
    assert error_line(ValueError("usage: /msg NICK TEXT")) == "usage: /msg NICK TEXT"
    assert error_line(TooLong("9 lines are too many.")) == "9 lines are too many. Longer texts go as a file: /send PATH"


def test_one_is_not_many():
    assert (counted(1, "message"), counted(2, "message"), counted(0, "person", "people")) == (
        "1 message",
        "2 messages",
        "0 people",
    )
    assert unsent_text(1, kept=True, last="one\ntwo") == (
        '1 message was not sent: "one two". It goes out when you join again, unless you join with --discard.'
    )
    assert unsent_text(2, kept=True, hosting=True) == (
        "2 messages were not sent. They go out when you are in the room again."
    )
    assert unsent_text(2, kept=False) == "2 messages were not sent. They are lost."
    assert resent_text(1, "17:02") == "Sending 1 message from 17:02 that could not be delivered."
    assert resent_text(2, "17:02") == "Sending 2 messages from 17:02 that could not be delivered."
    assert held_text(2, "Monday, 21:44", "x" * 80) == (
        f'2 messages from Monday, 21:44 were not sent, the last one: "{"x" * 59}…". '
        "Send them: /resend   Or drop: /discard"
    )


def test_others_need_not_know_what_was_wrong_with_the_program_of_who_leaves():
    left = Left(7, 0, "id-bob", "bob", "rules", "A message is malformed: Expected `str` of length <= 64 - at `$.id`.")
    assert left_text("bob", left) == "bob left (their program broke the rules of the room)"
    assert left_text("bob", Left(7, 0, "id-bob", "bob", "later", "the room is full.")) == "bob left (the room is full)"
