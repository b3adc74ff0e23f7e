"""The messages about files: on the chat link, and the lines of a transfer link, which carries the bytes themselves.

    sending    member  Transfer ------>             fetching   member  Transfer ------>
               host    Wait, Have <----                        host    Wait, Go <------
               member  Go, bytes, Sum ->                       host    bytes, Sum <----
               host    Done <----------                        member  hangs up

A *take* is one attempt at the content of a file. It grows by one when a sender begins with the first byte again.
"""

from typing import Annotated, Literal

from msgspec import Meta, structs

from lanchat.protocol.fields import Box, Bytes32, Entry, HexId, Id, Message, Name, Number, Short, Text

Sha256 = Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")]  # in hex; "": not known yet

FileRefusal = Literal["off", "size", "quota", "many", "unknown", "rights", "disk", "elsewhere"]
FileEndReason = Literal["removed", "unfinished", "expired", "quota", "lost"]
FileState = Literal["offered", "stored", "removed"]


# ---- from a member to the host


class FileSend(Message, frozen=True, tag="file_send"):
    """Offers a file to everybody, or to one person. A FileTicket answers, or a FileRefused, or a FileEntry if it is
    stored already. A file for one person is sealed (sealed_file.py): its name is in the boxes, and its size is that of
    the sealed bytes."""

    id: Id  # the sender's own; the same on a resend
    name: Name
    size: Number  # bytes
    again: bool = False  # the host may know this file already
    to: Short = ""  # member id of the one person
    nick: Name = ""  # theirs, as the sender typed it
    box: Box = b""  # the offer, sealed for the recipient
    copy: Box = b""  # the same for the sender's own sessions


class FileGet(Message, frozen=True, tag="file_get"):
    """Asks for the bytes of a file. A FileTicket answers, or a FileRefused."""

    file: HexId
    download: bool = False  # by an address of the web door, `/f/TICKET`, and not on a transfer link


class FileRemove(Message, frozen=True, tag="file_remove"):
    """Takes a file back: the member's own, or any if the member is the host."""

    file: HexId


class FileList(Message, frozen=True, tag="file_list"):
    """Asks which files are there. The answer is a FileEntry for each, and a FileEnd."""


# ---- from the host to a member


class FileTicket(Message, frozen=True, tag="file_ticket"):
    """Allows one transfer of one file, in one direction, for a short time."""

    file: HexId  # made by the host
    ticket: Bytes32
    size: Number
    have: Number = 0  # bytes that are at the host
    id: Short = ""  # of the FileSend; "": the answer to a FileGet
    up: bool = False  # for sending


class FileRefused(Message, frozen=True, tag="file_refused"):
    """The host does not do what was asked about a file."""

    code: Short  # a FileRefusal; a later version may know more
    text: Text
    id: Short = ""  # of the FileSend
    file: Short = ""  # of anything else


class FileEntry(Message, frozen=True, tag="file_entry"):
    """A file that is there, or is just being sent."""

    file: HexId
    name: Name
    size: Number
    by: Short
    nick: Name
    at: Number  # ms since 1970
    have: Number = 0  # bytes that are at the host
    sha256: Sha256 = ""  # if the file is whole at the host
    id: Short = ""  # of the FileSend that this answers
    to: Short = ""  # of a file for one person: the recipient's member id ...
    to_nick: Name = ""
    offer: Short = ""  # ... the id of its FileSend, which the box is bound to ...
    box: Box = b""  # ... and the offer, sealed for the one who asks
    elsewhere: Name = ""  # the nick of who hosted the room when it came: only their computer has it

    def reads_as(self, name: str, size: int, sha256: str) -> "FileEntry":
        """The entry of a sealed file as its reader knows it."""
        return structs.replace(self, name=name, size=size, have=min(self.have, size), sha256=sha256)


class FilePrivate(Message, frozen=True, tag="file_private"):
    """A file for one person, in place of events: to all sessions of the two. It is no event, and has no seq.

    As long as the recipient has not sent a Got, it comes again at each join.
    """

    id: Short  # of the FileSend
    file: HexId
    at: Number  # ms since 1970, when it was offered
    by: Short  # member id
    nick: Name
    to: Short  # member id
    to_nick: Name
    size: Number  # of the sealed bytes
    state: Short  # a FileState; a later version may know more
    box: Box = b""  # the offer, sealed for the recipient
    copy: Box = b""  # the same for the sender's own sessions
    sha256: Sha256 = ""  # of the sealed bytes, once they are whole at the host
    reason: Short = ""  # a FileEndReason, once it is removed
    seen: bool = False  # the recipient has got the offer

    def become(self, state: FileState, *, sha256: str = "", reason: str = "") -> "FilePrivate":
        """The message to the two people when the state of the file changes."""
        return structs.replace(self, state=state, sha256=sha256 or self.sha256, reason=reason)

    def got(self) -> "FilePrivate":
        return structs.replace(self, seen=True)


class FileEnd(Message, frozen=True, tag="file_end"):
    """The answer to a FileList is complete."""


# ---- events


class FileOffered(Entry, frozen=True, tag="file_offered"):
    """A member sends a file. It can be fetched from now on."""

    id: Short  # as in the FileSend
    file: HexId
    name: Name  # made safe by the host
    size: Number


class FileStored(Entry, frozen=True, tag="file_stored"):
    """A file is whole and on the host's disk."""

    file: HexId
    sha256: Sha256


class FileRemoved(Entry, frozen=True, tag="file_removed"):
    """A file is gone. `by` and `nick` are those of the member who removed it, or else of its sender."""

    file: HexId
    reason: Short  # a FileEndReason; a later version may know more


# ---- the lines of a transfer link


class Transfer(Message, frozen=True):
    """The member's first line, in place of a Hello."""

    v: Number
    ticket: Bytes32
    at: Number = 0  # for fetching: bytes that the member has ...
    take: Number = 0  # ... and of which take; 0: not known


class Wait(Message, frozen=True):
    """All places are taken. The transfer begins later, without any further question."""

    place: Number


class Have(Message, frozen=True):
    """The bytes of a file that the host has, for its sender."""

    at: Number
    take: Number
    sha256: Sha256  # of these bytes


class Go(Message, frozen=True):
    """The bytes from this offset to the end of the file follow, and then a Sum."""

    at: Number
    take: Number = 0


class Sum(Message, frozen=True):
    """The SHA-256 of the whole file."""

    sha256: Sha256


class Done(Message, frozen=True):
    """The file is on the host's disk, and so is the event that says so."""


FileEvent = FileOffered | FileStored | FileRemoved
FileChange = FileEvent | FilePrivate  # what happens to files: to one for everybody, or to one for one person
FileCommand = FileSend | FileGet | FileRemove | FileList  # the rules of a room decide about these
FileReply = FileTicket | FileRefused | FileEntry | FileEnd
