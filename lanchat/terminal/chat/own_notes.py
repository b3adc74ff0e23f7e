"""The notes of this program itself, between what comes from the room. Pure."""

from dataclasses import dataclass

from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.files import Listed


@dataclass(frozen=True)
class Note:
    """A line that only we see, such as the answer to a command.

    Args:
        error: something was not done; the line is red.
        command: a command to type or to copy, which is bold and stands alone.
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
    """The rule between the messages that an earlier run has shown and the new ones.

    Args:
        at: the time of the last event that was shown, in ms since 1970.
    """

    at: int


Own = Note | Drawn | Listed | NewSince  # what this program says on its own
