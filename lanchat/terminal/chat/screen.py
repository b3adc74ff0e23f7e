"""A terminal with one line to type, a bar under it, and text that is printed above. It knows nothing of rooms."""

import asyncio
import errno
from collections.abc import Callable, Iterable
from typing import Any, cast

from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.input import Input as Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import Dimension, HSplit, Layout, VerticalAlign, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output import Output as Output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import SearchToolbar

from lanchat.storage.input_history import InputHistory
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat import commands
from lanchat.terminal.chat.keys import HELP, LineCompleter, PartsApart, Recall, line_keys
from lanchat.terminal.chat.output import HeldOutput
from lanchat.terminal.chat.printing import Printer
from lanchat.terminal.exit import HANGUP, handle_signals, signals_restored
from lanchat.terminal.keyboard import only_keys
from lanchat.terminal.suspend import Suspension

PROMPT = "> "
MENU_ROWS = 8  # completions shown at once

_STYLE = Style(
    [
        *(("time", "dim"), ("system", "dim"), ("error", "ansired")),
        *(("mine", "bold"), ("mention", "bold"), ("mark", "reverse")),
        *(("prompt", "dim"), ("bar", "reverse"), ("private", "ansimagenta")),
        *(("command", "bold"), ("new", "bold")),
        *(("completion-menu", "noinherit"), ("completion-menu.completion.current", "noinherit reverse")),
        *(("completion-menu.meta.completion", "noinherit dim"), ("completion-menu.completion", "noinherit")),
        *(("completion-menu.meta.completion.current", "noinherit reverse"), ("scrollbar.background", "noinherit")),
        ("scrollbar.button", "noinherit"),
    ]
)


class Screen:
    """Made and run by one thread: the main thread, so that signals work. It calls the callbacks, too.

    Args:
        accept: takes what was typed, and says whether the text stays in the line.
        complete: what the text before the cursor could become.
        bar: the text of the bar, for a window of this many cells.
        above: lines between what is printed and the typed line, cut to this many cells; few or none.
        portion: what is to be printed next in so many columns, and whether there may be more; it takes a few
            milliseconds.
        again: what was printed last, for so many columns, as far as it may have been in view when it was printed for
            so many columns and rows.
        may_leave: called when the person wants to leave, or to stop the program; False: not yet.
        focus, pressed: called when the terminal gets or loses the focus, and with each key.
        typed: the lines that Up brings back.
        input, output: the terminal; None for this process's own.
    """

    KEYS = HELP

    def __init__(
        self,
        *,
        accept: Callable[[str], bool],
        complete: Callable[[str], Iterable[commands.Completion]],
        bar: Callable[[int], str],
        above: Callable[[int], Fragments],
        portion: Callable[[int], tuple[Fragments, bool]],
        again: Callable[[int, int, int], Fragments],
        may_leave: Callable[[], bool],
        focus: Callable[[bool], None],
        pressed: Callable[[], None],
        typed: InputHistory,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._may_leave = may_leave
        self._above: Fragments = []
        with create_app_session(only_keys(input), output) as session:
            self.terminal = HeldOutput(session.output)
            self._output = cast(Output, self.terminal)
            self._buffer = Buffer(
                multiline=True,
                completer=LineCompleter(complete),
                history=Recall(typed),
                accept_handler=lambda buffer: accept(buffer.text),
            )
            search = SearchToolbar(
                forward_search_prompt="Search forward: ", backward_search_prompt="Search: ", ignore_case=True
            )
            self._line = Window(
                BufferControl(self._buffer, [PartsApart()], search_buffer_control=search.control, preview_search=True),
                height=lambda: Dimension(min=1, max=max(1, self._output.get_size().rows // 2)),
                wrap_lines=True,
                dont_extend_height=True,
                get_line_prefix=lambda number, wraps: [("class:prompt", "  " if number or wraps else PROMPT)],
            )
            bar_row = Window(FormattedTextControl(lambda: bar(self.columns)), height=1, style="class:bar")
            above_rows = Window(FormattedTextControl(lambda: [*self._above]), height=lambda: self._height_above(above))
            rows = HSplit(
                [above_rows, self._line, CompletionsMenu(MENU_ROWS), search, bar_row], align=VerticalAlign.TOP
            )
            self._app: Application[int | None] = Application(
                layout=Layout(rows, self._line),
                key_bindings=self._keys(focus),
                style=_STYLE,
                include_default_pygments_style=False,
                erase_when_done=True,
                max_render_postpone_time=None,
                input=session.input,
                output=self._output,
            )
            self._app.key_processor.before_key_press += lambda _: pressed()
            self._printer = Printer(self._app, self.terminal, portion, again, self._reaches_beyond)
            self._suspension = Suspension(self._app, self.print_again)

    @property
    def colour(self) -> bool:
        """False if NO_COLOR asks for none."""
        return self._app.color_depth is not ColorDepth.DEPTH_1_BIT

    @property
    def columns(self) -> int:
        return self._output.get_size().columns

    @property
    def typed(self) -> str:
        """The text in the line."""
        return self._buffer.text

    def run(self, begin: Callable[[], None]) -> int | None:
        """Show the screen until `leave()`. However it ends, the terminal is left as it was found.

        Args:
            begin: called as soon as `wake()` works.

        Returns:
            SIGTERM or SIGHUP, if that was the end.
        """

        def start() -> None:
            asyncio.get_running_loop().set_exception_handler(self._fail)
            handle_signals(self.leave)
            self._suspension.begin()
            begin()

        with signals_restored(), create_app_session(self._app.input, self._output), patch_stdout():
            try:
                return self._app.run(pre_run=start, set_exception_handler=False)
            except EOFError:  # the terminal is gone
                return HANGUP
            except OSError as error:  # the same, noticed while writing
                if error.errno != errno.EIO:
                    raise
                return HANGUP
            finally:
                self._buffer.append_to_history()  # so that half a line is not lost

    def wake(self) -> None:
        """Draw soon, because there is something to print. Any thread, also before `run()`."""
        self._printer.wake()

    def redraw_in(self, seconds: float) -> None:
        """Draw again after this time. Only for the thread of `run()`, and without effect before and after that."""
        if self._app.loop is not None:
            self._app.loop.call_later(seconds, self._app.invalidate)

    def print_again(self) -> None:
        """Clear the window, and print again what was printed last. Only for the thread of `run()`."""
        self._printer.print_again()

    def leave(self, number: int | None = None) -> None:
        """End `run()`, after the portion that is being printed."""
        if self._app.is_running and not self._app.is_done:
            self._app.exit(result=number)

    def _reaches_beyond(self, columns: int) -> bool:
        """Whether what was drawn last does not fit into this number of columns."""
        line = self._line.render_info
        if line is None or columns >= line.window_width:
            return False
        return bool(self._above) or line.cursor_position.y > 0 or line.cursor_position.x >= columns

    def _height_above(self, above: Callable[[int], Fragments]) -> Dimension:
        """How many rows the lines above take. This is asked first at each drawing, so they are made here."""
        self._above = above(self.columns)
        return Dimension.exact(sum(text.count("\n") for _, text in self._above) + bool(self._above))

    def _keys(self, focus: Callable[[bool], None]) -> KeyBindings:
        asked, suspend = self._leave_asked, self._suspend_asked
        keys = line_keys(self._buffer, leave=asked, interrupt=self.leave, suspend=suspend, focus=focus)
        keys.add("c-l")(lambda event: self.print_again())
        return keys

    def _leave_asked(self) -> None:
        if self._may_leave():
            self.leave()

    def _suspend_asked(self) -> None:
        if self._may_leave():
            self._suspension.suspend()

    def _fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Put the terminal in order after an error in the event loop, which `run()` then raises."""
        error = context.get("exception")
        if error is None:
            loop.default_exception_handler(context)
        elif not self._app.is_done:
            self._app.exit(exception=error)
