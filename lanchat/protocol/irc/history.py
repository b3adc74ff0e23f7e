"""CHATHISTORY: what a client asks for, and the times and ids that it names (IRCv3, chathistory). Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.irc.names import Names

MAX_LIMIT = 1000  # messages in one answer, as soju's and ergo's
_REFERENCES = {"LATEST": 1, "BEFORE": 1, "AFTER": 1, "AROUND": 1, "BETWEEN": 2, "TARGETS": 2}
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z")
_LIMIT = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class Moment:
    """A message is named by its time, in ms since 1970."""

    at: int


@dataclass(frozen=True)
class Id:
    """A message is named by its msgid. `seq` -1: the id is not one of this room's."""

    seq: int


Reference = Moment | Id


@dataclass(frozen=True)
class Query:
    """What a CHATHISTORY asks for.

    Args:
        target: the channel or nick; "" for TARGETS.
        references: the messages that it names; none: it is about the end of the history.
        limit: of messages.
    """

    kind: str
    target: str
    references: tuple[Reference, ...]
    limit: int


class BadQuery(ValueError):
    """What is asked for breaks the rules.

    Args:
        code: for the FAIL line.
        context: the words that stand after it.
    """

    def __init__(self, code: str, text: str, *context: str) -> None:
        super().__init__(text)
        self.code = code
        self.context = context


def query_of(parameters: tuple[str, ...], names: Names) -> Query:
    """What these parameters of a CHATHISTORY ask for.

    Raises:
        BadQuery: they ask for nothing that there is.
    """
    kind = parameters[0].upper() if parameters else ""
    if kind and kind not in _REFERENCES:
        raise BadQuery("UNKNOWN_COMMAND", "There is no such subcommand", kind[:32])
    wanted = [] if kind == "TARGETS" else parameters[1:2]
    rest = parameters[1 + len(wanted) :]
    if not kind or len(rest) < _REFERENCES[kind] + 1 or (kind != "TARGETS" and not wanted):
        raise BadQuery("NEED_MORE_PARAMS", "Some parameters are missing", kind or "*")
    *named, limit = rest[: _REFERENCES[kind] + 1]
    if not _LIMIT.fullmatch(limit):
        raise BadQuery("INVALID_PARAMS", "The limit is no number", kind)
    latest = kind == "LATEST" and named == ["*"]
    references = () if latest else tuple(_reference(name, kind, names) for name in named)
    return Query(kind, wanted[0] if wanted else "", references, min(int(limit), MAX_LIMIT))


def _reference(text: str, kind: str, names: Names) -> Reference:
    by, equals, value = text.partition("=")
    if by == "timestamp" and equals and (at := moment_of(value)) is not None:
        return Moment(at)
    if by == "msgid" and value and kind != "TARGETS":
        return Id(seq_of(value, names))
    if equals and by not in ("timestamp", "msgid"):
        raise BadQuery("INVALID_MSGREFTYPE", "Messages are named by msgid or timestamp", kind)
    raise BadQuery("INVALID_PARAMS", "That names no message", kind)


def moment_of(text: str) -> int | None:
    """The ms since 1970 of a time as in server-time; None: the text is no such time."""
    if not _TIME.fullmatch(text):
        return None
    try:
        then = datetime.fromisoformat(text.removesuffix("Z") + "+00:00")
    except ValueError:
        return None
    return max(0, int(then.timestamp()) * 1000 + then.microsecond // 1000)


def seq_of(msgid: str, names: Names) -> int:
    """The seq in a msgid; -1: it is not one of this room's."""
    room, _, number = msgid.partition("-")
    if room != names.room[:8] or not re.fullmatch("[0-9]{1,16}", number):
        return -1
    return int(number) if int(number) <= MAX_NUMBER else -1
