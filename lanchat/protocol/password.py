"""The messages by which both sides prove that they know the password of a room."""

from lanchat.protocol.fields import Blob, Bytes32, Message


class Share(Message, frozen=True):
    """The host's share of the password exchange. The member's is in its Hello."""

    share: Blob


class Confirm(Message, frozen=True):
    """Proves that this side has the same key, and so knows the password. The member's comes first."""

    mac: Bytes32
