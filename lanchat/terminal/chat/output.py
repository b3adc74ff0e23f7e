"""prompt_toolkit's output, wrapped so that several things reach the terminal in one write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output

from lanchat.terminal.notify import RESTORE_TITLE, SAVE_TITLE, UNWATCH_FOCUS, WATCH_FOCUS


class HeldOutput:
    """An output that can hold back what is printed, so that it reaches the terminal together with the next drawing.

    While a screen is drawn, the terminal tells whether it has the focus, and has another title. Both begin and end with
    bracketed paste, which prompt_toolkit switches off in every way out, also for Ctrl-Z.
    """

    responds_to_cpr = False  # do not ask where the cursor is: each drawing would wait for an answer that nobody needs

    def __init__(self, output: Output) -> None:
        self._output = output
        self._holds = False
        self._watches = False
        self.name: Callable[[], str] = lambda: ""  # the bytes that name the window

    @contextmanager
    def holding(self) -> Iterator[None]:
        """What is printed inside waits for the next flush, so nothing flickers.

        Nor is bracketed paste switched off meanwhile: a paste that comes right then must stay one message.
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
        """Write a sequence that moves nothing, such as a bell; nothing where no terminal understands it."""
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
