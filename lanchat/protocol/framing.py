"""Bytes <-> messages: one JSON object a line, at most MAX_LINE bytes a line.

splitter = LineSplitter()
for line in splitter.feed(data):        # raises ProtocolError on an endless line
    message = decode(line, FROM_MEMBER)  # None: a type of a later version, skipped
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from lanchat.errors import ProtocolError
from lanchat.protocol.messages import FromHost, FromMember
from lanchat.protocol.text import safe_text

_BRIEF = 120  # characters of what was wrong with a line
MAX_LINE = 16 * 1024  # bytes; the longest text that clean_text() lets through fits, escaped as JSON escapes it

T = TypeVar("T")

FROM_MEMBER: msgspec.json.Decoder[FromMember] = msgspec.json.Decoder(FromMember)
FROM_HOST: msgspec.json.Decoder[FromHost] = msgspec.json.Decoder(FromHost)

_encoder = msgspec.json.Encoder()


class LineSplitter:
    """Cuts a byte stream into lines. Owned by one reader; holds at most MAX_LINE bytes between calls."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._partial = b""

    @property
    def partial(self) -> bytes:
        """The started line that has no end yet."""
        return self._partial

    def feed(self, data: bytes) -> list[bytes]:
        """The whole lines in what came so far, without their line ends.

        Raises:
            ProtocolError: a line, finished or not, is longer than the limit.
        """
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        if len(self._partial) > self._max_line or any(len(line) > self._max_line for line in lines):
            self._partial = b""
            raise ProtocolError(f"a line is longer than {self._max_line} bytes")
        return lines


def encode(message: FromMember | FromHost) -> bytes:
    """One line, with its end."""
    return _encoder.encode(message) + b"\n"


def decode(line: bytes, decoder: "msgspec.json.Decoder[T]") -> T | None:
    """The message in one line; None for a well-formed message of a type this version does not know.

    Raises:
        ProtocolError: the line is no message.
    """
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as error:
        if _is_unknown_type(line, decoder):
            return None
        raise ProtocolError(f"a message does not fit: {_brief(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"a line is no message: {_brief(error)}") from None


def decode_all(lines: list[bytes], decoder: "msgspec.json.Decoder[T]") -> list[T]:
    """The known messages in these lines, in order."""
    try:
        return [decoder.decode(line) for line in lines]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # now look at each of them
        messages = (decode(line, decoder) for line in lines if line.strip())
        return [message for message in messages if message is not None]


def _brief(error: Exception) -> str:
    """It may quote the peer, and goes to logs and to everybody's screens."""
    return safe_text(str(error))[:_BRIEF]


class _Tagged(msgspec.Struct):
    t: str


_TAGGED = msgspec.json.Decoder(_Tagged)


def _known_tags(union: object) -> frozenset[str]:
    config: Callable[[object], object] = lambda kind: kind.__struct_config__.tag  # type: ignore[attr-defined]  # noqa: E731
    return frozenset(str(config(kind)) for kind in getattr(union, "__args__", ()))


_KNOWN = {id(FROM_MEMBER): _known_tags(FromMember), id(FROM_HOST): _known_tags(FromHost)}


def _is_unknown_type(line: bytes, decoder: "msgspec.json.Decoder[T]") -> bool:
    try:
        return _TAGGED.decode(line).t not in _KNOWN[id(decoder)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
