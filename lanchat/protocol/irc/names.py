"""The names that a room and its people have on IRC. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lanchat.protocol.ids import is_verified
from lanchat.protocol.irc.line import cut, lowered, without_formatting
from lanchat.protocol.text import safe_text

MAX_CHANNEL = 50  # bytes with the "#" (RFC 2812, section 1.3)
ACCOUNT = 16  # hex digits of a member id that stand for an account
_HOST = 12  # hex digits of a member id in a host name
MAX_USER = 10  # characters of a user name (ergo's number)
MAX_REAL_NAME = 128  # bytes
_NOT_IN_USERS = re.compile("[^A-Za-z0-9._-]+")
_NOT_IN_CHANNELS = re.compile(r"[\s\x00-\x20\x7f-\xa0,*?]+")


class Person(Protocol):
    """Somebody in a room."""

    @property
    def id(self) -> str: ...
    @property
    def nick(self) -> str: ...
    @property
    def host(self) -> bool: ...
    @property
    def away(self) -> str: ...
    @property
    def bot(self) -> bool: ...


@dataclass(frozen=True)
class Profile:
    """What an IRC client says of its person. Nobody has checked it.

    Args:
        user: the user name.
        real: the real name.
        bot: whether the client says that it is a program.
    """

    user: str = "u"
    real: str = ""
    bot: bool = False


@dataclass(frozen=True)
class Names:
    """The names of one room.

    Args:
        profiles: those of the IRC clients, by their member ids. The hub thread changes them.
        channel: with its "#".
        server: the name of the host as a server; no nick can stand for it, because a nick's source has a "!".
        opened: s since 1970, when the door was opened.
    """

    room: str
    title: str
    channel: str
    server: str
    opened: int = 0
    profiles: Mapping[str, Profile] = field(default_factory=dict, compare=False)

    def is_channel(self, name: str) -> bool:
        """Whether somebody who types this means the room's channel."""
        return name == self.channel or lowered(name) == lowered(self.channel)

    def msgid(self, seq: int) -> str:
        """The id of the event with this seq, unique for ever, because no seq is given twice."""
        return f"{self.room[:8]}-{seq}"

    def user_host(self, id: str) -> str:
        """As `user_host`, with the user name of an IRC client."""
        profile = self.profiles.get(id)
        return user_host(id) if profile is None else f"~{profile.user}@{id[1:9]}.lan"

    def source(self, id: str, nick: str) -> str:
        """What stands before the lines of this person."""
        return f"{nick}!{self.user_host(id)}"

    def real_name(self, id: str) -> str:
        """The real name of an IRC client; of all others, what is known of them."""
        profile = self.profiles.get(id)
        return real_name(id) if profile is None or not profile.real else profile.real


def profile_of(user: str, real: str) -> Profile:
    """The profile of a client that gives these names, which may be anything."""
    return Profile(_NOT_IN_USERS.sub("", user)[:MAX_USER] or "u", clean_real_name(real))


def clean_real_name(text: str) -> str:
    return cut(safe_text(without_formatting(text)).strip(), MAX_REAL_NAME).decode()


def names_of(room: str, title: str, opened: int = 0) -> Names:
    return Names(room, title, channel_of(title), f"{room[:8]}.lanchat", opened)


def channel_of(title: str) -> str:
    """The channel of a room with this title: "Room A" is #room-a."""
    name = _NOT_IN_CHANNELS.sub("-", unicodedata.normalize("NFC", title).lower())
    return "#" + cut(name, MAX_CHANNEL - 1).decode()


def user_host(id: str) -> str:
    """The user name and host of this member id. IRC marks a name that nobody has checked with a tilde."""
    return f"u@{id[:_HOST]}.lan" if is_verified(id) else f"~u@{id[1:9]}.lan"


def source_of(id: str, nick: str) -> str:
    return f"{nick}!{user_host(id)}"


def account_of(id: str) -> str:
    """The account of this member id: the beginning of the key's fingerprint; "*": no key was proven."""
    return id[:ACCOUNT] if is_verified(id) else "*"


def real_name(id: str) -> str:
    return f"key {id[:ACCOUNT]}" if is_verified(id) else "a guest without a key"


def prefixes(person: Person, *, multi: bool = False) -> str:
    """The marks before a nick: "@" hosts the room, "+" has proven a key."""
    marks = ("@" if person.host else "") + ("+" if is_verified(person.id) else "")
    return marks if multi else marks[:1]
