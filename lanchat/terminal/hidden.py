"""Keeps a password off the screen while it is typed, even when the program was stopped meanwhile.

After Ctrl-Z the shell takes the terminal with its own modes, and leaves it so for the program that `fg` continues: with
an echo. `getpass`, which asks for the password, does not notice.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

if sys.platform != "win32":
    import termios


@contextmanager
def echo_kept_off(question: str) -> Iterator[None]:
    """While this lasts, a program that continues turns the echo of its terminal off, and repeats the question."""
    if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGCONT, lambda number, frame: _ask_again(question))
        try:
            yield
        finally:
            signal.signal(signal.SIGCONT, before)
    else:
        yield


if sys.platform != "win32":

    def _ask_again(question: str) -> None:
        with suppress(OSError, termios.error), open("/dev/tty", "r+b", buffering=0) as terminal:  # none: nobody types
            if os.tcgetpgrp(terminal.fileno()) != os.getpgrp():
                return  # `bg`: the terminal is the shell's, and to touch it would stop the program
            modes = termios.tcgetattr(terminal)
            modes[3] &= ~termios.ECHO
            termios.tcsetattr(terminal, termios.TCSAFLUSH, modes)  # what was typed meanwhile was seen: it is dropped
            terminal.write(f"{question}: ".encode())
