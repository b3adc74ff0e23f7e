"""Programs that `lanchat send --run` and `lanchat tail --exec` start. No shell takes part."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lanchat.errors import LanchatError
from lanchat.storage.files import as_unicode
from lanchat.terminal.wording import QUOTED

_GRACE = 5.0  # s that a program has to end by itself after Ctrl-C, which it has got, too


@dataclass(frozen=True)
class Outcome:
    """The end of a program.

    Args:
        code: its exit code, as a shell gives it: 128 and more if a signal ended it.
        text: the same as a sentence for a room.
    """

    code: int
    text: str


def run_command(command: Sequence[str]) -> Outcome:
    """Run a program to its end, with our own stdin, stdout and stderr.

    Raises:
        LanchatError: it cannot be started.
    """
    began = time.monotonic()
    with _started(command) as process:
        try:
            returned = process.wait()
        except KeyboardInterrupt:
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.terminate()
            raise
    return outcome(command, returned, time.monotonic() - began)


def outcome(command: Sequence[str], returned: int, seconds: float) -> Outcome:
    """A sentence about the end of a program.

    Args:
        returned: as `subprocess` says it: negative for a signal.
    """
    line = shlex.join(map(as_unicode, command))
    what = f'"{line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"}"'
    after = f"after {duration(seconds)}"
    if returned == 0:
        return Outcome(0, f"{what} finished {after}")
    if returned > 0:
        return Outcome(returned, f"{what} failed with exit code {returned} {after}")
    try:
        name = signal.Signals(-returned).name
    except ValueError:
        name = f"signal {-returned}"
    return Outcome(128 - returned, f"{what} was ended by {name} {after}")


def duration(seconds: float) -> str:
    """`4 s`, `3 min 12 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def hand_over(command: Sequence[str], text: str, variables: Mapping[str, str]) -> None:
    """Run a program for one message, and wait until it ends. What becomes of it is its own business.

    Args:
        text: its stdin. A program need not read it.
        variables: on top of our environment.

    Raises:
        LanchatError: it cannot be started.
    """
    with _started(command, {**os.environ, **variables}, piped=True) as process:
        process.communicate(text.encode(errors="replace"))  # ignores that nobody reads


def _started(
    command: Sequence[str], env: Mapping[str, str] | None = None, *, piped: bool = False
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(command, env=env, stdin=subprocess.PIPE if piped else None)
    except OSError as error:
        raise LanchatError(f"Cannot run {command[0]}: {error.strerror or error}.", "Check its name.") from None
