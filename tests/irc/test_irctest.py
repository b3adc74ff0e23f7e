"""The tests of irctest that the IRC door passes, by name. They need a checkout of it, which IRCTEST names.

IRCTEST_PYTHON may name the interpreter that has what irctest needs; by default it is this one. The tests that fail, and
why that is accepted, are in irctest_accepted.txt.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = os.environ.get("IRCTEST", "")
LIMIT = 900.0  # s for those of one title; they take some 200


def listed(name: str) -> list[str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_each_accepted_failure_has_a_reason_and_passes_nowhere():
    accepted = [line.split(" | ") for line in listed("irctest_accepted.txt")]
    assert all(len(row) == 2 and all(row) for row in accepted)
    passing = [line.partition(" | ")[2] for line in listed("irctest_pass.txt")]
    assert len(set(passing)) == len(passing) >= 177
    assert not {name for name, _ in accepted} & set(passing)


@pytest.mark.full
@pytest.mark.timeout(LIMIT + 60)
@pytest.mark.skipif(not CHECKOUT, reason="IRCTEST names no checkout of irctest")
@pytest.mark.parametrize("title", ["chan", "test", "xyz"])
def test_what_irctest_has_passed_passes(title):
    """In a room of this title: a room has one channel, and irctest names several."""
    python = os.environ.get("IRCTEST_PYTHON", sys.executable)
    rows = [line.split(" | ") for line in listed("irctest_pass.txt")]
    names = [f"irctest/server_tests/{name}" for where, name in rows if where == title]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "LANCHAT_PYTHON": sys.executable}
    environment["LANCHAT_TITLE"] = title
    environment.pop("PYTEST_ADDOPTS", None)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--controller", "tests.irc.irctest_controller", *names]
    ended = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert ended.returncode == 0, ended.stdout[-4000:]
