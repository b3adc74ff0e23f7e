"""prompt_toolkit's output, wrapped so that several things reach the terminal in one write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output

from lanchat.terminal.notify import RESTORE_TITLE, SAVE_TITLE, UNWATCH_FOCUS, WATCH_FOCUS


class HeldOutput:
    """An output that can hold back what is printed, so that it reaches the terminal together with the next drawing.

    While a screen is shown, the terminal reports when it gets or loses the focus, and its window has our title. Both
    are switched on and off together with bracketed paste, which prompt_toolkit switches off however the screen ends,
    also for Ctrl-Z.
    """

    responds_to_cpr = False  # do not ask where the cursor is: each drawing would wait for an answer that nobody needs

    def __init__(self, output: Output) -> None:
        self._output = output
        self._holds = False
        self._watches = False
        self.name: Callable[[], str] = lambda: ""  # makes the sequence that gives the window its title

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold back what is printed in this context until the next flush, so that nothing flickers.

        Bracketed paste stays on meanwhile: a paste that comes right then must stay one message.
        """
        self._holds = True
        try:
            yield
        finally:
            self._holds = False

    def flush(self) -> None:
        if not self._holds:
            self._output.flush()

    def send(self, sequence: str) -> None:
        """Write a sequence that does not move the cursor, such as a bell, if the output understands such sequences."""
        if sequence and isinstance(self._output, Vt100_Output):
            self._output.write_raw(sequence)
            self.flush()

    def enable_bracketed_paste(self) -> None:
        self._output.enable_bracketed_paste()
        if not self._watches:
            self._watches = True
            self.send(SAVE_TITLE + WATCH_FOCUS + self.name())

    def disable_bracketed_paste(self) -> None:
        if self._holds:
            return
        self._output.disable_bracketed_paste()
        if self._watches:
            self._watches = False
            self.send(UNWATCH_FOCUS + RESTORE_TITLE)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the output's own; each method is looked up only once."""
        attribute = getattr(self._output, name)
        setattr(self, name, attribute)
        return attribute


Output.register(HeldOutput)
