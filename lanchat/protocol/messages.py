"""The messages of the wire: one frozen struct for each type, one tagged union for each direction.

Unknown fields are ignored and unknown types are skipped (framing.py), so that a later version can add some without
breaking an earlier one. A field that must be understood needs a new VERSION.
"""

from typing import Annotated, TypeVar

from msgspec import Meta, structs

from lanchat.protocol.fields import (
    Blob,
    Box,
    Bytes32,
    Entry,
    HexId,
    Id,
    Key,
    Last,
    Message,
    Name,
    Number,
    Short,
    Text,
    Typed,
)
from lanchat.protocol.file_messages import FileCommand, FileEvent, FilePrivate, FileReply, Transfer
from lanchat.protocol.password import Confirm, Share
from lanchat.protocol.people import Crowd, Owner, PeopleEnd, PeopleList, Who
from lanchat.protocol.standby import FromStandby, Index, Merging, Paper, StandbyStatus, ToStandby
from lanchat.protocol.status import Away, AwayText, Status
from lanchat.protocol.topic import Topic

VERSION = 2  # of the wire; a different one is refused with a text that both sides understand

# ---- from a member to the host


class Hello(Message, frozen=True):
    """The first line of a member: its identity, and a proof of it for this link alone."""

    v: Number
    nick: Name
    key: Bytes32  # Ed25519 public key, raw
    nonce: Bytes32
    proof: Blob  # signature over handshake.Binding
    after: Last = -1  # the last seq that this member has; -1: a newcomer
    share: Blob = b""  # for a room with a password: this side's share of the exchange
    standby: Annotated[int, Meta(ge=0, le=2)] = 0  # 1: this computer may be named a standby; 2: its person asked for it
    delegation: Paper = b""  # the newest that this member has seen
    term: Paper = b""  # the record of the latest host that this member has seen
    ticket: Blob = b""  # of a browser, instead of `share`: the proof that it has a guest link
    bot: bool = False  # a program speaks on this link, and no person


class Say(Message, frozen=True):
    """A message to everyone in the room."""

    id: Id  # the sender's own; the same on a resend
    text: Typed
    action: bool = False  # /me
    again: bool = False  # a resend: it may be in the log already
    at: Number = 0  # ms since 1970, of a resend: when it was said first


class Tell(Message, frozen=True):
    """A private message, to one person alone. It is sealed: the host carries it and cannot read it."""

    id: Id  # the sender's own; the same on a resend
    to: Short  # the recipient's member id
    nick: Name  # as the sender typed it
    box: Box = b""  # for the recipient
    copy: Box = b""  # the same text, for the sender's own sessions
    text: Typed = ""  # instead of both, for a guest, who has no key: the host can read it


class Got(Message, frozen=True):
    """This private message has been shown, and the host need not keep it any more; or the offer of a file has."""

    by: Short
    id: Short


class Rename(Message, frozen=True):
    """The member asks for another nick."""

    nick: Typed


class Moderate(Message, frozen=True):
    """A right of the host: `kick`, `ban` or `unban` somebody, `lock` or `unlock` the room, set its `topic`."""

    action: Short
    nick: Name = ""
    argument: Text = ""


class Deaf(Message, frozen=True):
    """Asks the host not to send the messages of others to this session (IRC's user mode D)."""


class Fetch(Message, frozen=True):
    """Asks for the events after this seq, from the host's log. The answer is events and then a Page."""

    after: Number
    of: Short = ""  # from a standby also "private": private messages after this number; "owners": of nicks, by seq


class Bye(Message, frozen=True):
    """The member leaves on purpose."""


# ---- both ways


class Ping(Message, frozen=True):
    """Asks the other side for a sign of life."""


class Pong(Message, frozen=True):
    """The answer to a Ping."""


# ---- from the host to a member


class Card(Message, frozen=True):
    """The first line of a host, sent unasked: what a list of rooms shows, and the challenge for a proof."""

    v: Number
    room: HexId
    title: Name
    host: Name  # the host's nick
    people: Number
    password: bool  # whether the room has one
    nonce: Bytes32
    ephemeral: bool = False  # the host stores nothing of this room, and members should not either
    owner: Blob = b""  # the key whose room it is, where standbys are named; see delegation.py for the papers
    delegation: Paper = b""
    term: Paper = b""
    company: bool = False  # of a host: somebody other than its own person is here, or was a moment ago
    standby: Short = ""  # of a standby that does not host: "hears", its link to the host lives; "lost"; "unable"
    seq: Last = -1  # of a standby: the last event in its copy; -1: the copy has holes
    sync: Last = -1  # of a standby: the count of the last heartbeat, if that named it


class Refused(Message, frozen=True):
    """The host does not admit the member, and why."""

    code: Short  # of closings.Refusal; a later version may know more
    text: Text
    suggestion: Name = ""  # a free nick, if the code is "nick"
    owned: bool = False  # the code is "nick", and it belongs to a key that was here before, not to somebody present


class Welcome(Message, frozen=True):
    """The member is admitted. `people` entries of Present follow, then the past, then live events."""

    id: Short  # the member's own id
    nick: Name
    seq: Number  # of the last event before the live ones
    stored: Number  # every event up to this seq is on the host's disk
    people: Number
    since: Number = 0  # the past that follows begins after this seq; missing events before it can be fetched
    files: Number = 0  # bytes of the largest file that the room takes; 0: it takes none
    topic: Name = ""  # what the room is about
    crowd: Number = 0  # the number of people in a room with a crowd, of whom few are listed; 0: all are


class Page(Message, frozen=True):
    """The answer to a Fetch is complete: every event up to this seq has come."""

    upto: Number


class Present(Message, frozen=True):
    """A person who was in the room when the member joined, or when it asked."""

    id: Short
    nick: Name
    host: bool = False
    key: Key = b""  # a client compares it with the id
    web: bool = False  # in a browser
    bot: bool = False  # as in a Status, and so is `away`
    away: AwayText = ""


class Ack(Message, frozen=True):
    """Every message of this member up to this seq is on the host's disk."""

    seq: Number


class Told(Message, frozen=True):
    """A private message: to its recipient, at each join until a Got, and to its sender. No event: it has no seq."""

    id: Short
    at: Number  # ms since 1970, the host's clock
    by: Short  # member id
    nick: Name
    to: Short  # member id
    to_nick: Name
    box: Box = b""  # for the recipient, or the sender's own copy
    text: Text = ""  # instead, if one of the two is a guest
    number: Number = 0  # in the host's log and for standbys: its place there


class Receipt(Message, frozen=True):
    """What became of a Tell: it is on the host's disk, or the host refuses it."""

    id: Short
    code: Short  # "here": the recipient is in the room; "away": they get it on returning; "refused"
    text: Text = ""  # for a person


class Notice(Message, frozen=True):
    """A text from the host to one session alone."""

    code: Short
    text: Text


class Closing(Message, frozen=True):
    """The last line of a host, with the reason."""

    code: Short
    text: Text
    to: Index = -1  # of the code "moved": who hosts from here on
    by: Name = ""  # of the code "closed": the nick of who has closed the room, if not the host


# ---- events: entries of the room's log, the same for everyone

EventT = TypeVar("EventT", bound=Entry)


class Said(Entry, frozen=True):
    """Somebody said something to everyone."""

    id: Short  # as in the Say
    text: Text
    action: bool = False
    late: bool = False  # it was said while its author was disconnected


class Joined(Entry, frozen=True):
    """A member entered the room with a first session."""

    host: bool = False
    key: Key = b""  # only in live events; a log does not keep it there
    web: bool = False  # by a browser; in live events as well
    bot: bool = False  # the same


class Left(Entry, frozen=True):
    """The last session of a member ended."""

    code: Short = ""  # of closings.LeftCode; "": on purpose
    reason: Name = ""  # in words, if the code does not say it all


class Renamed(Entry, frozen=True):
    """A member changed their nick."""

    to: Name = ""


class Moved(Entry, frozen=True):
    """The first event of a term: `by` hosts the room from here on."""

    epoch: Number = 0
    before: Name = ""  # the nick of who hosted until then
    reason: Short = ""  # "handover", "takeover", "failback", "merge"


UNNUMBERED = 0  # the seq of a draft, an event that has not been given its number


def numbered(draft: EventT, seq: int) -> EventT:
    """Give a draft its number. Only for the thread that made it, before any other has seen it."""
    structs.force_setattr(draft, "seq", seq)
    return draft


Event = Said | Joined | Left | Renamed | Moved | Topic | FileEvent
Private = Told | FilePrivate  # what is for one person alone
Record = Event | Private  # an entry of a log
Command = Say | Tell | Who | PeopleList | Got | Rename | Away | Moderate | Bye | FileCommand | Merging  # rules decide
FromMember = Hello | Confirm | Transfer | Command | Deaf | Fetch | Ping | Pong | FromStandby
Greeting = Card | Share | Confirm | Refused | Welcome | Present  # how a host lets somebody in
ForOne = Page | PeopleEnd | Owner | Ack | Private | Receipt | Notice | Closing | FileReply  # to one session alone
FromHost = Greeting | ForOne | Ping | Pong | Event | Status | Crowd | StandbyStatus | ToStandby
