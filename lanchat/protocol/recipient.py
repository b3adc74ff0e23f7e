"""The question whose key a private message is to be sealed to, and its answer."""

from lanchat.protocol.fields import Id, Key, Message, Name, Short


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
