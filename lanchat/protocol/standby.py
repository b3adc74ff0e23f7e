"""The messages by which a room outlives its host: who may host it, what a standby has, and how the room is handed on.

A member of an earlier version skips all of them, since it does not know their types. The papers in them are described
in delegation.py, the numbers in timeline.py; README.md has the whole exchange.
"""

from typing import Annotated, NamedTuple

from msgspec import Meta

from lanchat.protocol.fields import Blob, Box, Last, Message, Name, Number, Port, Short

MAX_PAPER = 4096  # bytes; a delegation of seven standbys has 0.8 KB, a record of 64 earlier terms 2.3 KB
MAX_LIST = 8192  # characters of a list in JSON, of all standbys or of all access rules

Paper = Annotated[bytes, Meta(max_length=MAX_PAPER)]
Instance = Annotated[bytes, Meta(min_length=8, max_length=8)]  # of a copy, see delegation.py
Index = Annotated[int, Meta(ge=-1, le=63)]  # of a host, see delegation.py; -1: nobody


class StandbyMessage(Message, frozen=True):
    """Base of the messages from a standby to its host."""


# ---- from the host to everybody


class Heartbeat(Message, frozen=True):
    """The host is alive. Sent after each pause of `beat`, and whenever `sync` changes."""

    seq: Number  # of the last event
    safe: Last  # acks may go up to this seq; -1: they wait for a standby
    sync: Index = -1  # the standby whose disk acks wait for
    count: Number = 0  # grows with each change of `sync`
    beat: Number = 0  # ms: the next one comes after no longer pause; 0: that is not promised


class Delegation(StandbyMessage, frozen=True):
    """The newest list of standbys, signed by the owner of the room. Also from the owner to a standby that hosts."""

    paper: Paper
    term: Paper = b""  # from a host: its record, for those who came before it had one


class Standbys(Message, frozen=True):
    """The addresses of the owner and the standbys, for members that look for the room after its host is gone."""

    places: Annotated[str, Meta(max_length=MAX_LIST)]  # JSON, see README.md


# ---- naming a standby


class Recruit(Message, frozen=True):
    """The host asks this member's computer to become a standby."""


class Offer(StandbyMessage, frozen=True):
    """The computer is ready: it listens on this port, and this is its copy's folder."""

    port: Port
    instance: Instance
    web: Port = 0  # of its page for browsers; 0: it has none


# ---- filling and keeping a copy


class CopyPosition(NamedTuple):
    """What a copy of a room has on its disk: no message, but what `Follow` and `Stored` are made of.

    Args:
        seq: of the last event; -1: none.
        private: the number of the last private message; 0: none.
        rev: the revision of the rules.
        beat: the count of the last heartbeat.
    """

    seq: int = -1
    private: int = 0
    rev: int = 0
    beat: int = 0


class Follow(StandbyMessage, frozen=True):
    """A standby begins to copy: it has so much, and wants all that follows."""

    seq: Last = -1  # of the last event that it has on the host's timeline
    private: Last = -1  # the number of the last private message
    state: Number = 0  # the revision of the access rules


class Stored(StandbyMessage, frozen=True):
    """So much is on the standby's disk."""

    seq: Last
    private: Last = -1
    state: Number = 0
    count: Number = 0  # of the last heartbeat that it has stored


class Owned(Message, frozen=True):
    """The owner of a nick, whose event may be no longer in the log; the first who used it comes first."""

    nick: Name
    id: Short
    key: Blob = b""
    seq: Number = 0  # of that event


class State(Message, frozen=True):
    """The access rules of the room and its settings, for standbys alone."""

    rev: Number
    rules: Annotated[str, Meta(max_length=MAX_LIST)]  # JSON, see README.md


# ---- handing the room on


class Promote(Message, frozen=True):
    """Host the room: this is all there is of it. Without numbers: this standby knows more than who asks."""

    seq: Last = -1
    private: Last = -1
    state: Number = 0


class Promoted(StandbyMessage, frozen=True):
    """This computer hosts the room now, and this is its record."""

    term: Paper
    plain: Port = 0  # of its door for netcat; 0: it has none
    irc: Port = 0  # of its doors for IRC clients
    irc_tls: Port = 0


# ---- from a host that has yielded to another one, to this


class MergeRules(Message, frozen=True, tag="merge_rules"):
    """The bans and the lock of a room while it was hosted apart. Both stay in force."""

    rules: Annotated[str, Meta(max_length=MAX_LIST)]  # JSON, as of State


class MergeTold(Message, frozen=True, tag="merge_told"):
    """A private message that waits for somebody there, as in Told."""

    id: Short
    at: Number
    by: Short
    nick: Name
    to: Short
    to_nick: Name
    box: Box


Merging = MergeRules | MergeTold
FromStandby = Offer | Follow | Stored | Promoted | Delegation
ToStandby = Recruit | Owned | State | Promote
StandbyStatus = Heartbeat | Delegation | Standbys
