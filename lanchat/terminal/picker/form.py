"""The form for a new room: its title and, if the person wants one, a password."""

from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Window
from prompt_toolkit.layout.processors import BeforeInput, PasswordProcessor, Processor

from lanchat.protocol.text import clean_title
from lanchat.terminal.cells import cut
from lanchat.terminal.options import password_problem
from lanchat.terminal.phrases import sentence


class HostForm:
    """Asks again as long as the title or the password breaks the rules. Owned by the thread that reads the keys.

    Args:
        done: takes the title, and the password or None.
    """

    def __init__(self, done: Callable[[str, str | None], None]) -> None:
        self._done = done
        self._error = ""
        self._title = Buffer(multiline=False, accept_handler=self._accept, on_text_changed=self._forget_error)
        self._password = Buffer(multiline=False, accept_handler=self._accept, on_text_changed=self._forget_error)
        title: list[Processor] = [BeforeInput("Title:    ", style="class:heading")]
        password: list[Processor] = [PasswordProcessor(), BeforeInput("Password: ", style="class:heading")]
        wrong = Condition(lambda: bool(self._error))
        self.container = HSplit(
            [
                Window(FormattedTextControl([("class:heading", "Host a room")]), height=1),
                Window(BufferControl(self._title, input_processors=title), height=1),
                Window(BufferControl(self._password, input_processors=password), height=1),
                ConditionalContainer(Window(FormattedTextControl(self._paint_error), height=1), wrong),
                Window(FormattedTextControl(self._paint_keys), height=1),
            ]
        )

    def show(self) -> None:
        """The person may type into it now."""
        self._error = ""
        get_app().layout.focus(self._title)

    def other_field(self) -> None:
        layout = get_app().layout
        layout.focus(self._title if layout.has_focus(self._password) else self._password)

    def _accept(self, buffer: Buffer) -> bool:
        try:
            title = clean_title(self._title.text)
        except ValueError as error:
            self._error = sentence(str(error))
            get_app().layout.focus(self._title)
            return True  # keep what was typed
        password = self._password.text
        self._error = password_problem(password) if password else ""
        if not self._error:
            self._done(title, password or None)
        return True

    def _forget_error(self, buffer: Buffer) -> None:
        self._error = ""

    def _paint_error(self) -> StyleAndTextTuples:
        return [("class:error", cut(self._error, get_app().output.get_size().columns))]

    def _paint_keys(self) -> StyleAndTextTuples:
        app = get_app()
        other = "title" if app.layout.has_focus(self._password) else "set a password"
        return [("class:dim", cut(f"Enter open · Tab {other} · Esc back", app.output.get_size().columns))]
