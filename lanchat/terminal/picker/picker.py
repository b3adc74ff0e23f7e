"""The live list: rooms come and go while you look, Enter joins one, `h` hosts one.

It is drawn in place, under what the terminal shows already, and wiped when it is done. The rooms come from an injected
source, the terminal is an injected input and output, so tests need neither a network nor a terminal.

The search begins once the list is drawn, still empty: to load all that looks for rooms takes as long as to draw it. So
this module and what it imports load nothing of the discovery.
"""

import asyncio
import errno
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import CPR_Support
from prompt_toolkit.styles import Style

from lanchat.terminal.exit import handle_signals, signals_restored
from lanchat.terminal.keyboard import only_keys
from lanchat.terminal.picker.form import HostForm
from lanchat.terminal.picker.selection import Selection
from lanchat.terminal.picker.view import HINTS_AFTER, paint, rooms_in
from lanchat.terminal.suspend import Suspension

if TYPE_CHECKING:
    from lanchat.discovery.sighting import Listing

REFRESH_EVERY = 0.1  # s; how often the list is drawn again, with new rooms and the seconds so far
FIRST_EVERY = 0.01  # s; how often the first room is looked for, which is then drawn at once ...
FIRST_WITHIN = 1.0  # ... for so many s from when the search begins
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
_SCAN = {
    "possible": "Press s to try every address on this network (a few seconds).",
    "running": "Trying every address on this network …",
    "over": "Every address on this network was tried, and no room answered.",
}


@dataclass(frozen=True)
class Chosen:
    listing: "Listing"


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

    def listings(self) -> tuple["Listing", ...]: ...

    def problems(self) -> tuple[str, ...]: ...


@runtime_checkable
class AdvisingSource(Source, Protocol):
    """A source that also knows why there is no room, and can look harder: `lanchat.doctor.hints.HintingFinder`."""

    def hint(self) -> tuple[str, ...]: ...

    @property
    def scan_state(self) -> Literal["possible", "running", "over"]: ...

    def scan(self) -> None: ...


def pick(
    search: Callable[[], Source],
    *,
    input: Input | None = None,
    output: Output | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Picked:
    """Let the person choose. Only for the main thread: it takes over Ctrl-C while it runs.

    Args:
        search: begins to look for rooms. It is called once, when the list is drawn; what it raises ends the list.

    Raises:
        KeyboardInterrupt: the terminal is gone, or a signal came; the terminal is in order by then.
    """
    return _Picker(search, input, output, clock).run()


class _Picker:
    """One run of the list, all of it in the main thread."""

    def __init__(
        self,
        search: Callable[[], Source],
        input: Input | None,
        output: Output | None,
        clock: Callable[[], float],
    ) -> None:
        self._search: Callable[[], Source] | None = search  # until it has begun
        self._source: Source | None = None
        self._clock = clock
        self._began = clock()
        self._selection = Selection()
        self._naming = False
        self._form = HostForm(self._host)
        rooms = FormattedTextControl(self._paint, focusable=True, show_cursor=False)
        self._rooms = Window(rooms, always_hide_cursor=True)
        naming = Condition(lambda: self._naming)
        body = HSplit([ConditionalContainer(self._rooms, ~naming), ConditionalContainer(self._form.container, naming)])
        self._app: Application[Picked | int] = Application(
            Layout(body, focused_element=self._rooms),
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            refresh_interval=REFRESH_EVERY,
            after_render=lambda app: self._look(),
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

    def _look(self) -> None:
        """Begin the search, if the list has been drawn for the first time."""
        search, self._search = self._search, None
        if search is None:
            return
        try:
            self._source = search()
        except Exception as error:  # raised from here, it would leave the list and the state of the terminal behind
            if not self._app.is_done:  # a signal may have ended it meanwhile
                self._app.exit(exception=error)
        else:
            self._app.create_background_task(self._draw_first(self._source))

    async def _draw_first(self, source: Source) -> None:
        """Draw the first rooms at once: they answer within milliseconds, and a person waits for them."""
        for _ in range(round(FIRST_WITHIN / FIRST_EVERY)):
            await asyncio.sleep(FIRST_EVERY)
            if source.listings():
                self._app.invalidate()
                return

    def _paint(self) -> StyleAndTextTuples:
        now = self._clock()
        self._selection.update(self._source.listings() if self._source else (), now)
        size = self._app.output.get_size()
        problems, looked = self._source.problems() if self._source else (), now - self._began
        shape = {"width": size.columns, "height": size.rows}
        return [
            *paint(
                self._selection,
                problems,
                looked=looked,
                now=now,
                hints=self._hints(looked),
                scan=self._scan(looked),
                **shape,
            )
        ]

    def _hints(self, looked: float) -> tuple[str, ...]:
        """The likely cause, once it is known. The doctor is asked just in time for it to be shown."""
        if self._selection.shown or looked < HINTS_AFTER - EXAMINE_TIME or not isinstance(self._source, AdvisingSource):
            return ()
        return self._source.hint()

    def _scan(self, looked: float) -> str:
        """What a scan could do, does or has done, as a sentence. It is proposed only after a while."""
        if not isinstance(self._source, AdvisingSource):
            return ""
        state = self._source.scan_state
        return "" if state == "possible" and looked < HINTS_AFTER else _SCAN[state]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        choosing = Condition(lambda: not self._naming)
        steps = {"up": -1, "c-p": -1, "down": 1, "c-n": 1, "home": -_EVERYTHING, "end": _EVERYTHING}
        for key, step in steps.items():
            keys.add(key, filter=choosing)(self._mover(step))
        keys.add("pageup", filter=choosing)(lambda event: self._selection.move(-self._page()))
        keys.add("pagedown", filter=choosing)(lambda event: self._selection.move(self._page()))
        for key in ("tab", "s-tab", "up", "down"):
            keys.add(key, filter=~choosing)(lambda event: self._form.other_field())
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
                self._naming = True
                self._form.show()
            case "/" if not self._selection.searching:
                self._selection.search()
            case "s" if not typing and not self._selection.shown and isinstance(self._source, AdvisingSource):
                self._source.scan()
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

    def _host(self, title: str, password: str | None) -> None:
        self._app.exit(result=HostNew(title, password))
