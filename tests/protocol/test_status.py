"""The text that tells why somebody is away."""

import pytest

from lanchat.protocol.framing import FROM_MEMBER, decode
from lanchat.protocol.status import MAX_AWAY, Away, clean_away


def test_it_stands_on_one_line():
    assert clean_away("  lunch\nuntil\t 2 ") == "lunch until 2"
    assert clean_away(" \n ") == "", "which is: back"


@pytest.mark.parametrize("text", ["\N{SNOWMAN}" * (MAX_AWAY // 3 + 1), "\ud800"])
def test_too_many_bytes_and_half_characters_are_refused(text):
    with pytest.raises(ValueError):
        clean_away(text)


def test_a_text_that_is_too_long_ends_no_link():
    """The room answers it, as it does a message that is too long."""
    text = "x" * 5000
    assert decode(f'{{"t":"away","text":"{text}"}}'.encode(), FROM_MEMBER) == Away(text)
