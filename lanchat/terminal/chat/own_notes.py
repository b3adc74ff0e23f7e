"""The notes of this program itself, between what comes from the room. Pure."""

from dataclasses import dataclass

from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.files import Listed


@dataclass(frozen=True)
class Note:
    """A line that only we see, such as the answer to a command.

    Args:
        command: this is to be typed by somebody, and stands out.
    """

    text: str
    error: bool = False
    command: bool = False


@dataclass(frozen=True)
class Drawn:
    """Lines that only we see and that are fragments already."""

    fragments: Fragments


@dataclass(frozen=True)
class NewSince:
    """Stands between what an earlier run has shown and what is new.

    Args:
        at: of the last event that was shown, in ms since 1970.
    """

    at: int


Own = Note | Drawn | Listed | NewSince  # what this program says on its own
