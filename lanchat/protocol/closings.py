"""The last lines of a host, the codes of refusals and of leaving, and what a last line means to a member. Pure."""

from typing import Literal

from lanchat import errors
from lanchat.protocol.messages import Closing, Refused
from lanchat.protocol.nicks import safe_nick

Refusal = Literal["nick", "password", "banned", "full", "locked", "version", "busy", "paused", "rules", "ticket"]
# Why a member left: README.md has a table of the codes
LeftCode = Literal["", "lost", "silent", "slow", "rules", "kicked", "banned", "replaced", "late", "busy", "error"]

CLOSED = Closing("closed", "The host has closed the room.")
KICKED = Closing("kicked", "The host removed you from the room.")
BANNED = Closing("banned", "You are banned from this room.")
ENDED = Closing("closed", "This computer does not host the room any more.")
FAULT = Closing("error", "The host met a fault of its own when it answered you.")
MOVED = Closing("moved", "The host has handed the room to somebody else.")
REPLACED = Closing("replaced", "You joined from another window.")

PAUSED = Refused(
    "paused", "The room is paused: the server that keeps its messages does not answer. Try again in a moment."
)

_BY_CODE = {closing.code: closing.text for closing in (CLOSED, KICKED, BANNED, REPLACED)}
_OURS = {(closing.code, closing.text) for closing in (CLOSED, ENDED, KICKED, BANNED, REPLACED)}


def closed_by(nick: str) -> Closing:
    """The owner of a room with several hosts has closed it, elsewhere than at this host."""
    return Closing(CLOSED.code, f"The room was closed by {safe_nick(nick)}.", by=nick)


def farewell(closing: Closing) -> errors.LanchatError:
    """The error that a host's last line means to a member."""
    text = _words(closing)
    if closing.code == CLOSED.code and closing.by:
        return errors.RoomClosed(closed_by(closing.by).text, by=safe_nick(closing.by))
    if closing.code == CLOSED.code:
        return errors.RoomClosed(text, explained=text != CLOSED.text)
    if closing.code == MOVED.code:
        return errors.RoomMoved(MOVED.text, closing.to)
    return errors.Refused(text, code=closing.code)


def refusal(refused: Refused) -> errors.Refused:
    """The error that a host's refusal means to who asks to enter."""
    text = PAUSED.text if (refused.code, refused.text) == (PAUSED.code, PAUSED.text) else said_by_host(refused.text)
    return errors.Refused(text, code=refused.code, suggestion=refused.suggestion)


def is_paused(error: errors.Refused) -> bool:
    """Whether the room takes nobody because its engine does not answer, which passes."""
    return error.code == PAUSED.code


def _words(closing: Closing) -> str:
    """What the code means, in our words, and then what the host says, unless we would say just that."""
    if (closing.code, closing.text) in _OURS:
        return closing.text
    means = _BY_CODE.get(closing.code, "")
    said = said_by_host(closing.text) if closing.text.strip() or not means else ""
    return f"{means} {said}".strip()


def said_by_host(text: str) -> str:
    """Words of a host in an error: they must not look like words of this program, which people believe."""
    return f"The host says: {text}"
