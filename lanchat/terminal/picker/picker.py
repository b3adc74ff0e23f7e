"""The live list: rooms come and go while you look, Enter joins one, `h` hosts one.

It is drawn in place, under what the terminal shows already, and wiped when it is done. The rooms come from an injected
source, the terminal is an injected input and output, so tests need neither a network nor a terminal.
"""

import errno
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.processors import BeforeInput, PasswordProcessor, Processor
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import CPR_Support
from prompt_toolkit.styles import Style

from lanchat.discovery.sighting import Listing
from lanchat.protocol.text import clean_title
from lanchat.terminal.cells import cut
from lanchat.terminal.exit import handle_signals, signals_restored
from lanchat.terminal.keyboard import only_keys
from lanchat.terminal.options import password_problem
from lanchat.terminal.picker.selection import Selection
from lanchat.terminal.picker.view import HINTS, HINTS_AFTER, paint, rooms_in
from lanchat.terminal.suspend import Suspension
from lanchat.terminal.wording import sentence

REFRESH_EVERY = 0.1  # s; how often the list is drawn again, with new rooms and the seconds so far
EXAMINE_TIME = 3.0  # s that the doctor needs to find out why there is no room
ESCAPE_WAIT = 0.1  # s after which an ESC byte is the key and not the beginning of an arrow; slow links need some
_EVERYTHING = 1000  # rooms; more than any list has

_STYLE = Style.from_dict(
    {
        "heading": "bold",
        "selected": "reverse",
        "room.note": "dim",
        "room.warning": "bold",  # yellow is hard to read on a light ground
        "room.alarm": "ansired bold",
        "dim": "dim",  # faint, and not bright black, which is the background of some themes
        "error": "ansired",
    }
)
_SCAN = "Press s to try every address on this network (a few seconds)."


@dataclass(frozen=True)
class Chosen:
    listing: Listing


@dataclass(frozen=True)
class HostNew:
    title: str
    password: str | None = None  # that others need to enter


@dataclass(frozen=True)
class Quit:
    pass


Picked = Chosen | HostNew | Quit


class Source(Protocol):
    """Where the rooms come from: a `Finder`. Both calls return what is there now and never wait."""

    def listings(self) -> tuple[Listing, ...]: ...

    def problems(self) -> tuple[str, ...]: ...


@runtime_checkable
class AdvisingSource(Source, Protocol):
    """A source that also knows why there is no room, and can look harder: `lanchat.doctor.hints.HintingFinder`."""

    def hint(self) -> tuple[str, ...]: ...

    def scan(self) -> bool: ...


def pick(
    source: Source,
    *,
    input: Input | None = None,
    output: Output | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Picked:
    """Let the person choose. Only for the main thread: it takes over Ctrl-C while it runs.

    Raises:
        KeyboardInterrupt: the terminal is gone, or a signal came; the terminal is in order by then.
    """
    return _Picker(source, input, output, clock).run()


class _Picker:
    """One run of the list, all of it in the main thread."""

    def __init__(self, source: Source, input: Input | None, output: Output | None, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._began = clock()
        self._selection = Selection()
        self._naming = False
        self._scan_begun = False
        self._form_error = ""
        self._title = Buffer(multiline=False, accept_handler=self._open, on_text_changed=self._forget_error)
        self._password = Buffer(multiline=False, accept_handler=self._open, on_text_changed=self._forget_error)
        rooms = FormattedTextControl(self._paint, focusable=True, show_cursor=False)
        self._rooms = Window(rooms, always_hide_cursor=True)
        naming = Condition(lambda: self._naming)
        title: list[Processor] = [BeforeInput("Title:    ", style="class:heading")]
        password: list[Processor] = [PasswordProcessor(), BeforeInput("Password: ", style="class:heading")]
        form = HSplit(
            [
                Window(FormattedTextControl([("class:heading", "Host a room")]), height=1),
                Window(BufferControl(self._title, input_processors=title), height=1),
                Window(BufferControl(self._password, input_processors=password), height=1),
                ConditionalContainer(
                    Window(FormattedTextControl(self._paint_error), height=1), Condition(lambda: bool(self._form_error))
                ),
                Window(FormattedTextControl(self._paint_form_foot), height=1),
            ]
        )
        body = HSplit([ConditionalContainer(self._rooms, ~naming), ConditionalContainer(form, naming)])
        self._app: Application[Picked | int] = Application(
            Layout(body, focused_element=self._rooms),
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            refresh_interval=REFRESH_EVERY,
            input=only_keys(input),
            output=output,
        )
        self._suspension = Suspension(self._app, self._continue)
        # Do not ask the terminal where the cursor is: its answer is not needed, and late it would be typed text.
        self._app.renderer.cpr_support = CPR_Support.NOT_SUPPORTED
        self._app.ttimeoutlen = ESCAPE_WAIT
        self._app.timeoutlen = ESCAPE_WAIT

    def run(self) -> Picked:
        with signals_restored():
            try:
                picked = self._app.run(pre_run=self._begin)
            except EOFError:  # the terminal is gone
                raise KeyboardInterrupt from None
            except OSError as error:  # the same, noticed while writing
                if error.errno != errno.EIO:
                    raise
                raise KeyboardInterrupt from None
        if not isinstance(picked, int):
            return picked
        signal.raise_signal(picked)  # for the handler that was there before the list
        raise KeyboardInterrupt

    def _begin(self) -> None:
        handle_signals(self._end)
        self._suspension.begin()

    def _continue(self) -> None:
        """The program goes on after it was stopped from outside."""
        self._app.renderer.clear()
        self._app.invalidate()

    def _end(self, number: int) -> None:
        if self._app.is_running and not self._app.is_done:
            self._app.exit(result=number)

    def _paint(self) -> StyleAndTextTuples:
        now = self._clock()
        self._selection.update(self._source.listings(), now)
        size = self._app.output.get_size()
        problems, looked = self._source.problems(), now - self._began
        shape = {"width": size.columns, "height": size.rows}
        return [*paint(self._selection, problems, looked=looked, now=now, hints=self._hints(looked), **shape)]

    def _hints(self, looked: float) -> tuple[str, ...]:
        """The likely cause, once it is known. The doctor is asked just in time for it to be shown."""
        if self._selection.shown or looked < HINTS_AFTER - EXAMINE_TIME or not isinstance(self._source, AdvisingSource):
            return ()
        return (*(self._source.hint() or HINTS), *([] if self._scan_begun else [_SCAN]))

    def _paint_error(self) -> StyleAndTextTuples:
        return [("class:error", cut(self._form_error, self._app.output.get_size().columns))]

    def _paint_form_foot(self) -> StyleAndTextTuples:
        other = "title" if self._app.layout.has_focus(self._password) else "set a password"
        return [("class:dim", cut(f"Enter open · Tab {other} · Esc back", self._app.output.get_size().columns))]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        choosing = Condition(lambda: not self._naming)
        steps = {"up": -1, "c-p": -1, "down": 1, "c-n": 1, "home": -_EVERYTHING, "end": _EVERYTHING}
        for key, step in steps.items():
            keys.add(key, filter=choosing)(self._mover(step))
        keys.add("pageup", filter=choosing)(lambda event: self._selection.move(-self._page()))
        keys.add("pagedown", filter=choosing)(lambda event: self._selection.move(self._page()))
        for key in ("tab", "s-tab", "up", "down"):
            keys.add(key, filter=~choosing)(self._other_field)
        keys.add("enter", filter=choosing)(self._join)
        keys.add("backspace", filter=choosing)(lambda event: self._selection.erase(self._clock()))
        keys.add(Keys.BracketedPaste, filter=choosing)(lambda event: None)
        keys.add(Keys.Any, filter=choosing)(self._letter)
        keys.add("escape")(self._escape)
        keys.add("c-d", filter=choosing)(self._quit)
        keys.add("c-c")(self._quit)
        keys.add("c-z")(lambda event: self._suspension.suspend())
        keys.add(Keys.SIGINT)(self._quit)
        return keys

    def _mover(self, step: int) -> Callable[[KeyPressEvent], None]:
        return lambda event: self._selection.move(step)

    def _page(self) -> int:
        return rooms_in(self._app.output.get_size().rows)

    def _other_field(self, event: KeyPressEvent) -> None:
        event.app.layout.focus(self._title if event.app.layout.has_focus(self._password) else self._password)

    def _join(self, event: KeyPressEvent) -> None:
        listing = self._selection.chosen()
        if listing is not None:
            event.app.exit(result=Chosen(listing))

    def _letter(self, event: KeyPressEvent) -> None:
        now = self._clock()
        typing = self._selection.is_typing(now)
        match event.data:
            case "q" if not typing:
                self._quit(event)
            case "h" if not typing:
                self._naming, self._form_error = True, ""
                event.app.layout.focus(self._title)
            case "/" if not self._selection.searching:
                self._selection.search()
            case "s" if not typing and not self._selection.shown and isinstance(self._source, AdvisingSource):
                self._scan_begun = self._source.scan() or self._scan_begun
            case letter if letter and letter.isprintable():
                self._selection.type(letter, now)
            case _:
                pass  # a function key, for example

    def _escape(self, event: KeyPressEvent) -> None:
        if self._naming:
            self._naming = False
            event.app.layout.focus(self._rooms)
        elif not self._selection.cancel(self._clock()):
            self._quit(event)

    def _quit(self, event: KeyPressEvent) -> None:
        event.app.exit(result=Quit())

    def _open(self, buffer: Buffer) -> bool:
        try:
            title = clean_title(self._title.text)
        except ValueError as error:
            self._form_error = sentence(str(error))
            self._app.layout.focus(self._title)
            return True  # keep what was typed
        password = self._password.text
        if password and (problem := password_problem(password)):
            self._form_error = problem
            return True
        self._app.exit(result=HostNew(title, password or None))
        return True

    def _forget_error(self, buffer: Buffer) -> None:
        self._form_error = ""
