"""The keys of the typed line, besides those of editing, which are prompt_toolkit's; and what Up brings back."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import has_completions, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from lanchat.storage.input_history import InputHistory
from lanchat.terminal.cells import parts
from lanchat.terminal.chat import commands
from lanchat.terminal.keystream import FOCUS_IN, FOCUS_OUT

HELP = (
    "Alt-Enter or Shift-Enter starts a new line. Tab completes. Up and Ctrl-R bring back what you typed.",
    "Ctrl-C clears the line; on an empty line it leaves. Ctrl-Z stops lanchat until fg.",
)


def line_keys(
    line: Buffer,
    *,
    leave: Callable[[], None],
    interrupt: Callable[[], None],
    suspend: Callable[[], None],
    focus: Callable[[bool], None],
) -> KeyBindings:
    """The bindings of this line.

    Args:
        leave: the person wants to leave.
        interrupt: another program wants it (SIGINT).
        suspend: stop the program until `fg`.
        focus: the terminal has got the focus, or lost it.
    """
    keys = KeyBindings()
    typing = has_focus(line)  # else the person searches
    refused = ""  # a command that was not carried out and stays in the line, until another one begins

    @keys.add("enter", filter=typing)  # Ctrl-J too: some terminals and scripts send it for Return
    def send(event: KeyPressEvent) -> None:
        nonlocal refused
        line.validate_and_handle()
        refused = line.text if line.text.startswith(commands.SLASH) else ""

    @keys.add("escape", "enter", filter=typing)
    @keys.add("escape", "c-j", filter=typing)
    def new_line(event: KeyPressEvent) -> None:
        line.newline(copy_margin=False)

    @keys.add("c-c", filter=typing)
    def clear_or_leave(event: KeyPressEvent) -> None:
        if line.text:
            line.reset(append_to_history=True)  # Up brings it back
        else:
            leave()

    @keys.add("c-d", filter=typing)
    def delete_or_leave(event: KeyPressEvent) -> None:
        if line.text:
            line.delete()
        else:
            leave()

    @keys.add("escape", filter=typing & has_completions)
    def close_menu(event: KeyPressEvent) -> None:
        line.cancel_completion()

    @keys.add("c-z")
    def stop(event: KeyPressEvent) -> None:
        suspend()

    @keys.add("<sigint>")
    def end(event: KeyPressEvent) -> None:
        interrupt()

    @keys.add(Keys.Ignore)
    def watch(event: KeyPressEvent) -> None:
        if event.data in (FOCUS_IN, FOCUS_OUT):
            focus(event.data == FOCUS_IN)

    @keys.add(Keys.Any, filter=typing)
    def type_text(event: KeyPressEvent) -> None:
        if event.data == commands.SLASH and refused and line.document.text_before_cursor == line.text == refused:
            line.reset(append_to_history=True)  # Up brings it back
        if event.data.isprintable() or not event.data.isascii():  # a key that nothing is bound to types nothing
            line.insert_text(event.data * event.arg)

    return keys


class Recall(History):
    """What was typed before, as prompt_toolkit asks for it: the newest first."""

    def __init__(self, typed: InputHistory) -> None:
        super().__init__()
        self._typed = typed

    def load_history_strings(self) -> Iterable[str]:
        return reversed(self._typed.lines)

    def store_string(self, string: str) -> None:
        self._typed.add(string)


class PartsApart(Processor):
    """Shows the parts of each emoji side by side while it is typed; see `apart()`."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        before = transformation_input.fragments
        if all(fragment[1].isascii() for fragment in before):
            return Transformation(before)
        each = explode_text_fragments(before)
        shown = parts("".join(fragment[1] for fragment in each))
        starts = [0, *accumulate(map(len, shown))]  # where each character begins on the screen
        after: StyleAndTextTuples = [(fragment[0], part) for fragment, part in zip(each, shown, strict=True)]

        def to_screen(at: int) -> int:
            return starts[at] if at < len(starts) else starts[-1] + at - len(shown)

        def from_screen(at: int) -> int:
            return bisect_right(starts, at) - 1 if at <= starts[-1] else len(shown) + at - starts[-1]

        return Transformation(after, to_screen, from_screen)


class LineCompleter(Completer):
    def __init__(self, complete: Callable[[str], Iterable[commands.Completion]]) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        for found in self._complete(document.text_before_cursor):
            yield Completion(found.text, -found.replaces, display_meta=found.hint)
