"""A fork is like the program itself, as far as a test can see."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from tests.support.program import Process, forks, start
from tests.support.ptyscreen import PtyScreen

if sys.platform != "linux":
    pytest.skip("forks are made on Linux only", allow_module_level=True)

from tests.support.forked import ForkServer

WHO = """
import json, os, re, signal, sys, threading
streams = [
    [stream.encoding, stream.errors, stream.newlines, stream.line_buffering, stream.write_through, stream.isatty()]
    for stream in (sys.stdin, sys.stdout, sys.stderr)
]
files = {}
for name in os.listdir("/proc/self/fd"):
    try:
        file = os.readlink(f"/proc/self/fd/{name}").partition(":")[0]
        files[name] = re.sub("/dev/pts/[0-9]+", "a pseudo-terminal", file)  # another test may open one meanwhile
    except OSError:
        pass  # the one that lists them
print(json.dumps({
    "name": __name__,
    "argv": sys.argv,
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "streams": streams,
    "files": files,
    "handlers": [str(signal.getsignal(number)) for number in range(1, 32)],
    "blocked": [*signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "threads": [thread.name for thread in threading.enumerate()],
    "lines": sys.stdin.read().splitlines() if "read" in sys.argv else [],
    "network": os.readlink("/proc/self/ns/net"),
}))
"""


@pytest.fixture(autouse=True, scope="module")
def forking() -> Iterator[None]:
    """Also in the full run."""
    with forks():
        yield


def ended(process: Process) -> tuple[int, bytes]:
    assert process.stdout is not None
    with process.stdout:
        out = process.stdout.read()
    return process.wait(10), out


def is_fork(process: Process) -> bool:
    return not isinstance(process, subprocess.Popen)


def test_it_finds_the_same_world(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_bytes(b"one\r\ntwo")
    env = {**os.environ, "LANCHAT_NICK": "ann", "LANCHAT_HOME": str(tmp_path)}
    told = []
    for fresh in (False, True):
        with open(tmp_path / "in", "rb") as given, open(tmp_path / "kept", "wb") as kept:
            arguments = [sys.executable, "-c", WHO, "read", "a \udcff b"]
            process = start(arguments, stdin=given.fileno(), stdout=PIPE, env=env, keep=[kept.fileno()], fresh=fresh)
        assert is_fork(process) != fresh
        code, out = ended(process)
        assert code == 0
        told.append(json.loads(out))
    assert told[0] == told[1]
    assert told[0]["lines"] == ["one", "two"] and told[0]["environment"]["LANCHAT_NICK"] == "ann"


def test_it_has_a_terminal_of_its_own():
    program = [sys.executable, "-c", WHO + "assert os.getsid(0) == os.getpid() and open('/dev/tty')\nsys.exit(3)"]
    shown = []
    for fresh in (False, True):
        with PtyScreen(program, columns=4000, fresh=fresh) as screen:
            assert screen.wait_exit() == 3, screen.text
            shown.append(json.loads(screen.text))
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("", 0),
        ("import sys; sys.exit(7)", 7),
        ("raise ValueError", 1),
        ("import sys; sys.exit('words')", 1),
        ("import os; os._exit(9)", 9),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("import atexit; atexit.register(print, 'at exit')", 0),
        ("import threading, time; threading.Timer(0.05, print, ['later']).start()", 0),
        ("print('not flushed', end='')", 0),
        ("import sys; sys.stdout = open('/dev/full', 'w'); print('cannot be flushed')", 120),
    ],
    ids=str,
)
def test_it_ends_in_the_same_way(code, exit_code):
    ends = []
    for fresh in (False, True):
        with open(os.devnull, "wb") as nothing:
            process = start([sys.executable, "-c", code], stdout=PIPE, stderr=nothing.fileno(), fresh=fresh)
        ends.append(ended(process))
    assert ends[0] == ends[1] and ends[0][0] == exit_code


def test_signals_reach_it_and_its_end_is_told_once():
    process = start(
        [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"], stdin=-1, stdout=-1
    )
    assert process.stdin is not None and process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == b"up\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == process.wait() == process.poll() == process.returncode == -signal.SIGINT
        process.kill()


def test_what_is_no_such_python_is_started_for_real():
    for argv, env in ((["true"], {}), ([sys.executable, "-c", ""], {"PYTHONIOENCODING": "ascii"})):
        process = start(argv, env={**os.environ, **env})
        assert not is_fork(process) and process.wait(10) == 0


@pytest.mark.full
def test_all_ends_with_the_server():
    server = ForkServer()
    argv = [sys.executable, "-c", "import signal; signal.pause()"]
    process = server.start(argv, (DEVNULL, DEVNULL, 2), os.environ, (), terminal=False)
    server.close()
    assert process.wait(10) == -signal.SIGKILL
    assert not Path(f"/proc/{process.pid}").exists()
