"""The types of the fields of messages, and the base class of all messages."""

from typing import Annotated

from msgspec import Meta, Struct

from lanchat.protocol.text import MAX_TEXT

MAX_NAME = 256  # characters
MAX_CODE = 64  # characters of an id or a code
NONCE_SIZE = 32  # bytes; each side's part of what makes a proof fit one link only
MAX_NUMBER = 2**53 - 1  # the largest that every JSON reader can hold (RFC 8259, section 6)


Number = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Last = Annotated[int, Meta(ge=-1, le=MAX_NUMBER)]  # a seq; -1: none
Short = Annotated[str, Meta(max_length=MAX_CODE)]  # ids, codes
Id = Annotated[str, Meta(min_length=1, max_length=MAX_CODE)]  # of a message, the sender's own
Name = Annotated[str, Meta(max_length=MAX_NAME)]  # nicks and titles; their rules are in nicks.py and text.py
Text = Annotated[str, Meta(max_length=MAX_TEXT)]  # characters; the room checks bytes
Typed = Annotated[str, Meta(max_length=16 * 1024)]  # as long as a line; the room tells who breaks a narrower rule
HexId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]  # of a room or a file; it goes into paths as it is
Bytes32 = Annotated[bytes, Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]
Key = Annotated[bytes, Meta(max_length=32)]  # an Ed25519 public key, raw; empty where there is none
Box = Annotated[bytes, Meta(max_length=4608)]  # a sealed private message (sealed.py); 6 KiB in base64
Blob = Annotated[bytes, Meta(max_length=128)]


class Message(Struct, frozen=True, tag_field="t", tag=str.lower, gc=False, omit_defaults=True):
    """Holds only scalars, so the garbage collector need not look at it (gc=False)."""


class Entry(Message, frozen=True):
    """An event: an entry of the room's log, the same for everyone."""

    seq: Number
    at: Number  # ms since 1970, the host's clock; for display only
    by: Short  # member id
    nick: Name
