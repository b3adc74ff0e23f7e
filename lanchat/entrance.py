"""From what a person names (a title, an address) to a room they are in."""

import os
import socket
import time
from collections.abc import Callable, Sequence

from lanchat.discovery.remembered import Place, Places
from lanchat.discovery.sighting import Listing
from lanchat.errors import HostKeyChanged, LanchatError, NoSuchRoom
from lanchat.home import home_folder, kept_nick, login_nick
from lanchat.joined import JoinedRoom
from lanchat.member import Member
from lanchat.memory import DiskMemory
from lanchat.net.dial import Endpoint, dial, peer_of
from lanchat.net.identity import Identity, fingerprint, load_identity
from lanchat.net.interfaces import Address
from lanchat.net.invite import Invite
from lanchat.net.trust import KnownHosts, Standing
from lanchat.protocol.messages import Card
from lanchat.protocol.text import safe_text

PATIENCE = 30.0  # s of trying to come back; a script that waits longer says so
LOOK_AGAIN = 2.0  # s to look for a room that is not where it was
FIND_WAIT = 5.0  # s to look for a title; a busy network answers in about one


def enter(
    endpoints: tuple[Endpoint, ...],
    nick: str,
    *,
    room_id: str | None = None,
    pin: str = "",
    password: str | None = None,
    patience: float | None = PATIENCE,
    on: Sequence[Address] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
) -> JoinedRoom:
    """Join at one of these addresses.

    Args:
        room_id: the room that was chosen; whatever else answers there is left alone.
        pin: the fingerprint that the host's key must have, or the beginning of it.
        on: where to look for the room when it has to be found again.
        on_problem: called, from a thread of our own, with a sentence when what we see cannot be kept.

    Raises:
        LanchatError: nobody there, no lanchat, another key than before, refused, ...
    """
    known_hosts = KnownHosts(home_folder())
    standing: Standing = "new"

    def trust(card: Card, host_key: bytes) -> None:
        nonlocal standing
        if room_id is not None and card.room != room_id:
            raise NoSuchRoom(f'another room answers there now: "{safe_text(card.title)}"', "look again: lanchat rooms")
        key = fingerprint(host_key)
        if not key.startswith(pin):
            raise HostKeyChanged(
                "whoever answers there has not the key of this invite: somebody may pose as its host",
                "ask for a new invite, on a way that you trust",
            )
        standing = known_hosts.check(card.room, key, card.title)
        way.room_id, way.key = card.room, host_key

    way = _Way(endpoints, on)
    member = Member(
        way.dial,
        my_identity(),
        nick,
        trust=trust,
        password=password or os.environ.get("LANCHAT_PASSWORD") or None,
        patience=patience,
        remember=lambda card: DiskMemory(home_folder(), card, on_problem),
    )
    came = member.join()
    Places(home_folder()).add(Place(way.last, came.card.room, int(time.time()), came.card.title))
    others = tuple(endpoint for endpoint in endpoints if endpoint != way.last)
    return JoinedRoom(member, came, standing, Invite((way.last, *others), came.card.room, fingerprint(way.key)))


def enter_invited(
    invite: Invite,
    nick: str,
    *,
    password: str | None = None,
    patience: float | None = PATIENCE,
    on_problem: Callable[[str], None] = lambda problem: None,
) -> JoinedRoom:
    """Join as this invite says: only that room, only on that key."""
    return enter(
        invite.endpoints,
        nick,
        room_id=invite.room_id,
        pin=invite.fingerprint,
        password=password,
        patience=patience,
        on_problem=on_problem,
    )


class _Way:
    """How a member reaches its host: at the address of before, or where the same room is seen now."""

    def __init__(self, endpoints: tuple[Endpoint, ...], on: Sequence[Address] | None) -> None:
        self._endpoints = endpoints
        self._on = on
        self.room_id = ""  # once it is known
        self.key = b""  # the host's, likewise
        self.last = endpoints[0]

    def dial(self) -> socket.socket:
        try:
            sock = dial(self._endpoints)
        except NoSuchRoom:
            found = self._look() if self.room_id else ()
            if not found:
                raise
            sock = dial(found)  # who answers there must have the same key, or it is left alone
        self.last = peer_of(sock) or self.last
        return sock

    def _look(self) -> tuple[Endpoint, ...]:
        from lanchat.lookout import Lookout

        with Lookout(self._on) as lookout:
            deadline = time.monotonic() + LOOK_AGAIN
            listings = lookout.listings()
            while time.monotonic() < deadline:
                for listing in listings:
                    if listing.room_id == self.room_id and listing.state == "answering":
                        return listing.endpoints
                listings = lookout.wait_change(listings, deadline - time.monotonic())
        return ()


def find(title: str, wait: float, on: Sequence[Address] | None) -> Sequence[Listing]:
    """The rooms of this title, at least one.

    Raises:
        NoSuchRoom: none was seen within `wait` seconds.
    """
    from lanchat.lookout import Lookout

    with Lookout(on) as lookout:
        listings = lookout.find(title, wait)
        if listings:
            return _known_first(listings)
        others = ", ".join(f'"{listing.title}"' for listing in lookout.listings())
        problem = "; ".join(lookout.problems())
    raise NoSuchRoom(
        f'no room "{safe_text(title)}" was seen within {wait:g} s' + (f" ({problem})" if problem else ""),
        f"seen here: {others}" if others else "ask the host for the address its screen shows: lanchat join ADDRESS",
    )


def _known_first(listings: Sequence[Listing]) -> Sequence[Listing]:
    """Of rooms with one title, the one we have been in before, where it is one."""
    known_hosts = KnownHosts(home_folder())
    known = [listing for listing in listings if known_hosts.standing(listing.room_id, listing.fingerprint) == "known"]
    return known if len(known) == 1 else listings


def several(listings: Sequence[Listing]) -> LanchatError:
    """What to say to a script that named a title which is not unique."""
    ways = "; ".join(f"{listing.endpoints[0]} hosted by {listing.host}" for listing in listings)
    return LanchatError(
        f'{len(listings)} rooms are called "{listings[0].title}"', f"name the address of the one you mean: {ways}"
    )


def my_identity() -> Identity:
    return load_identity(home_folder())


def default_nick() -> str:
    """LANCHAT_NICK, or the nick chosen earlier, or the login name."""
    return os.environ.get("LANCHAT_NICK") or kept_nick(home_folder()) or login_nick()
