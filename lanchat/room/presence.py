"""Decides about members who ask for another nick, or say that they are away or back. Pure; for the room."""

import math
from collections.abc import Sequence

from lanchat.protocol.messages import UNNUMBERED, Notice, Renamed
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.status import clean_away
from lanchat.room.access import Access
from lanchat.room.effects import Announce, Decision, Reply
from lanchat.room.members import Member, Members


def rename(member: Member, wanted: str, now: int, members: Members, access: Access) -> Sequence[Decision]:
    """Decide about a nick that a member asks for. The time is in ms since 1970."""
    try:
        nick = clean_nick(wanted)
    except ValueError as error:
        return [Reply(Notice("rules", str(error)))]
    if nick == member.nick:
        return []
    if members.get(member.id, nick) not in (None, member):
        return [Reply(Notice("nick", f"You are {nick} already, in another window."))]
    refused = access.refuse(member.id, nick, lambda look: members.looks_like(look) not in (None, member))
    if refused is not None:
        free = f" {refused.suggestion} is free." if refused.suggestion else ""
        return [Reply(Notice("nick", refused.text + free))]
    wait = access.may_rename(member.id, now)
    if wait > 0:
        text = f"You have changed your nick too often. Try again in {math.ceil(wait)} s."
        return [Reply(Notice("nick", text))]
    return [Renamed(UNNUMBERED, now, member.id, member.nick, nick)]


def set_away(member: Member, text: str) -> Sequence[Decision]:
    """Decide about a member who says that they are away, and why; "": that they are back."""
    try:
        text = clean_away(text)
    except ValueError as error:
        return [Reply(Notice("rules", str(error)))]
    if text == member.away:
        return []
    member.away = text
    return [Announce(member.status)]
