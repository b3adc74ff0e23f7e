"""The lines of `--json`, version 1: what a program reads about a room. Pure.

Each kind of line is a struct of its own, so that a change of the wire cannot change it unseen. New fields and new kinds
may come; nothing else changes without a version 2. `lanchat help json` tells users of it.
"""

import json

import msgspec

VERSION = 1


class Line(msgspec.Struct, frozen=True, tag_field="event", tag=str.lower):
    """One object of the output."""


class Someone(msgspec.Struct, frozen=True):
    id: str
    nick: str
    host: bool
    verified: bool
    web: bool
    bot: bool
    away: str


class _Place(Line, frozen=True):
    room: str
    title: str
    me: str
    nick: str
    host: str
    fingerprint: str
    key_status: str
    password: bool
    ephemeral: bool
    seq: int
    topic: str
    people: list[Someone]
    crowd: int


class Came(_Place, frozen=True, tag="came"):
    v: int


class Back(_Place, frozen=True, tag="back"):
    pass


class Lost(Line, frozen=True):
    reason: str


class _Entry(Line, frozen=True):
    seq: int
    at: int
    by: str
    nick: str
    history: bool


class Said(_Entry, frozen=True, tag="said"):
    id: str
    text: str
    action: bool
    late: bool
    verified: bool
    bot: bool
    mention: bool
    mine: bool


class Joined(_Entry, frozen=True, tag="joined"):
    host: bool
    verified: bool
    web: bool
    bot: bool


class Left(_Entry, frozen=True, tag="left"):
    code: str
    reason: str


class Renamed(_Entry, frozen=True, tag="renamed"):
    to: str


class Moved(_Entry, frozen=True, tag="moved"):
    epoch: int
    before: str
    reason: str


class Topic(_Entry, frozen=True, tag="topic"):
    topic: str


class FileOffered(_Entry, frozen=True, tag="file_offered"):
    id: str
    file: str
    name: str
    size: int


class FileStored(_Entry, frozen=True, tag="file_stored"):
    file: str
    sha256: str


class FileRemoved(_Entry, frozen=True, tag="file_removed"):
    file: str
    reason: str


class Told(Line, frozen=True):
    id: str
    at: int
    by: str
    nick: str
    to: str
    to_nick: str
    text: str
    problem: str
    verified: bool
    bot: bool
    mine: bool
    waited: bool


class FilePrivate(Line, frozen=True, tag="file_private"):
    id: str
    file: str
    at: int
    by: str
    nick: str
    to: str
    to_nick: str
    state: str
    name: str
    size: int
    reason: str
    problem: str
    mine: bool


class Kept(Line, frozen=True):
    id: str
    seq: int | None
    receipt: str | None


class Refused(Line, frozen=True):
    id: str | None
    line: int | None
    text: str


class Status(Line, frozen=True):
    by: str
    nick: str
    away: str
    bot: bool


class Crowd(Line, frozen=True):
    people: int


class Notice(Line, frozen=True):
    code: str
    text: str


class Answer(Line, frozen=True):
    text: str
    by: str
    nick: str
    private: bool


class Ended(Line, frozen=True):
    code: int
    reason: str


_ENCODER = msgspec.json.Encoder()


def written(line: Line) -> str:
    """A line as it is printed, in pure ASCII: harmless on a terminal, whatever is in it."""
    try:
        text = _ENCODER.encode(line).decode("ascii")
    except UnicodeError:  # not ASCII, or half of a pair
        text = "\x7f"
    if "\x7f" in text:  # the only control character that the encoder leaves as it is
        text = json.dumps(msgspec.to_builtins(line), separators=(",", ":"))
    return text + "\n"
