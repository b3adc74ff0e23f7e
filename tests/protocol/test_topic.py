"""What a topic may be."""

import pytest

from lanchat.protocol.topic import clean_topic, kept_topic


@pytest.mark.parametrize(
    ("typed", "topic"), [("", ""), ("  ", ""), (" deploy at 5 ", "deploy at 5"), ("Cafe\u0301 ☕", "Caf\u00e9 ☕")]
)
def test_a_topic_is_one_line_without_space_around(typed, topic):
    assert clean_topic(typed) == kept_topic(typed) == topic


@pytest.mark.parametrize("text", ["one\ntwo", "x" * 241, "é" * 121, "\x1b[2J", "\u202ex", "a\ud800"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="topic"):
        clean_topic(text)
    assert kept_topic(text) == "", "as in a damaged log"


@pytest.mark.parametrize("value", [None, 7, b"bytes"])
def test_what_a_damaged_log_holds_is_no_topic(value):
    assert kept_topic(value) == ""
