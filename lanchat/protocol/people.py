"""Messages about people: the key of somebody who is not in the room, and of a crowd the list in pages, and a count in
place of notices about each of them.
"""

from lanchat.protocol.fields import Id, Key, Message, Name, Number, Short


class Who(Message, frozen=True):
    """Asks for the key that a private message is to be sealed to, if its recipient is not in the room."""

    id: Id  # of the message
    to: Short  # the recipient's member id; "": the host finds it by the nick
    nick: Name


class Owner(Message, frozen=True):
    """The answer to Who: the recipient, and their key."""

    id: Short  # of the private message
    to: Short  # member id
    nick: Name
    key: Key = b""


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
