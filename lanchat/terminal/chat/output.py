"""prompt_toolkit's output, wrapped so that several things reach the terminal in one write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.output import Output


class HeldOutput:
    """An output that can hold back what is printed, so that it reaches the terminal together with the next drawing."""

    responds_to_cpr = False  # do not ask where the cursor is: each drawing would wait for an answer that nobody needs

    def __init__(self, output: Output) -> None:
        self._output = output
        self._holds = False

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

    def disable_bracketed_paste(self) -> None:
        if not self._holds:
            self._output.disable_bracketed_paste()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the output's own; each method is looked up only once."""
        attribute = getattr(self._output, name)
        setattr(self, name, attribute)
        return attribute


Output.register(HeldOutput)
