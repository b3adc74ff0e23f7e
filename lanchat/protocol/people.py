"""Messages about the people of a crowd: a count in place of notices about each of them, and the list in pages."""

from lanchat.protocol.fields import Message, Name, Number


class PeopleList(Message, frozen=True, tag="people_list"):
    """From a member: asks who is in the room. A `Present` answers for each, by nick, and then a PeopleEnd."""

    prefix: Name = ""  # of the nicks, in any case
    after: Name = ""  # this nick, which was the last of the page before


class PeopleEnd(Message, frozen=True, tag="people_end"):
    """From the host: this page of the list is complete."""

    more: bool = False  # others follow it


class Crowd(Message, frozen=True):
    """From the host: how many people are in the room, in place of who comes and goes."""

    people: Number = 0  # 0: the crowd is over. A `Present` for each who is in the room follows, and a PeopleEnd
