"""What can go wrong, in words for the person at the terminal.

LanchatError                 exit code 1
├── LogDamaged               1   a log on this machine cannot be read until it is repaired
├── ProtocolError            6   the peer broke the rules of the wire
├── NoSuchRoom               3   nothing by that name, or nobody listens at that address
│   └── NotLanchat           3   somebody listens there, but it is no lanchat room
├── Refused                  4   the host said no: password, nick, banned, full, version
├── HostKeyChanged           5   a known room shows another key
├── ConnectionLost           6   the link broke and did not come back
│   └── RoomClosed           6   the host closed the room
└── TimedOut                 124 what was waited for did not come

Each carries what happened (`str(error)`), what to do next (`error.hint`) and the exit code
of the command line. `cli.py` is the only place that prints them.
"""


class LanchatError(Exception):
    """Base of every error that a person is meant to read."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class LogDamaged(LanchatError):
    """The file of a log is damaged: trying again is of no use until it is repaired."""


class ProtocolError(LanchatError):
    """The peer sent something that the wire does not allow. The link is of no use any more."""

    exit_code = 6


class NoSuchRoom(LanchatError):
    """There is no room of that name, or nobody listens at that address."""

    exit_code = 3


class NotLanchat(NoSuchRoom):
    """Something other than a lanchat host answers there."""


class Refused(LanchatError):
    """The host said no.

    Args:
        code: one of the codes of `protocol.messages.Refusal`.
        suggestion: for a taken nick, one that is free; else empty.
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


class RoomClosed(ConnectionLost):
    """The host has closed the room."""


class TimedOut(LanchatError):
    """What was waited for did not come in time."""

    exit_code = 124
