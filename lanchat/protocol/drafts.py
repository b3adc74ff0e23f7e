"""Messages in the form in which a member keeps them until the host has acknowledged them. Pure.

A private message is kept with its text, and sealed each time it is sent: so it can wait for the recipient's key, and a
person can be shown what still waits. It never stands on the wire like this.
"""

from lanchat.protocol.fields import Id, Key, Message, Name, Short, Text
from lanchat.protocol.messages import Say


class PrivateDraft(Message, frozen=True, tag="tell"):
    """A private message that is not acknowledged."""

    id: Id  # the sender's own; the same on a resend
    to: Short  # the recipient's member id; "": the host finds it by the nick
    nick: Name  # as the sender typed it
    text: Text
    key: Key = b""  # the recipient's; empty: the host has to be asked


Talk = Say | PrivateDraft
