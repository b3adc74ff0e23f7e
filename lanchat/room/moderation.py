"""The rights of a host: to remove and ban people, to lock the room, and to set its topic. Pure; for the room."""

from collections.abc import Sequence

from lanchat.protocol.closings import BANNED, KICKED
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import UNNUMBERED, Notice
from lanchat.protocol.topic import Topic, clean_topic
from lanchat.room.access import Access
from lanchat.room.effects import Decision, Effect, Kick, Reply, SaveAccess
from lanchat.room.members import Member, Members


def moderate(by: Member, action: str, nick: str, members: Members, access: Access, *, may: bool) -> list[Effect]:
    """Decide about an action of a member.

    Args:
        nick: of the person whom it concerns.
        may: whether the member is the host, or the owner of the room.
    """
    if not may:
        return [Reply(Notice("rights", "Only the host may do that."))]
    match action:
        case "lock" | "unlock":
            locked = action == "lock"
            text = "The room is locked: nobody new is admitted." if locked else "Newcomers are admitted again."
            return [SaveAccess(dict(access.bans), locked), Reply(Notice("done", text))]
        case "unban":
            if (banned := access.banned_as(nick)) is None:
                return [Reply(Notice("rights", f"{nick} is not banned. Banned: {access.banned()}."))]
            bans = {id: other for id, other in access.bans.items() if id != banned}
            return [SaveAccess(bans, access.locked), Reply(Notice("done", f"{nick} may come back."))]
        case "kick" | "ban":
            return _send_away(nick, by, members, access, ban=action == "ban")
        case _:
            return [Reply(Notice("rules", "This host does not know that command; its lanchat is older."))]


def set_topic(by: Member, wanted: str, now_set: str, now: int, *, may: bool) -> Sequence[Decision]:
    """Decide about a topic that a member wants to set.

    Args:
        now_set: the topic so far.
        now: ms since 1970.
        may: as for `moderate`.
    """
    if not may:
        return [Reply(Notice("rights", "Only the host may set the topic."))]
    try:
        topic = clean_topic(wanted)
    except ValueError as error:
        return [Reply(Notice("rules", str(error)))]
    return [Topic(UNNUMBERED, now, by.id, by.nick, topic)] if topic != now_set else []


def _send_away(nick: str, by: Member, members: Members, access: Access, *, ban: bool) -> list[Effect]:
    called = members.called(nick)
    there = [] if called is None else [called]
    id = called.id if called is not None else access.owner(nick)
    if id is None or (not there and not ban):
        return [Reply(Notice("rights", f"No one here is called {nick}."))]
    if id == by.id:
        return [Reply(Notice("rights", "That is you."))]
    effects: list[Effect] = []
    if ban and not is_verified(id):
        effects.append(Reply(Notice("rights", f"~{nick} has no key that could be banned: removed, but may come back.")))
    elif ban:
        save = SaveAccess({**access.bans, id: nick}, access.locked)
        effects += [save, Reply(Notice("done", f"{nick} is banned."))]
        there = [other for other in members if other.id == id]
    return effects + [Kick(other, BANNED if ban else KICKED) for other in there]
