"""A terminal with one line to type, a bar under it, and text that is printed above. Knows nothing of rooms.

Printing one line through prompt_toolkit erases and redraws the line and costs milliseconds. So everything that
waits is painted at once, a bounded portion at a time, and keys are read between two portions.
"""

import asyncio
import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input as Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import Dimension, HSplit, Layout, VerticalAlign, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output import Output as Output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.renderer import CPR_Support, print_formatted_text
from prompt_toolkit.styles import Style

from lanchat.terminal import signals
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat import commands

PROMPT = "> "
MENU = 8  # rows of completions
MEMORY = 2000  # fragments kept to print them again; more than a screen holds

_STYLE = Style(
    [
        *(("time", "dim"), ("quiet", "dim"), ("error", "ansired")),
        *(("mine", "bold"), ("mention", "bold"), ("mark", "reverse")),
        *(("prompt", "dim"), ("bar", "reverse"), ("private", "ansimagenta")),
    ]
)


class Screen:
    """Made and run by one thread: the main thread, for signals to work. The callbacks are called in it, too.

    Args:
        accept: what to do with what was typed; gives whether the line keeps it.
        complete: what the text before the cursor could become.
        bar: the bar's text for so many cells.
        above: lines between what is printed and the line; none, or a few that are cut to so many cells.
        portion: what is to be painted next, and whether still more waits; makes it in a few milliseconds.
        input, output: the terminal; None for this process's own.
    """

    def __init__(
        self,
        *,
        accept: Callable[[str], bool],
        complete: Callable[[str], Iterable[commands.Completion]],
        bar: Callable[[int], str],
        above: Callable[[int], Fragments],
        portion: Callable[[], tuple[Fragments, bool]],
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._portion = portion
        self._painting = False
        self._above: Fragments = []
        self._painted: deque[tuple[str, str]] = deque(maxlen=MEMORY)
        with create_app_session(input, output) as session:
            self._buffer = Buffer(
                multiline=True, completer=_Completer(complete), accept_handler=lambda buffer: accept(buffer.text)
            )
            self._line = Window(
                BufferControl(self._buffer),
                height=lambda: Dimension(min=1, max=max(1, self._app.output.get_size().rows // 2)),
                wrap_lines=True,
                dont_extend_height=True,
                get_line_prefix=lambda number, wraps: [("class:prompt", "  " if number or wraps else PROMPT)],
            )
            bar_row = Window(FormattedTextControl(lambda: bar(self.columns)), height=1, style="class:bar")
            above_rows = Window(FormattedTextControl(lambda: [*self._above]), height=lambda: self._look_above(above))
            rows = HSplit([above_rows, self._line, CompletionsMenu(MENU), bar_row], align=VerticalAlign.TOP)
            self._app = _Application(
                layout=Layout(rows, self._line),
                key_bindings=self._keys(),
                style=_STYLE,
                include_default_pygments_style=False,
                erase_when_done=True,
                input=session.input,
                output=session.output,
            )
        self._app.resized = self._resized
        # Do not ask the terminal where the cursor is: each paint would wait for the answer, which we need for nothing.
        self._app.renderer.cpr_support = CPR_Support.NOT_SUPPORTED

    @property
    def colour(self) -> bool:
        """False where NO_COLOR asks for none."""
        return self._app.color_depth is not ColorDepth.DEPTH_1_BIT

    @property
    def typed(self) -> str:
        """What stands in the line."""
        return self._buffer.text

    def run(self, begin: Callable[[], None]) -> int | None:
        """Show it until `leave()`. However it ends, the terminal is left as it was found.

        Args:
            begin: called when `wake()` works.

        Returns:
            SIGTERM or SIGHUP, when it was that.
        """

        def start() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(self._broken)
            signals.hear(self.leave)
            begin()
            self.wake()

        with signals.restored(), create_app_session(self._app.input, self._app.output), patch_stdout():
            try:
                return self._app.run(pre_run=start, set_exception_handler=False)
            except EOFError:  # the terminal is gone
                return signals.HANGUP
            except OSError as error:  # the same, noticed while writing
                if error.errno != errno.EIO:
                    raise
                return signals.HANGUP

    def wake(self) -> None:
        """There is something to paint. Any thread."""
        loop = self._app.loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._start_painting)
            except RuntimeError:
                pass  # the loop was closed in this very moment: we have left

    def redraw_in(self, seconds: float) -> None:
        """Draw the line and what is about it again in so long. The thread of `run()`, while that lasts."""
        if self._app.loop is not None:
            self._app.loop.call_later(seconds, self._app.invalidate)

    def _look_above(self, above: Callable[[int], Fragments]) -> Dimension:
        """Asked first at each drawing, so what it finds is what is drawn."""
        self._above = above(self.columns)
        return Dimension.exact(sum(text.count("\n") for _, text in self._above) + bool(self._above))

    def leave(self, number: int | None = None) -> None:
        """End `run()`, after the portion that is being painted."""
        if self._app.is_running and not self._app.is_done:
            self._app.exit(result=number)

    def _start_painting(self) -> None:
        if not self._painting:
            self._paint()

    def _paint(self) -> None:
        """Paint a portion of what waits, and come again until nothing does."""
        if self._app.is_done:
            return
        fragments, self._painting = self._portion()
        self._print_above(fragments)
        if self._painting:  # through the loop, not in a loop: between two portions it reads keys
            asyncio.get_running_loop().call_soon(self._paint)

    def _print_above(self, fragments: Fragments) -> None:
        """Erase line and bar, print, draw them again: what run_in_terminal does, but the terminal stays raw.

        (There, keys that come in between are echoed into the text, and a Return among them arrives as Ctrl-J.)
        """
        self._painted.extend(fragments)
        with _one_write(self._app.output):
            if fragments:
                self._app.renderer.erase()
                self._print(fragments)
            self._app._redraw()

    def _print_again(self) -> None:
        with _one_write(self._app.output):
            self._app.renderer.clear()
            self._print(self._painted)
            self._app._redraw()

    def _print(self, fragments: Iterable[tuple[str, str]]) -> None:
        text: StyleAndTextTuples = [*fragments]
        print_formatted_text(self._app.output, text, _STYLE, color_depth=self._app.color_depth)

    @property
    def columns(self) -> int:
        return self._app.output.get_size().columns

    def _resized(self) -> bool:
        """Whether everything had to be printed again.

        Most terminals break a row in two when the window gets narrower than it, some do not. From then on nobody knows
        how far up our line begins: to erase it would leave a piece of it, or take a piece of the room.
        """
        line = self._line.render_info
        if line is None or self.columns >= line.window_width:
            return False
        broken = bool(self._above) or line.cursor_position.y > 0 or line.cursor_position.x >= self.columns
        if broken:
            self._print_again()
        return broken

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")  # Ctrl-J too: some terminals and scripts send it for Return (prompt_toolkit's default)
        def send(event: KeyPressEvent) -> None:
            self._buffer.validate_and_handle()

        @keys.add("escape", "enter")
        @keys.add("escape", "c-j")
        def new_line(event: KeyPressEvent) -> None:
            self._buffer.newline(copy_margin=False)

        @keys.add("c-c")
        @keys.add("<sigint>")
        def clear_or_leave(event: KeyPressEvent) -> None:
            if self._buffer.text:
                self._buffer.reset()
            else:
                self.leave()

        @keys.add("c-d")
        def delete_or_leave(event: KeyPressEvent) -> None:
            if self._buffer.text:
                self._buffer.delete()
            else:
                self.leave()

        @keys.add("c-l")
        def print_again(event: KeyPressEvent) -> None:
            self._print_again()

        return keys

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error of ours in the event loop: put the terminal in order, then raise it from `run()`."""
        error = context.get("exception")
        if error is None:
            loop.default_exception_handler(context)
        elif not self._app.is_done:
            self._app.exit(exception=error)


class _Application(Application[int | None]):
    resized: Callable[[], bool]

    def _on_resize(self) -> None:
        if not self.resized():
            super()._on_resize()


class _Completer(Completer):
    def __init__(self, complete: Callable[[str], Iterable[commands.Completion]]) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        for found in self._complete(document.text_before_cursor):
            yield Completion(found.text, -found.replaces, display_meta=found.hint)


@contextmanager
def _one_write(output: Output) -> Iterator[None]:
    """All that is drawn inside reaches the terminal in one piece: nothing flickers.

    Nor is bracketed paste switched off and on again: a paste that comes right now must stay one message.
    """
    held = ("flush", "disable_bracketed_paste")
    for name in held:
        setattr(output, name, lambda: None)
    try:
        yield
    finally:
        for name in held:
            delattr(output, name)
        output.flush()
