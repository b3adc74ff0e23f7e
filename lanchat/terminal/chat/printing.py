"""Prints above the typed line, and prints what is in view again when the terminal has broken it.

To print above the line, prompt_toolkit erases the line and draws it again, which costs milliseconds. So everything that
waits is printed at once, a bounded portion at a time, as the first step of a drawing. Keys are read between drawings.

Rows that were printed belong to the terminal. It breaks them again when the window becomes narrower, at the left edge,
where lines begin. So everything in view is then printed again; what has scrolled out of view cannot be.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle

from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.output import HeldOutput

PAINT_EVERY = 0.015  # s; what comes in between is painted together, and nobody sees the difference
SETTLED = 0.2  # s; a window that is dragged narrower has many widths, and only the last is worth printing for


class Printer:
    """The first step of each drawing of this application. Its thread owns this; `wake` is for any thread.

    Args:
        portion, again: as for `Screen`.
        reaches_beyond: whether what the application drew last is too wide for so many columns.
    """

    def __init__(
        self,
        app: Application[Any],
        terminal: HeldOutput,
        portion: Callable[[int], tuple[Fragments, bool]],
        again: Callable[[int, int, int], Fragments],
        reaches_beyond: Callable[[int], bool],
    ) -> None:
        self._app = app
        self._terminal = terminal
        self._output = cast(Output, terminal)
        self._portion = portion
        self._again = again
        self._reaches_beyond = reaches_beyond
        self._width = 0  # columns at the last drawing
        self._widest = 0  # columns of the widest window for which something in view was printed
        self._settling: asyncio.TimerHandle | None = None
        self._print_all = False  # at the next drawing
        self._woken = False  # a drawing is coming
        self._printed_at = 0.0  # s, of the event loop's clock
        app.before_render += self._print_waiting

    def wake(self) -> None:
        """Draw soon, because there is something to print. Any thread, also before the application runs."""
        loop = self._app.loop
        if self._woken or loop is None:
            return  # before the application runs nothing is lost: the first drawing prints everything
        self._woken = True
        try:
            loop.call_soon_threadsafe(self._draw_soon)
        except RuntimeError:
            pass  # the event loop was closed in this very moment: we have left

    def print_again(self) -> None:
        """Clear the window, and print again what was printed last."""
        self._print_all = True
        self._app.invalidate()

    def _draw_soon(self) -> None:
        if self._app.loop is not None:
            pause = self._printed_at + PAINT_EVERY - self._app.loop.time()
            self._app.loop.call_later(max(0.0, pause), self._app.invalidate)

    def _print_waiting(self, app: Application[Any]) -> None:
        """Print a portion of what waits.

        This does what prompt_toolkit's run_in_terminal does, but the terminal stays raw. There, keys that are typed in
        between are echoed into the text, and a Return among them arrives as Ctrl-J.
        """
        if app.is_done:
            return
        self._woken = False  # before looking at what there is: what comes from now on wakes again
        columns = self._output.get_size().columns
        fragments, more = self._portion(columns)
        if app.loop is not None:
            self._printed_at = app.loop.time()
        if self._is_broken(columns):
            self._print_all_soon()
        self._width = columns
        if self._print_all:
            self._print_all = False
            above = self._again(columns, max(columns, self._widest), self._output.get_size().rows)
            self._widest = columns
            with self._terminal.holding():
                app.renderer.clear()
                self._print(above)
        elif fragments:
            self._widest = max(self._widest, columns)
            with self._terminal.holding():
                app.renderer.erase()
                self._print(fragments)
        if more:
            app.invalidate()

    def _print_all_soon(self) -> None:
        """Print what is in view again, once the window has kept its width for a moment."""
        if self._settling is not None:
            self._settling.cancel()
        if self._app.loop is not None:
            self._settling = self._app.loop.call_later(SETTLED, self.print_again)

    def _print(self, fragments: Iterable[tuple[str, str]]) -> None:
        text: StyleAndTextTuples = [*fragments]
        print_formatted_text(self._output, text, cast(BaseStyle, self._app.style), color_depth=self._app.color_depth)

    def _is_broken(self, columns: int) -> bool:
        """Whether the window has just become too narrow for what was printed, or for what was drawn last.

        Most terminals break a row in two then, some do not, so nobody knows how far up our line begins: to erase it
        leaves a piece of it, or takes away a piece of the room.
        """
        return (columns != self._width and columns < self._widest) or self._reaches_beyond(columns)
