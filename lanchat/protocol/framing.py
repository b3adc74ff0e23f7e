"""Bytes <-> messages: one JSON object a line, at most MAX_LINE bytes a line.

splitter = LineSplitter()
for line in splitter.feed(data):        # raises ProtocolError on an endless line
    message = decode(line, FROM_MEMBER)  # None: a type of a later version, skipped
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Generic, TypeVar

import msgspec

from lanchat.errors import ProtocolError
from lanchat.protocol.drafts import Talk
from lanchat.protocol.fields import Number
from lanchat.protocol.file_messages import Done, Go, Have, Sum, Wait
from lanchat.protocol.messages import FromHost, FromMember, Refused
from lanchat.protocol.text import in_brief

MAX_LINE = 16 * 1024  # bytes; the longest text that clean_text() lets through fits, escaped as JSON escapes it

MAX_NESTING = 16  # levels of objects and arrays; without this, the limit would depend on the version of Python

TransferLine = Wait | Have | Go | Sum | Done | Refused  # after the first line of a transfer link, in both directions

T = TypeVar("T")

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?')
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How to read one direction of the wire."""

    decoder: msgspec.json.Decoder[T]
    tags: frozenset[str]  # of the types that this version knows


class _Tagged(msgspec.Struct):
    t: str


class _AnyHello(msgspec.Struct, tag_field="t", tag="hello"):
    """What a hello has in every version."""

    v: Number


_TAGGED = msgspec.json.Decoder(_Tagged)
_ANY_HELLO = msgspec.json.Decoder(_AnyHello)


class LineSplitter:
    """Cuts a byte stream into lines. Owned by one reader; holds at most MAX_LINE bytes between calls."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._partial = b""

    @property
    def partial(self) -> bytes:
        """The line that has begun and has no end yet."""
        return self._partial

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes. Returns the lines that are complete now, without their line ends.

        Raises:
            ProtocolError: a line, finished or not, is longer than the limit.
        """
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        if len(self._partial) > self._max_line or max(map(len, lines), default=0) > self._max_line:
            self._partial = b""
            raise ProtocolError(f"A line is longer than {self._max_line} bytes.")
        return lines


def encode(message: FromMember | FromHost | Talk | TransferLine) -> bytes:
    """The message as one line, with its end."""
    return _encoder.encode_lines([message])  # msgspec 0.22 loses 48 bytes of memory for each tuple, and none for a list


def encode_lines(messages: Sequence[FromMember | FromHost]) -> bytes:
    """Each message as one line, with its end."""
    return _encoder.encode_lines([*messages])


def decode(line: bytes, codec: Codec[T]) -> T | None:
    """The message in one line; None for a well-formed message of a type that this version does not know.

    Raises:
        ProtocolError: the line is not a message.
    """
    _check_nesting(line)
    try:
        return codec.decoder.decode(line)
    except msgspec.ValidationError as error:
        if _is_unknown_type(line, codec):
            return None
        raise ProtocolError(f"A message is malformed: {in_brief(error)}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"A line is not a message: {in_brief(error)}.") from None


def message_of(kind: type[T], fields: Mapping[str, object]) -> T | None:
    """Make a message of values that did not come over the wire. None: they break its rules."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        return None


def decode_all(lines: Sequence[bytes], codec: Codec[T]) -> list[T]:
    """The known messages in these lines, in order.

    Raises:
        ProtocolError: one of them is not a message.
    """
    if _may_be_nested(lines):
        for line in lines:
            _check_nesting(line)
    decode_one = codec.decoder.decode
    try:
        return [decode_one(line) for line in lines]
    except (msgspec.MsgspecError, UnicodeDecodeError):  # one of them is not a known message: look at each
        messages = (decode(line, codec) for line in lines if line.strip())
        return [message for message in messages if message is not None]


def version_of(lines: Sequence[bytes]) -> int | None:
    """The version of a member whose first lines cannot be read, if they begin with a hello."""
    first = next((line for line in lines if line.strip()), b"")
    try:
        return _ANY_HELLO.decode(first).v
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _may_be_nested(lines: Sequence[bytes]) -> bool:
    """Whether one of these lines may be nested too deep. Counting in all of them at once takes a tenth of the time."""
    together = b"\n" + b"\n".join(lines)
    if b"[" not in together and not any(map(bytes.rfind, lines, repeat(b"{"))):
        return False  # nearly always, and known in half of the time: no line has one anywhere but at its start
    if together.count(b"\n{") < len(lines):
        return True
    return together.count(b"{") + together.count(b"[") >= len(lines) + MAX_NESTING  # each line opens one at least


def _check_nesting(line: bytes) -> None:
    if line.count(b"{") + line.count(b"[") <= MAX_NESTING:
        return
    depth = 0
    for char in chain.from_iterable(_outside_strings(line)):
        if char in b"{[":
            depth += 1
            if depth > MAX_NESTING:
                raise ProtocolError(f"A line is not a message: it is nested more than {MAX_NESTING} deep.")
        elif char in b"}]":
            depth -= 1


def _outside_strings(line: bytes) -> Iterator[bytes]:
    """The parts of a line between its strings, one by one: of a line that soon is too deep, no more than that."""
    at = 0
    for string in _STRING.finditer(line):
        yield line[at : string.start()]
        at = string.end()
    yield line[at:]


def _is_unknown_type(line: bytes, codec: Codec[T]) -> bool:
    try:
        return _TAGGED.decode(line).t not in codec.tags
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _tags(union: object) -> frozenset[str]:
    return frozenset(str(kind.__struct_config__.tag) for kind in getattr(union, "__args__", ()))


FROM_MEMBER: Codec[FromMember] = Codec(msgspec.json.Decoder(FromMember), _tags(FromMember))
FROM_HOST: Codec[FromHost] = Codec(msgspec.json.Decoder(FromHost), _tags(FromHost))
OUTBOX: Codec[Talk] = Codec(msgspec.json.Decoder(Talk), _tags(Talk))  # lines of a file
TRANSFER: Codec[TransferLine] = Codec(msgspec.json.Decoder(TransferLine), _tags(TransferLine))
