"""Long output goes through the person's pager, as they know it from git and man."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from lanchat.terminal.stdio import columns_of, is_dumb

DEFAULT = "less"
LESS = "FRX"  # end if it fits on the screen, show colours, leave the text on the screen


@contextmanager
def paged(out: IO[str]) -> Iterator[IO[str]]:
    """A stream whose text the pager shows; the stream itself where nobody looks at it, or where there is no pager."""
    command = shlex.split(os.environ.get("LANCHAT_PAGER", os.environ.get("PAGER", DEFAULT)))
    if not columns_of(out) or is_dumb() or not command or command == ["cat"] or shutil.which(command[0]) is None:
        yield out
        return
    out.flush()
    env = {"LESS": LESS, **os.environ}
    pager = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=out, env=env, encoding="utf-8", errors="backslashreplace"
    )
    assert pager.stdin is not None
    try:
        yield pager.stdin
    except BrokenPipeError:  # the person has read enough
        pass
    finally:
        with suppress(OSError):
            pager.stdin.close()
        while pager.poll() is None:
            with suppress(KeyboardInterrupt):  # Ctrl-C is for the pager
                pager.wait()
