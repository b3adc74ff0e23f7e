"""From what a person names (a title, an address) to a room they are in."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.api.room import JoinedRoom
from lanchat.client.member import Member
from lanchat.discovery.sighting import Listing
from lanchat.errors import HostKeyChanged, LanchatError, NoSuchRoom
from lanchat.network.connect import STOP_WITHIN, dial, has_machine, peer_of
from lanchat.network.identity import Identity, load_identity
from lanchat.protocol.address import Address, Endpoint, is_address, parse_endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import Invite, is_invite, parse_invite
from lanchat.protocol.messages import Card
from lanchat.protocol.text import safe_text
from lanchat.storage.home import home_folder, kept_nick, login_nick
from lanchat.storage.known_hosts import KeyStatus, KnownHosts
from lanchat.storage.member_store import DiskStore, MemberStore, NoStore
from lanchat.storage.recent import RecentRoom, RecentRooms

PATIENCE = 30.0  # s of trying to come back; a script that waits longer says so
LOOK_AGAIN = 2.0  # s to look for a room that is not where it was
FIND_WAIT = 5.0  # s to look for a title; a busy network answers in about one
NAME_WAIT = 2.0  # s to look for a title that reads like the name of a machine, before that machine is asked for


@dataclass(frozen=True)
class Target:
    """What a name stands for: where to knock, and what must answer there; see `enter`."""

    endpoints: tuple[Endpoint, ...]
    room_id: str | None = None
    pin: str = ""
    locked: bool = False  # it asks for a password, as far as that is known


def resolve(
    name: str,
    wait: float,
    on: Sequence[Address] | None,
    *,
    choose: Callable[[Sequence[Listing]], Listing] | None = None,
    looking: Callable[[], None] = lambda: None,
) -> Target:
    """What somebody means who wants to join this: a title, an address or an invite.

    A name alone ("node.js", "annas-mac.local") is first of all a title; nobody else hears of it where it is one.

    Args:
        wait: s to look for a title.
        on: where to look.
        choose: which one of several rooms of that title; without it, several are an error.
        looking: called before we look.

    Raises:
        ValueError: an invite that is not whole; the words are for a person.
        NoSuchRoom: there is no such room.
        LanchatError: there are several.
    """
    if is_invite(name):
        invite = parse_invite(name)
        return Target(invite.endpoints, invite.room_id, invite.fingerprint)
    endpoint = parse_endpoint(name)
    if endpoint is not None and is_address(name):
        return Target((endpoint,))
    looking()
    listings = _find(name, wait, on, endpoint)
    if not listings and endpoint is not None:
        return Target((endpoint,))
    if len(listings) == 1:
        return target_of(listings[0])
    if choose is None:
        raise _several(listings)
    return target_of(choose(listings))


def target_of(listing: Listing) -> Target:
    """This room of the list, and no other."""
    return Target(listing.endpoints, listing.room_id, locked=listing.locked)


def join_target(
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
    key_status: KeyStatus = "new"

    def trust(card: Card, host_key: bytes) -> None:
        nonlocal key_status
        if room_id is not None and card.room != room_id:
            raise NoSuchRoom(f'another room answers there now: "{safe_text(card.title)}"', "look again: lanchat rooms")
        key = fingerprint(host_key)
        if not key.startswith(pin):
            raise HostKeyChanged(
                "whoever answers there has not the key of this invite: somebody may pose as its host",
                "ask for a new invite, on a way that you trust",
            )
        key_status = known_hosts.check(card.room, key, card.title)
        way.room_id, way.key = card.room, host_key

    def keep(card: Card) -> MemberStore:
        known_hosts.remember(card.room, fingerprint(way.key), card.title)  # not before: it has shown the password too
        return NoStore() if card.ephemeral else DiskStore(home_folder(), card, on_problem)

    way = _Way(endpoints, on)
    member = Member(
        way.dial,
        my_identity(),
        nick,
        trust=trust,
        password=password or os.environ.get("LANCHAT_PASSWORD") or None,
        patience=patience,
        remember=keep,
        stop=way.stop,
    )
    connected = member.join()
    RecentRooms(home_folder()).add(RecentRoom(way.last, connected.card.room, int(time.time()), connected.card.title))
    others = tuple(endpoint for endpoint in endpoints if endpoint != way.last)
    return JoinedRoom(
        member, connected, key_status, Invite((way.last, *others), connected.card.room, fingerprint(way.key))
    )


class _Way:
    """How a member reaches its host: at the address of before, or where the same room is seen now.

    `dial` is called by one thread at a time, `stop` by any.
    """

    def __init__(self, endpoints: tuple[Endpoint, ...], on: Sequence[Address] | None) -> None:
        self._endpoints = endpoints
        self._on = on
        self._stopped = threading.Event()
        self.room_id = ""  # once it is known
        self.key = b""  # the host's, likewise
        self.last = endpoints[0]

    def dial(self) -> socket.socket:
        try:
            sock = dial(self._endpoints, self._stopped.is_set)
        except NoSuchRoom:
            found = self._look() if self.room_id else ()
            if not found:
                raise
            sock = dial(found, self._stopped.is_set)  # who answers must have the same key, or it is left alone
        self.last = peer_of(sock) or self.last
        return sock

    def stop(self) -> None:
        """Nobody waits for a connection any more: a `dial` under way ends soon, without one."""
        self._stopped.set()

    def _look(self) -> tuple[Endpoint, ...]:
        from lanchat.discovery.finder import Finder

        with Finder(self._on) as finder:
            deadline = time.monotonic() + LOOK_AGAIN
            listings = finder.listings()
            while not self._stopped.is_set() and (left := deadline - time.monotonic()) > 0:
                for listing in listings:
                    if listing.room_id == self.room_id and listing.state == "answering":
                        return listing.endpoints
                listings = finder.wait_change(listings, min(left, STOP_WITHIN))
        return ()


def _find(title: str, wait: float, on: Sequence[Address] | None, endpoint: Endpoint | None) -> Sequence[Listing]:
    """The rooms of this title; none only where it is the name of a machine, too.

    Args:
        endpoint: what it is as an address.

    Raises:
        NoSuchRoom: none was seen within `wait` seconds.
    """
    from lanchat.discovery.finder import Finder

    began = time.monotonic()
    with Finder(on) as finder:
        listings = finder.find(title, wait if endpoint is None else min(wait, NAME_WAIT))
        if not listings and endpoint is not None:
            if has_machine(endpoint):
                return ()
            listings = finder.find(title, wait - (time.monotonic() - began))
        if listings:
            return _known_first(listings)
        others = ", ".join(f'"{listing.title}"' for listing in finder.listings())
        problems = " ".join(finder.problems())
    machine = ", and no machine is called so" if endpoint is not None else ""
    raise NoSuchRoom(
        f'no room "{safe_text(title)}" was seen within {wait:g} s{machine}' + (f". {problems}" if problems else ""),
        f"seen here: {others}" if others else "ask the host for the address its screen shows: lanchat join ADDRESS",
    )


def _known_first(listings: Sequence[Listing]) -> Sequence[Listing]:
    """Of rooms with one title, the one we have been in before, where it is one."""
    known_hosts = KnownHosts(home_folder())
    known = [listing for listing in listings if known_hosts.key_status(listing.room_id, listing.fingerprint) == "known"]
    return known if len(known) == 1 else listings


def _several(listings: Sequence[Listing]) -> LanchatError:
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
