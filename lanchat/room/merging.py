"""Merges what a host that has yielded brings to the other host of the room. Pure; for the room.

Bans and locks of both sides count, so nobody who was banned comes in again. Private messages that wait there wait here
as well; they are sealed, so none can be forged. Only a computer that follows as a standby may do this: the owner of
the room has named it.
"""

from lanchat.errors import ProtocolError
from lanchat.protocol.closings import BANNED
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Notice, Told
from lanchat.protocol.places import Rules, read_rules, write_rules
from lanchat.protocol.standby import MAX_LIST, MergeRules, MergeTold, Merging
from lanchat.room.access import Access
from lanchat.room.effects import Effect, Kick, Reply, SaveAccess
from lanchat.room.members import Member, Members
from lanchat.room.private import Mailboxes


def merge(
    by: Member, message: Merging, owner_id: str, members: Members, access: Access, private: Mailboxes
) -> list[Effect]:
    """Decide about what the computer of a member brings.

    Args:
        owner_id: of the room's owner, who cannot be banned; "": the owner is the host.
    """
    if not by.copies:
        return [Reply(Notice("rights", "Only a computer that may host the room can bring what it had apart."))]
    match message:
        case MergeTold(id=id, at=at, by=sender, nick=nick, to=to, to_nick=to_nick, box=box):
            return private.carry(Told(id, at, sender, nick, to, to_nick, box), members)
        case MergeRules(rules=text):
            try:
                rules = read_rules(text)
            except ProtocolError as error:
                return [Reply(Notice("rules", str(error)))]
    spared = {owner_id, *(member.id for member in members if member.host), *access.bans}
    new = {id: nick for id, nick in rules.bans.items() if is_verified(id) and id not in spared}
    if not new and (access.locked or not rules.locked):
        return []
    save = SaveAccess(access.bans | new, access.locked or rules.locked)
    return [save, *(Kick(member, BANNED) for member in members if member.id in new)]


def to_merge(bans: dict[str, str], private: Mailboxes, *, locked: bool) -> list[Merging]:
    """The messages that a host that yields brings to the other one.

    Args:
        bans, locked: the access rules of the host that yields.
    """
    rules = write_rules(Rules(bans, locked))
    access = [MergeRules(rules)] if (bans or locked) and len(rules) <= MAX_LIST else []
    return [
        *access,
        *(
            MergeTold(one.id, one.at, one.by, one.nick, one.to, one.to_nick, one.box)
            for one in private.all()
            if one.box
        ),
    ]
