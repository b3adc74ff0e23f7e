"""The errors that a person may see, with their exit codes.

LanchatError                 exit code 1
├── LogDamaged               1   a log on this machine cannot be read until it is repaired
├── ProtocolError            6   the peer broke the rules of the wire
├── NoSuchRoom               3   no room has that name, or nothing listens at that address
│   └── NotLanchat           3   something listens there, but it is no lanchat room
├── Refused                  4   the host said no: password, nick, banned, full, version
├── HostKeyChanged           5   a known room shows another key
├── ConnectionLost           6   the link broke, and reconnecting failed
│   ├── NotConnected         6   the link broke, and reconnecting goes on
│   ├── RoomClosed           6   the host closed the room
│   └── RoomMoved            6   the host handed the room to another computer
└── TimedOut                 124 something did not happen in time

Each error says what happened (`str(error)`) and what to do next (`error.hint`), and carries the exit code of the
command line. `lanchat/cli/` is the only place that prints errors.
"""


class LanchatError(Exception):
    """Base of every error that a person is meant to read."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class LogDamaged(LanchatError):
    """The file of a log is damaged. Reading it again does not help before it is repaired."""


class ProtocolError(LanchatError):
    """The peer sent something that the protocol does not allow. The link cannot be used any more."""

    exit_code = 6


class NoSuchRoom(LanchatError):
    """No room has that name, or nothing listens at that address."""

    exit_code = 3


class NotLanchat(NoSuchRoom):
    """Something other than a lanchat host answers there."""


class Refused(LanchatError):
    """The host said no.

    Args:
        code: one of the codes of `protocol.closings.Refusal`.
        suggestion: a free nick, if the refused one is taken; else empty.
    """

    exit_code = 4

    def __init__(self, what: str, hint: str = "", *, code: str = "", suggestion: str = "") -> None:
        super().__init__(what, hint)
        self.code = code
        self.suggestion = suggestion


class HostKeyChanged(LanchatError):
    """A known room shows another key than before: somebody may be impersonating its host."""

    exit_code = 5


class ConnectionLost(LanchatError):
    """The link broke, and reconnecting failed or was not wanted."""

    exit_code = 6


class NotConnected(ConnectionLost):
    """There is no link to the host at the moment, for what only a host can do and nobody sends again."""

    def __init__(self) -> None:
        super().__init__("You are not connected at the moment.", "Try again when you are.")


class RoomClosed(ConnectionLost):
    """The room is closed.

    Args:
        by: the nick of who has closed it, made safe; "": the host has.
        explained: the text says more than that.
    """

    def __init__(self, what: str, hint: str = "", by: str = "", *, explained: bool = False) -> None:
        super().__init__(what, hint)
        self.by, self.explained = by, explained


class RoomMoved(ConnectionLost):
    """The host has handed the room to another computer.

    Args:
        to: the index of that computer, see protocol/delegation.py; -1: it is not known.
    """

    def __init__(self, what: str, to: int = -1) -> None:
        super().__init__(what)
        self.to = to


class TimedOut(LanchatError):
    """Something did not happen in time."""

    exit_code = 124


def is_interrupt(error: BaseException) -> bool:
    """Whether this is a Ctrl-C.

    Up to Python 3.11, one that comes while a class is made is only the cause of a RuntimeError.
    """
    return isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)
