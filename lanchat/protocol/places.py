"""The two lists that a room which moves sends as JSON: where it may be found, and its rules. Pure."""

from collections.abc import Iterable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from lanchat.errors import ProtocolError
from lanchat.protocol.address import Endpoint, parse_endpoint
from lanchat.protocol.delegation import MAX_STANDBYS
from lanchat.protocol.fields import Bytes32, Name, Number, Port, Short
from lanchat.protocol.timeline import MAX_INDEX

MAX_ADDRESSES = 4  # of one computer

T = TypeVar("T")


class Place(Struct, frozen=True, omit_defaults=True):
    """The addresses of a computer that may host the room."""

    index: Annotated[int, Meta(ge=0, le=MAX_INDEX)]  # 0: the owner; see delegation.py
    key: Bytes32  # Ed25519, raw
    nick: Name  # as its person is called in the room
    at: tuple[Name, ...] = ()  # the addresses of its port, the likely fastest first; none: nobody knows
    web: tuple[Name, ...] = ()  # what a browser may call its page, as "HOST:PORT", likewise; none: it has no page

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The addresses that can be dialled."""
        found = map(parse_endpoint, self.at[:MAX_ADDRESSES])
        return tuple(endpoint for endpoint in found if endpoint is not None)

    def with_page(self, web: Iterable[str]) -> "Place":
        return structs.replace(self, web=tuple(web))

    def with_index(self, index: int) -> "Place":
        return structs.replace(self, index=index)

    @property
    def origins(self) -> tuple[str, ...]:
        """The web origins of its page."""
        return tuple(f"{scheme}://{host.lower()}" for host in self.web for scheme in ("http", "https"))


class Rules(Struct, frozen=True, omit_defaults=True):
    """The access rules of a room, and its settings."""

    bans: dict[Short, Name] = {}  # nick by banned member id
    locked: bool = False  # nobody new is admitted
    keep: Short = ""  # the retention of the log, as `parse_retention` reads it
    title: Name = ""
    hidden: bool = False  # nobody announces the room: others join by its address
    files: Number = 0  # bytes of the files that the room takes in all; 0: it takes none
    web: bool = False  # it has a page for browsers
    ticket: Short = ""  # of the guest link to that page, as it stands there
    ticket_until: Number = 0  # s since 1970
    people: Number = 0  # whom it holds; 0: as many as every room
    plain: Port = 0  # of the door for netcat; 0: there is none
    irc: Port = 0  # of the doors for IRC clients
    irc_tls: Port = 0
    irc_password: bool = False  # that these are asked for a password, which only the owner's computer knows

    def admitting(self, bans: dict[str, str], locked: bool) -> "Rules":
        """The same settings with other access rules."""
        return structs.replace(self, bans=bans, locked=locked)

    def called(self, title: str) -> "Rules":
        return structs.replace(self, title=title)

    def with_page(self, web: bool, ticket: str, until: int) -> "Rules":
        return structs.replace(self, web=web, ticket=ticket, ticket_until=until)

    def with_settings(self, *, keep: str, files: int, people: int, hidden: bool, web: bool) -> "Rules":
        return structs.replace(self, keep=keep, files=files, people=people, hidden=hidden, web=web)

    def with_guests(self, plain: int, irc: int, irc_tls: int, irc_password: bool) -> "Rules":
        return structs.replace(self, plain=plain, irc=irc, irc_tls=irc_tls, irc_password=irc_password)


_PLACES = msgspec.json.Decoder(tuple[Place, ...])
_RULES = msgspec.json.Decoder(Rules)


def write_places(places: Iterable[Place]) -> str:
    return msgspec.json.encode(tuple(places)).decode()


def read_places(text: str) -> tuple[Place, ...]:
    """Read what `write_places` has written.

    Raises:
        ProtocolError: this is no list of places.
    """
    places = _read(text, _PLACES, "The list of where the room may be cannot be read.")
    if len(places) > MAX_STANDBYS + 1 or len({place.index for place in places}) != len(places):
        raise ProtocolError("The list of where the room may be is too long, or names one index twice.")
    return places


def write_rules(rules: Rules) -> str:
    return msgspec.json.encode(rules).decode()


def read_rules(text: str) -> Rules:
    """Read what `write_rules` has written.

    Raises:
        ProtocolError: these are no rules.
    """
    return _read(text, _RULES, "The rules of the room cannot be read.")


def _read(text: str, decoder: "msgspec.json.Decoder[T]", words: str) -> T:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ProtocolError(words) from None
