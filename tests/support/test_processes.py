"""A run that several processes share finds what one process finds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]

if sys.platform != "linux":
    pytest.skip("the processes are forks", allow_module_level=True)

TESTS = """
import os
import sys
import pytest

@pytest.mark.parametrize("number", range(40))
def test_sound(number, tmp_path):
    (tmp_path / "mine").write_text("")
    print(number, "in", os.getpid())
    with open(os.environ["RAN"], "a") as ran:
        ran.write(f"{number} {os.getpid()}\\n")
    assert number != 7, "seven is not sound"

def test_that_ends_its_process():
    print("on the way")
    os._exit(3)
"""


def shared(folder: Path, *options: str) -> tuple[int, str, list[list[str]]]:
    """The exit code, what was printed, and for each of the forty: its number and its process."""
    (folder / "test_it.py").write_text(TESTS)
    (ran := folder / "ran").touch()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.processes", "--processes", "3", *options, "test_it.py"],
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(TOP), "RAN": str(ran), "PYTEST_DEBUG_TEMPROOT": str(folder)},
        capture_output=True,
        text=True,
        timeout=50,
    )
    return done.returncode, done.stdout + done.stderr, [line.split() for line in ran.read_text().splitlines()]


def test_each_test_runs_once_and_those_that_fail_are_reported_with_what_they_printed(tmp_path):
    code, said, ran = shared(tmp_path)
    assert code == 1 and "2 failed, 39 passed" in said
    assert sorted(int(number) for number, _ in ran) == [*range(40)], "also those that came after the end of a process"
    assert len({process for _, process in ran}) > 1
    (process,) = [process for number, process in ran if number == "7"]
    assert "seven is not sound" in said
    assert re.findall(r"^\d+ in \d+$", said, re.MULTILINE) == [f"7 in {process}"], "nobody else's words"
    assert "test_that_ends_its_process" in said and "The process that ran it has ended meanwhile, with 3." in said


def test_a_run_ends_at_the_first_failure_if_that_is_wanted(tmp_path):
    code, said, _ = shared(tmp_path, "-x", "--verbose")
    assert code == 1 and "stopping after 1 failures" in said and "1 failed" in said
    assert "test_sound[0] PASSED" in said
