"""The keys of a terminal, as prompt_toolkit takes them: nothing but text is text.

prompt_toolkit's own parser hands on what it does not know character by character, and that would be typed. It also
waits for the end of a paste for ever.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import Input
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from lanchat.terminal.keystream import ESC, FOCUS_IN, FOCUS_OUT, Key, KeyStream, Paste, Piece, Text

_NEW_LINE = (Keys.Escape, Keys.ControlM)
# Return with Shift, Alt or Ctrl, as newer terminals send it (CSI u, and xterm's modifyOtherKeys).
_OURS: dict[str, tuple[Keys, ...]] = {
    **{f"\x1b[13;{modifiers}u": _NEW_LINE for modifiers in range(2, 9)},
    **{f"\x1b[27;{modifiers};13~": _NEW_LINE for modifiers in range(2, 9)},
    "\x1b[13u": (Keys.ControlM,),
    "\x1b[9u": (Keys.ControlI,),
    "\x1b[27u": (Keys.Escape,),
    "\x1b[127u": (Keys.ControlH,),
    **{f"\x1b[{ord(char)};5u": (Keys(f"c-{char}"),) for char in "abcdefghijklmnopqrstuvwxyz"},
}


def only_keys(input: Input | None) -> Input:
    """This terminal, or the process's own, with a parser that takes nothing but text for text.

    Windows has no sequences: its console tells keys from text.
    """
    with create_app_session(input) as session:
        terminal = session.input
    parser = getattr(terminal, "vt100_parser", None)
    if isinstance(parser, Vt100Parser) and not isinstance(parser, _Parser):
        terminal.vt100_parser = _Parser(parser.feed_key_callback)  # type: ignore[attr-defined]
    return terminal


class _Parser(Vt100Parser):
    """Takes the place of prompt_toolkit's parser. Owned by the thread that reads keys."""

    def __init__(self, press: Callable[[KeyPress], None]) -> None:
        super().__init__(press)

    def reset(self, request: bool = False) -> None:
        self._stream = KeyStream()

    def feed(self, data: str) -> None:
        if data:
            self._press(self._stream.feed(data, time.monotonic()))

    def flush(self) -> None:
        self._press(self._stream.flush())

    def _press(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            match piece:
                case Text(text):
                    for char in text:
                        self.feed_key_callback(KeyPress(char, char))
                case Paste(text):
                    self.feed_key_callback(KeyPress(Keys.BracketedPaste, text))
                case Key(code) if code in (FOCUS_IN, FOCUS_OUT):
                    self.feed_key_callback(KeyPress(Keys.Ignore, code))
                case Key(code):
                    for key in _keys_of(code):
                        self.feed_key_callback(KeyPress(key, ""))  # no data: whatever is bound to it types nothing


def _keys_of(code: str) -> Iterator[Keys | str]:
    """The names of a key; none if nobody knows it."""
    known = _OURS.get(code) or ANSI_SEQUENCES.get(code)
    if known is not None:
        yield from known if isinstance(known, tuple) else (known,)
    elif len(code) == 2 and code[0] == ESC:
        yield Keys.Escape
        yield code[1]
