"""The vocabulary: one frozen struct for each thing that can be said, one tagged union for each direction.

Unknown fields are ignored and unknown types are skipped (framing.py), so that a later version
can say more without breaking an earlier one. A field that must be understood needs a new VERSION.
"""

from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct, structs

VERSION = 1  # of the wire; a different one is refused in words both sides understand

MAX_TEXT = 4096  # bytes of UTF-8 in one message; a pasted page fits
NONCE_SIZE = 32  # bytes; each side's part of what makes a proof fit one link only
MAX_NUMBER = 2**53 - 1  # what every JSON reader can hold (RFC 8259, section 6)

Number = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
Short = Annotated[str, Meta(max_length=64)]  # ids, codes
MAX_NAME = 256  # characters

Name = Annotated[str, Meta(max_length=MAX_NAME)]  # nicks and titles; their rules are in text.py
Text = Annotated[str, Meta(max_length=MAX_TEXT)]  # characters; the room checks bytes
RoomId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]  # it goes into files as it is
Bytes32 = Annotated[bytes, Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]
Blob = Annotated[bytes, Meta(max_length=128)]

Refusal = Literal["nick", "password", "banned", "full", "closed", "version", "busy", "rules"]


class _Message(Struct, frozen=True, tag_field="t", tag=str.lower, gc=False, omit_defaults=True):
    """Holds only scalars, so the garbage collector need not look at it (gc=False)."""


# ---- from a member to the host


class Hello(_Message, frozen=True):
    """The first line of a member: who I am, and the proof of it for this very link."""

    v: Number
    nick: Name
    key: Bytes32  # Ed25519 public key, raw
    nonce: Bytes32
    proof: Blob  # signature over handshake.Binding
    after: Annotated[int, Meta(ge=-1, le=MAX_NUMBER)] = -1  # last seq this member has; -1: a newcomer
    share: Blob = b""  # for a locked room: this side's share of the password exchange


class Say(_Message, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=64)]  # the sender's own; the same on a resend
    text: Text
    action: bool = False  # /me
    again: bool = False  # it may be in the log already: an earlier link of ours was lost before we knew


class Tell(_Message, frozen=True):
    """Say this to one person alone. The host carries it, and can read it."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]  # the sender's own; the same on a resend
    to: Short  # member id: who is meant is a key; "": whom this nick belongs to
    nick: Name  # as the sender typed it
    text: Text


class Got(_Message, frozen=True):
    """I have this private message; it need not be kept for me any more."""

    by: Short
    id: Short


class Rename(_Message, frozen=True):
    nick: Name


class Moderate(_Message, frozen=True):
    """The host's own right: `kick`, `ban`, `unban` somebody, `lock` or `unlock` the door for newcomers."""

    action: Short
    nick: Name = ""


class Deaf(_Message, frozen=True):
    """Do not send me what others say, on this link (IRC's user mode D): for who only speaks."""


class Fetch(_Message, frozen=True):
    """What came after this seq, from the host's log: a page of events and then a Page."""

    after: Number


class Bye(_Message, frozen=True):
    """I leave on purpose; do not wait for me."""


# ---- both ways


class Confirm(_Message, frozen=True):
    """I came to the same key, so I know the password. The member's comes first."""

    mac: Bytes32


class Ping(_Message, frozen=True):
    pass


class Pong(_Message, frozen=True):
    pass


# ---- from the host to a member


class Card(_Message, frozen=True):
    """The first line of a host, unasked: enough to list the room, and the challenge for a proof."""

    v: Number
    room: RoomId
    title: Name
    host: Name  # the nick of who hosts
    people: Number
    locked: bool
    nonce: Bytes32
    ephemeral: bool = False  # nothing is kept of this room, and nothing should be


class Share(_Message, frozen=True):
    """The host's share of the password exchange."""

    share: Blob


class Refused(_Message, frozen=True):
    code: str  # a Refusal; a later version may know more
    text: Text
    suggestion: Name = ""


class Welcome(_Message, frozen=True):
    """You are in. Then come `people` entries of Present and the past, then what happens from now on."""

    id: Short  # your member id
    nick: Name
    seq: Number  # of the last event before the live ones
    saved: Number  # everything up to this seq is on the host's disk
    people: Number
    since: Number = 0  # the past that follows begins after this seq; what you lack before it you may Fetch


class Page(_Message, frozen=True):
    """The answer to Fetch is complete: all events up to this seq have come."""

    upto: Number


class Present(_Message, frozen=True):
    """Somebody who was in the room when you came."""

    id: Short
    nick: Name
    host: bool = False


class Ack(_Message, frozen=True):
    """Everything you have said up to this seq is on the host's disk."""

    seq: Number


class Told(_Message, frozen=True):
    """A private message, to whom it was sent and back to whom it is from; until the former says Got, once more on
    each arrival. No event: it has no seq, and nobody else ever sees it."""

    id: Short
    at: Number  # ms since 1970, the host's clock
    by: Short  # member id
    nick: Name
    to: Short  # member id
    to_nick: Name
    text: Text


class Receipt(_Message, frozen=True):
    """What became of a Tell of yours: it is on the host's disk, or it goes nowhere."""

    id: Short
    code: Short  # "here": they are in the room; "away": they get it on return; "refused"
    text: Text = ""  # for a person


class Notice(_Message, frozen=True):
    """The host speaks to you alone."""

    code: str
    text: Text


class Closing(_Message, frozen=True):
    """The last line of a host, with the reason in words."""

    code: str
    text: Text


# ---- events: entries of the room's log, the same for everyone


class _Event(_Message, frozen=True):
    seq: Number
    at: Number  # ms since 1970, the host's clock; for display only
    by: Short  # member id
    nick: Name


EventT = TypeVar("EventT", bound=_Event)


class Said(_Event, frozen=True):
    id: Short
    text: Text
    action: bool = False


class Joined(_Event, frozen=True):
    host: bool = False


LeftCode = Literal["", "lost", "silent", "slow", "rules", "kicked", "banned", "replaced", "late", "busy", "error"]


class Left(_Event, frozen=True):
    code: Short = ""  # a LeftCode; "": on purpose
    reason: Name = ""  # in words, where the code does not say it all


class Renamed(_Event, frozen=True):
    to: Name = ""


UNNUMBERED = 0  # the seq of a draft, an event that has not been given its number


def numbered(draft: EventT, seq: int) -> EventT:
    """Give a draft its number. Only for its owner, who has shown it to nobody yet."""
    structs.force_setattr(draft, "seq", seq)
    return draft


Event = Said | Joined | Left | Renamed
Record = Event | Told  # what a log keeps
Talk = Say | Tell  # what is said again until the host has it
Command = Say | Tell | Got | Rename | Moderate | Bye  # what the rules of a room decide about
FromMember = Hello | Confirm | Say | Tell | Got | Rename | Moderate | Deaf | Fetch | Bye | Ping | Pong
FromHost = (
    Card
    | Share
    | Confirm
    | Refused
    | Welcome
    | Page
    | Present
    | Ack
    | Told
    | Receipt
    | Notice
    | Closing
    | Ping
    | Pong
    | Said
    | Joined
    | Left
    | Renamed
)
