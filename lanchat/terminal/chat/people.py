"""The names of people on the screen, and the lines about them. Pure.

Every nick that others have chosen is made safe by nicks.py.
"""

from lanchat.client.events import Connected, Disconnected, PrivateMessage
from lanchat.protocol.messages import Joined
from lanchat.protocol.text import conjunction, grouped, safe_text
from lanchat.room.roster import Person, Roster
from lanchat.terminal.chat.nicks import shown_nick, tagged_nick
from lanchat.terminal.phrases import counted, people_text, sentence
from lanchat.terminal.wording import COMPARE

NAMED = 5  # people in the greeting; /who names all


def greeting_text(connected: Connected, roster: Roster) -> str:
    """The first line in a room: its title, its host, our nick, and who else is there.

    Args:
        roster: with everybody who is present, or in a crowd with the few that are listed.
    """
    title, host = safe_text(connected.card.title), safe_text(connected.card.host)
    me = (roster.me, roster.nick)
    others = [shown_nick(person.id, person.nick) for person in roster.people.values() if (person.id, person.nick) != me]
    named = sorted(others, key=str.casefold)[:NAMED]
    rest = (roster.crowd - 1 if roster.crowd else len(others)) - len(named)
    names = [*named, *([counted(rest, "other")] if rest else [])]
    with_whom = f", with {conjunction(names)}" if names else ""
    return f"You are in {title} (hosted by {host}) as {safe_text(roster.nick)}{with_whom}. /help lists the commands."


def joined_text(joined: Joined, *, mine: bool, owner: str = "") -> str:
    """The line for somebody who has joined.

    Args:
        owner: the member id of the room's owner; "": its host is the owner.
    """
    who = "you" if mine else tagged_nick(joined.by, joined.nick)
    where = " (web)" if joined.web and not mine else ""
    opened = joined.host and owner in ("", joined.by)  # the room of somebody else has several hosts
    return f"{who}{where} {'opened the room' if opened else 'joined'}{' (a program)' if joined.bot else ''}"


def who_text(people: list[Person], me: tuple[str, str]) -> str:
    """The answer to /who.

    Args:
        me: our own id and nick.
    """
    names = []
    for person in sorted(people, key=lambda person: person.nick.casefold()):
        remarks = ["you"] if (person.id, person.nick) == me else []
        remarks += ["host"] if person.host else []
        remarks += ["web"] if person.web else []
        remarks += ["a program"] if person.bot else []
        remarks += [f"away: {safe_text(person.away)}"] if person.away else []
        names.append(tagged_nick(person.id, person.nick) + (f" ({', '.join(remarks)})" if remarks else ""))
    return f"{people_text(len(names))}: {', '.join(names)}"


def verify_text(person: Person, me: str, host_id: str, *, crowd: bool = False) -> str:
    """The answer to /verify. Only the host has shown its key to us; for everybody else the host vouches.

    Args:
        me: our own id.
        host_id: the member id of the key that the host showed.
        crowd: so many people are in the room that the host sends few of their keys unasked.
    """
    nick = shown_nick(person.id, person.nick)
    if not person.verified:
        text = f"{nick} is a guest without a key: identity not verified."
        return f"{text}\nPrivate messages to {nick} are not sealed: the host can read them."
    if person.id == me:
        return f"Your fingerprint:  {grouped(person.id)}"
    vouched = ", the host" if person.id == host_id else ", as the host says" if me != host_id else ""
    sealed = f"Private messages to {nick} are sealed to this key"
    if not person.key and not crowd:
        sealed = f"The host has not shown this key, so private messages to {nick} cannot be sealed."
    elif person.id == host_id or me == host_id:
        sealed += "."
    else:
        sealed += ": the host cannot read them."
    return f"Fingerprint of {nick}{vouched}:  {grouped(person.id)}\n{COMPARE}\n{sealed}"


def closed_by(roster: Roster, ended: Disconnected) -> str:
    """Says who closed the room, or why it closed, if nobody closed it on purpose or we do not know who the host was."""
    if ended.by:
        return f"{ended.by} closed the room."
    if ended.explained:
        return sentence(ended.reason)
    host = roster.member(roster.host_id)
    return f"{shown_nick(host.id, host.nick)} closed the room." if host is not None else sentence(ended.reason)


def private_label(told: PrivateMessage, me: str) -> str:
    """The sender and the recipient, as they are shown before a private message: `[ann -> you]`.

    Args:
        me: our own id.
    """
    sender = "you" if told.by == me else shown_nick(told.by, told.nick)
    recipient = "you" if told.to == me else shown_nick(told.to, told.to_nick)
    return f"[{sender} -> {recipient}]"
