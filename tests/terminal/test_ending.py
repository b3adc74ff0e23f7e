"""The last line of --json."""

from functools import partial
from typing import NoReturn

import pytest

from lanchat.errors import TimedOut
from lanchat.terminal.ending import with_end
from lanchat.terminal.json_events import Ended, Line


def test_the_last_line_says_how_it_ended():
    lines: list[Line] = []
    assert with_end(lambda: 3, lines.append) == 3
    for error in (TimedOut("The time is up."), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            with_end(partial(fail, error), lines.append)
    assert lines == [Ended(3, ""), Ended(124, "The time is up."), Ended(130, "interrupted")]


def test_that_nobody_reads_it_changes_nothing():
    assert with_end(lambda: 0, lambda line: fail(BrokenPipeError())) == 0


def fail(error: BaseException) -> NoReturn:
    raise error
