"""`lanchat` as people start it: a process of its own, with a home of its own, seen from outside.

    with Commands(folder) as lanchat:
        room = lanchat.host("Room A", nick="hal")
        ann = lanchat.run("join", room.address, "--nick", "ann", input="hello\\n")
        assert ann.code == 0
        room.wait_err("ann left")

Nobody waits by sleeping: `wait_out` and `wait_err` wait for a text, `wait` for the end. Every process ends with the
`Commands`. It may be a fork (tests/support/program.py), but where the start itself is looked at: `fresh=True`.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lanchat.threads import Closable
from tests.support.program import start
from tests.support.waiting import wait_until

PATIENCE = 20.0  # s for one thing to happen; a quiet machine needs a second
_ADDRESS = re.compile(r"^  lanchat join (\S+:\d+)$", re.MULTILINE)


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
        stdout: a descriptor, if it is not to be kept for `out`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str | None],
        *,
        stdin: str,
        stdout: int | None,
        fresh: bool,
    ) -> None:
        folder.mkdir(parents=True)
        self._out, self._err = folder / "out", folder / "err"
        given = subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL
        if stdin not in ("pipe", "nothing"):
            (folder / "in").write_bytes(stdin.encode(errors="surrogateescape"))
            given = os.open(folder / "in", os.O_RDONLY)
        whole = {**os.environ, **env}
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = start(
                argv,
                stdin=given,
                stdout=out.fileno() if stdout is None else stdout,
                stderr=err.fileno(),
                env={name: value for name, value in whole.items() if value is not None},
                fresh=fresh,
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
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end within {timeout} s; out: {self.out!r}; err: {self.err!r}") from None
        return Ended(code, self.out, self.err)

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


class Commands(Closable):
    """Starts lanchat and ends what it started.

    Args:
        folder: where homes and outputs go.
        prefix: what stands before the program, to run it elsewhere (a network namespace).
        env: on top of the environment of the tests; None takes a name out.
        fresh: no forks, for tests of the start itself.
    """

    def __init__(
        self,
        folder: Path,
        prefix: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self.folder = folder
        self._prefix = tuple(prefix)
        self._env = dict(env or {})
        self._fresh = fresh
        self._started: list[Running] = []

    def home(self, who: str) -> Path:
        """The LANCHAT_HOME of this person."""
        return self.folder / "homes" / who

    def argv(self, *arguments: str) -> list[str]:
        """For who starts it in another way, such as in a terminal."""
        return [*self._prefix, sys.executable, "-m", "lanchat", *arguments]

    def env(self, who: str = "me", **env: str | None) -> dict[str, str | None]:
        return {"LANCHAT_HOME": str(self.home(who)), **self._env, **env}

    def start(
        self,
        *arguments: str,
        who: str = "",
        stdin: str = "nothing",
        stdout: int | None = None,
        **env: str | None,
    ) -> Running:
        """Start `lanchat ARGUMENTS`.

        Args:
            who: whose home it has; without it, the one whose nick stands in the arguments.
            stdin, stdout: see `Running`.
        """
        if not who:
            who = arguments[arguments.index("--nick") + 1] if "--nick" in arguments else "me"
        where = self.folder / "runs" / f"{len(self._started)}-{os.getpid()}"
        running = Running(
            self.argv(*arguments), where, self.env(who, **env), stdin=stdin, stdout=stdout, fresh=self._fresh
        )
        self._started.append(running)
        return running

    def run(
        self, *arguments: str, who: str = "", input: str = "", timeout: float = PATIENCE, **env: str | None
    ) -> Ended:
        """Run `lanchat ARGUMENTS` to its end, with this as its stdin."""
        running = self.start(*arguments, who=who, stdin=input or "nothing", stdout=None, **env)
        return running.wait(timeout)

    def host(
        self,
        title: str,
        *options: str,
        nick: str = "hal",
        stdin: str = "nothing",
        announce: bool = False,
        **env: str | None,
    ) -> Running:
        """Open a room on a free port, and wait until it is open.

        Args:
            announce: also over mDNS; it takes 1.7 s until others can find it.
        """
        told = () if announce else ("--no-announce",)
        arguments = ("host", title, "--nick", nick, "--port", "0", *told, *options)
        running = self.start(*arguments, who=nick, stdin=stdin, stdout=None, **env)
        running.wait_err(f"{nick} joined")
        return running

    def close(self) -> None:
        for running in reversed(self._started):
            running.close()
