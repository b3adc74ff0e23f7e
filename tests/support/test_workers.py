"""Workers run every test once, and all that goes wrong in one of them is told."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.waiting import wait_until

if sys.platform != "linux":
    pytest.skip("workers are forks, and made on Linux only", allow_module_level=True)

SUITE = """
import os
import warnings
from pathlib import Path

import pytest

HERE = Path(__file__).parent

@pytest.fixture(autouse=True, scope="session")
def ends():
    yield
    (HERE / f"ended {os.getpid()}").touch()

def test_that_passes(tmp_path):
    (tmp_path / "mine").touch()

@pytest.mark.parametrize("at", range(4))
def test_in_a_worker(at, ends):
    (HERE / f"ran {at} {os.getpid()}").touch()

def test_that_fails():
    print("what it printed")
    assert {1, 2} == {1, 3}

def test_that_warns():
    warnings.warn("this is old")

def test_that_is_skipped():
    pytest.skip("not here")

def test_that_kills_its_worker():
    os._exit(7)

def test_that_lasts():
    if os.environ.get("LASTS"):
        import time
        (HERE / "begun").write_text(str(os.getpid()))
        time.sleep(60)
"""


def run(folder: Path, *options: str, **env: str) -> Program:
    suite = folder / "suite"
    suite.mkdir()
    (suite / "pytest.ini").write_text("[pytest]\n")
    (suite / "test_it.py").write_text(SUITE)
    argv = [sys.executable, "-m", "pytest", "-p", "tests.support.workers", "-p", "no:cacheprovider"]
    argv += ["--workers", "2", "--basetemp", str(folder / "temp"), *options, str(suite)]
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "120", **env}
    return Program(argv, folder / "run", env, fresh=True)


def test_all_is_run_once_and_all_that_goes_wrong_is_told(tmp_path):
    with run(tmp_path, "-rA") as program:
        ended = program.wait()
    assert ended.code == 1, ended
    assert "2 failed, 7 passed, 1 skipped, 1 warning" in ended.lines[-1]
    assert "E       assert {1, 2} == {1, 3}" in ended.lines
    assert "what it printed" in ended.lines
    assert "This test ended the worker that ran it, with exit code 7." in ended.lines
    assert "UserWarning: this is old" in ended.out
    ran = [path.name.split() for path in (tmp_path / "suite").glob("ran *")]
    assert sorted(at for _, at, _ in ran) == ["0", "1", "2", "3"]
    assert program.pid not in {int(pid) for _, _, pid in ran}
    assert list((tmp_path / "suite").glob("ended *")), "no fixture was ended"


@pytest.mark.full
def test_at_ctrl_c_fixtures_end_and_no_worker_is_left(tmp_path):
    begun = tmp_path / "suite" / "begun"
    with run(tmp_path, "-k", "lasts or passes", LASTS="yes") as program:
        worker = wait_until(lambda: begun.exists() and begun.read_text())
        program.send(signal.SIGINT)
        ended = program.wait()
    assert ended.code == 2, ended
    assert "KeyboardInterrupt" in ended.out
    assert (tmp_path / "suite" / f"ended {worker}").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(worker), 0)


@pytest.mark.full
def test_the_first_failure_can_end_the_run(tmp_path):
    with run(tmp_path, "-x", "-k", "fails or lasts", LASTS="yes") as program:
        ended = program.wait()
    assert ended.code == 1, ended
    assert "1 failed" in ended.lines[-2] + ended.lines[-1]
