"""A crowd: so many people in a room that a count takes the place of notices about each of them. Pure."""

import heapq
from collections.abc import Sequence

from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import Event, Joined, Left, Renamed
from lanchat.protocol.people import PeopleEnd, PeopleList
from lanchat.room.effects import Reply
from lanchat.room.members import Members

PAGE = 50  # people; a screen full
_TOLD = ("kicked", "banned")  # codes of a Left that everybody is told: the host has done something


def is_crowd(people: int, limits: Limits, *, before: bool) -> bool:
    """Whether this number of people is a crowd.

    Args:
        before: whether they were one. Between the two limits it stays as it is, so that it does not flip.
    """
    return people > limits.crowd or (before and people >= limits.crowd_over)


def is_lost_in_crowd(event: Event) -> bool:
    """Whether most sessions are not sent this event in a crowd: a join, a leave or a rename of one of many people."""
    match event:
        case Joined(host=host):
            return not host
        case Left(code=code):
            return code not in _TOLD
        case Renamed():
            return True
    return False


def list_people(asked: PeopleList, members: Members) -> Sequence[Reply]:
    """A page of those who are in the room, by nick."""
    prefix, after = asked.prefix.casefold(), asked.after.casefold()
    found = ((member.nick.casefold(), member.id, member) for member in members)
    page = heapq.nsmallest(PAGE + 1, (one for one in found if one[0] > after and one[0].startswith(prefix)))
    listed = [Reply(member.present) for _, _, member in page[:PAGE]]
    return [*listed, Reply(PeopleEnd(more=len(page) > PAGE))]
