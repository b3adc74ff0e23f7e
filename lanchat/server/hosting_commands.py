"""Answers members who ask about standbys, or ask their host to move or close the room. Owned by the hub thread."""

from collections.abc import Sequence

from lanchat.protocol.closings import CLOSED
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.messages import Moderate, Notice
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.text import listed, safe_text
from lanchat.room.members import Member
from lanchat.room.naming import why_not
from lanchat.server.beside import Beside
from lanchat.server.followers import Volunteer
from lanchat.server.items import HandOver
from lanchat.server.session import Session
from lanchat.server.standbys import Standbys

ACTIONS = {"standbys", "handover", "takeback", "close"}
_NO_STANDBYS = Notice("rights", "This room cannot move to another computer.")
_GO_ON = "If one of them goes, its people go on at another one."
_ONE_HOST = "More computers can host it, if its owner accepts them: lanchat help engine"
_NO_HANDOVER = Notice(
    "rights", "A room on an engine is not handed over: its hosts serve it together. /standbys lists them."
)
_NOT_HERE = Notice("rights", "Its owner closes a room on an engine at their own host.")


def answer_hosting_command(
    standbys: Standbys | None, beside: Beside | None, session: Session, member: Member, command: Moderate
) -> Notice | None:
    """Do what a member asks for, if that member has the right to it.

    Args:
        standbys: None: the room cannot move.
        beside: None: it is not on an engine.

    Returns:
        The answer; None: a notice follows later, or the event itself is the answer.
    """
    if standbys is None:
        return _NO_STANDBYS if beside is None else _answer_on_engine(beside, command)
    owner = member.id == standbys.standing.owner_id
    match command.action:
        case "standbys":
            return Notice("standbys", _describe(standbys))
        case "handover" if owner or member.host:
            index = standbys.followers.called(command.nick)
            if index is None:
                return Notice("rights", _why_not(standbys.followers.volunteers, command.nick))
        case "takeback" if owner and standbys.standing.index != OWNER_INDEX:
            index = OWNER_INDEX
        case "takeback" if owner:
            return Notice("rights", "You host the room.")
        case "close" if owner:
            standbys.close(CLOSED)
            return None
        case "handover":
            return Notice("rights", "Only the host and the owner of the room may do that.")
        case _:
            return Notice("rights", "Only the owner of the room may do that.")

    def done(why: str) -> None:
        if why:
            session.link.send(session.encode(Notice("rights", f"The room stays here. {why}")))

    standbys.handovers.begin(HandOver(index, done))
    return None


def _answer_on_engine(beside: Beside, command: Moderate) -> Notice:
    """How a room on an engine lives on, which has no standbys."""
    match command.action:
        case "standbys":
            ours, *others = [safe_text(nick) for nick in beside.nicks] or ["a computer"]
            hosts = listed([f"{ours} (where you are)", *others])
            text = f"{len(others) + 1} hosts: {hosts}. {_GO_ON}" if others else f"one host: {hosts}. {_ONE_HOST}"
            return Notice("standbys", f"This room has {text}")
        case "close":
            return _NOT_HERE
        case _:
            return _NO_HANDOVER


def _why_not(volunteers: Sequence[Volunteer], nick: str) -> str:
    """Why the room cannot be handed to this member, who does not copy it."""
    called = next((one for one in volunteers if same_nick(one.nick) == same_nick(nick)), None)
    nick = safe_text(nick)
    if called is not None and not called.declined:
        return f"{nick} is not a standby yet. A computer may become one after a minute in the room: see /standbys."
    return why_not(nick, declined=True) if called else f"{nick} is not here, or cannot be a standby."


def _describe(standbys: Standbys) -> str:
    """The text of `/standbys`: which computers can take the room over, and why others cannot."""
    standing, followers = standbys.standing, standbys.followers

    def state(index: int) -> str:
        if followers.session(index) is not None:
            return "complete, can take over" if standbys.replication.is_ready(index) else "copying"
        return "has declined" if followers.has_declined(keys.get(index, standing.owner)) else "away"

    named = standing.named.standbys if standing.named is not None else ()
    keys = {one.index: one.key for one in named}
    indexes = [OWNER_INDEX] if standing.index != OWNER_INDEX else []
    indexes += [one.index for one in named if one.index != standing.index]
    words = [f"{safe_text(standing.nick(index)) or 'a computer'}: {state(index)}" for index in indexes]
    words += [f"{safe_text(nick)}: port {port} blocked (firewall?)" for nick, port in standbys.blocked.items()]
    return " · ".join(words) or "Nobody can take over yet."
