"""`lanchat` as people start it: a process of its own, with a home of its own, seen from outside.

    with Commands(folder) as lanchat:
        room = lanchat.host("Room A", nick="hal")
        ann = lanchat.run("join", room.address, "--nick", "ann", input="hello\\n")
        assert ann.code == 0
        room.wait_err("ann left")

Every process ends with the `Commands`.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lanchat.threads import Closable
from tests.support.program import Ended, Program
from tests.support.waiting import PATIENCE

# At once, or as soon as it has a network.
_ADDRESS = re.compile(r"^(?:  |-- Others can join now: )lanchat join (\S+:\d+)$", re.MULTILINE)


def own_title(name: str) -> str:
    """A title that no other run of these tests announces on this machine, where they cannot have its own network."""
    return f"{name} {os.getpid()}"


class Running(Program):
    """One lanchat process. One thread uses the object."""

    @property
    def address(self) -> str:
        """For a host: the first address that it tells others to join by."""
        self._wait(lambda: _ADDRESS.search(self.err), "an address")
        found = _ADDRESS.search(self.err)
        assert found is not None
        return found[1]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


class Commands(Closable):
    """Starts lanchat and ends what it started.

    Args:
        folder: where homes and outputs go.
        prefix: what stands before the program, to run it elsewhere (a network namespace).
        env: on top of the environment of the tests; None takes a name out.
        fresh: no forks (tests/support/program.py), for tests that look at the start itself.
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
        self._fresh = fresh
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
            stdin, stdout: see `Program`.
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
