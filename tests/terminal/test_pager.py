"""Long output, on a real terminal."""

import sys

import pytest

from tests.support.ptyscreen import PtyScreen

PROGRAM = """
import sys
from lanchat.terminal.pager import paged

try:
    with paged(sys.stdout) as page:
        for number in range(int(sys.argv[1])):
            page.write(f"line {number}\\n")
finally:
    print("done", file=sys.stderr)
"""


def show(lines: int, **env: str) -> PtyScreen:
    return PtyScreen([sys.executable, "-c", PROGRAM, str(lines)], rows=10, env={"LANCHAT_PAGER": "", **env})


def test_output_goes_through_the_pager_of_the_person(tmp_path):
    pager = tmp_path / "my pager"
    pager.write_text("#!/bin/sh\nsed 's/^/paged: /'\n")
    pager.chmod(0o755)
    with show(2, LANCHAT_PAGER=f"'{pager}'") as screen:
        assert screen.wait_exit() == 0
        assert screen.lines[:3] == ["paged: line 0", "paged: line 1", "done"]


def test_a_person_may_leave_the_pager_before_the_end(tmp_path):
    with show(200_000, LANCHAT_PAGER="head -n 1") as screen:
        assert screen.wait_exit() == 0
        assert screen.lines[:2] == ["line 0", "done"]


@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager --option"])
def test_without_a_pager_the_output_is_shown_as_it_is(pager):
    with show(3, LANCHAT_PAGER=pager) as screen:
        assert screen.wait_exit() == 0
        assert screen.lines[:4] == ["line 0", "line 1", "line 2", "done"]
