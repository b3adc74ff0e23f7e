"""`lanchat` as people start it: a process of its own, with a home of its own, seen from outside.

    with Commands(folder) as lanchat:
        room = lanchat.host("Room A", nick="hal")
        ann = lanchat.run("join", room.address, "--nick", "ann", input="hello\\n")
        assert ann.code == 0
        room.wait_err("ann left")

Nobody waits by sleeping: `wait_out` and `wait_err` wait for a text, `wait` for the end. Every process ends with the
`Commands`, and on Linux with the tests, even where those are killed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.waiting import wait_until

PATIENCE = 20.0  # s for one thing to happen; a quiet machine needs a second
_ADDRESS = re.compile(r"^  lanchat join (\S+:\d+)$", re.MULTILINE)
_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


@dataclass(frozen=True)
class Ended:
    """A process that is over."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def said(self) -> list[str]:
        """What it told the person."""
        return self.err.splitlines()


class Running:
    """One lanchat process. One thread uses the object.

    Args:
        stdin: "pipe" for `say()`, "nothing" for /dev/null, or the whole input.
    """

    def __init__(self, argv: Sequence[str], folder: Path, env: Mapping[str, str | None], stdin: str) -> None:
        folder.mkdir(parents=True)
        self._out, self._err = folder / "out", folder / "err"
        given = subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL
        if stdin not in ("pipe", "nothing"):
            (folder / "in").write_bytes(stdin.encode(errors="surrogateescape"))
            given = os.open(folder / "in", os.O_RDONLY)
        whole = {**os.environ, **env}
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(
                [*_DIE_WITH_US, *argv],
                stdin=given,
                stdout=out,
                stderr=err,
                env={name: value for name, value in whole.items() if value is not None},
            )
        if given >= 0:
            os.close(given)

    @property
    def out(self) -> str:
        """All it has written so far."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def address(self) -> str:
        """For a host: the first address that it tells others to join by."""
        found = wait_until(self._address, PATIENCE, "an address to be told")
        assert found is not None
        return found

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait_out(self, text: str) -> None:
        self._wait_text(self._out, text)

    def wait_err(self, text: str) -> None:
        self._wait_text(self._err, text)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> Ended:
        """What it was, once it is over."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end within {timeout} s; out: {self.out!r}; err: {self.err!r}") from None
        return Ended(self.process.returncode, self.out, self.err)

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        self.send(number)
        return self.wait()

    def close(self) -> None:
        """End it, whatever it does. May be called twice."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

    def _address(self) -> str | None:
        found = _ADDRESS.search(self.err)
        if found is None and self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.err!r}")
        return found[1] if found else None

    def _wait_text(self, file: Path, text: str) -> None:
        def there() -> bool:
            over = self.process.poll() is not None  # asked first: what it wrote before its end counts
            if text in file.read_text(errors="replace"):
                return True
            assert not over, f"it ended with {self.process.returncode}; out: {self.out!r}; err: {self.err!r}"
            return False

        try:
            wait_until(there, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"no {text!r}: {error}; out: {self.out!r}; err: {self.err!r}") from None


class Commands:
    """Starts lanchat and ends what it started.

    Args:
        folder: where homes and outputs go.
        prefix: what stands before the program, to run it elsewhere (a network namespace).
        env: on top of the environment of the tests; None takes a name out.
    """

    def __init__(self, folder: Path, prefix: Sequence[str] = (), env: Mapping[str, str | None] | None = None) -> None:
        self.folder = folder
        self._prefix = tuple(prefix)
        self._env = dict(env or {})
        self._started: list[Running] = []

    def home(self, who: str) -> Path:
        """The LANCHAT_HOME of this person."""
        return self.folder / "homes" / who

    def argv(self, *arguments: str) -> list[str]:
        """For who starts it in another way, such as in a terminal."""
        return [*self._prefix, sys.executable, "-m", "lanchat", *arguments]

    def env(self, who: str = "me", **env: str | None) -> dict[str, str | None]:
        return {"LANCHAT_HOME": str(self.home(who)), **self._env, **env}

    def start(self, *arguments: str, who: str = "", stdin: str = "nothing", **env: str | None) -> Running:
        """Start `lanchat ARGUMENTS`.

        Args:
            who: whose home it has; without it, the one whose nick stands in the arguments.
        """
        if not who:
            who = arguments[arguments.index("--nick") + 1] if "--nick" in arguments else "me"
        where = self.folder / "runs" / f"{len(self._started)}-{os.getpid()}"
        running = Running(self.argv(*arguments), where, self.env(who, **env), stdin)
        self._started.append(running)
        return running

    def run(
        self, *arguments: str, who: str = "", input: str = "", timeout: float = PATIENCE, **env: str | None
    ) -> Ended:
        """Run `lanchat ARGUMENTS` to its end, with this as its stdin."""
        running = self.start(*arguments, who=who, stdin=input or "nothing", **env)
        return running.wait(timeout)

    def host(
        self, title: str, *options: str, nick: str = "hal", stdin: str = "nothing", announce: bool = False
    ) -> Running:
        """Open a room on a free port, and wait until it is open.

        Args:
            announce: also over mDNS; it takes 1.7 s until others can find it.
        """
        told = () if announce else ("--no-announce",)
        running = self.start("host", title, "--nick", nick, "--port", "0", *told, *options, stdin=stdin)
        running.wait_err(f"{nick} joined")
        return running

    def close(self) -> None:
        for running in reversed(self._started):
            running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
