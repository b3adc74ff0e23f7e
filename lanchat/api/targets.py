"""Resolves the name of a room, which is a title, an address or an invite, to the addresses where it may be."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.discovery.sighting import Listing
from lanchat.errors import LanchatError, NoSuchRoom
from lanchat.network.connect import has_machine
from lanchat.network.interfaces import where
from lanchat.protocol.address import Address, Endpoint, is_address, parse_endpoint
from lanchat.protocol.invite import is_invite, parse_invite
from lanchat.protocol.text import safe_text
from lanchat.storage.home import home_folder
from lanchat.storage.known_hosts import KnownHosts

FIND_WAIT = 5.0  # s to look for a title; a busy network answers in about one
NAME_WAIT = 2.0  # s to look for a title that may also be the name of a machine, before the DNS is asked for it


@dataclass(frozen=True)
class Target:
    """The addresses to connect to, and the room and the key that must answer there.

    Args:
        endpoints: the likely fastest first.
        room_id: the room that was chosen; None: any room will do.
        pin: the fingerprint that the host's key must have, or the beginning of it.
        locked: whether the room has a password, as far as that is known.
    """

    endpoints: tuple[Endpoint, ...]
    room_id: str | None = None
    pin: str = ""
    locked: bool = False


def resolve(
    name: str,
    wait: float,
    on: Sequence[Address] | None,
    *,
    choose: Callable[[Sequence[Listing]], Listing] | None = None,
    looking: Callable[[], None] = lambda: None,
) -> Target:
    """Find out what a name means: a title, an address or an invite.

    A name without a port ("node.js", "annas-mac.local") is first looked for as a title. The DNS is asked only if no
    room has it.

    Args:
        wait: s to look for a title.
        on: the addresses on which to look; None for everywhere.
        choose: picks one of several rooms with that title; without it, several are an error.
        looking: called before the search begins.

    Raises:
        ValueError: the invite is incomplete; the text is for a person.
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
    """The target for exactly this room of a list."""
    return Target(listing.endpoints, listing.room_id, locked=listing.locked)


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds."""
    from lanchat.discovery.finder import Finder

    with Finder(where(interfaces)) as finder:
        time.sleep(wait)
        return list(finder.listings())


def _find(title: str, wait: float, on: Sequence[Address] | None, endpoint: Endpoint | None) -> Sequence[Listing]:
    """The rooms with this title. There are none only if a machine has the name.

    Args:
        endpoint: the title read as an address; None: it cannot be one.

    Raises:
        NoSuchRoom: neither a room nor a machine with this name was found within `wait` seconds.
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
        problem = " ".join(finder.problems())
    machine = " and no machine" if endpoint is not None else ""
    raise NoSuchRoom(
        f'No room{machine} called "{safe_text(title)}" on this network (looked for {wait:g} s).'
        + (f" {problem}" if problem else ""),
        f"Open here: {others}"
        if others
        else "Ask the host for the address that is on their screen: lanchat join ADDRESS",
    )


def _known_first(listings: Sequence[Listing]) -> Sequence[Listing]:
    """Of rooms with the same title, the one that this person has been in before, if there is exactly one."""
    known_hosts = KnownHosts(home_folder())
    known = [listing for listing in listings if known_hosts.key_status(listing.room_id, listing.fingerprint) == "known"]
    return known if len(known) == 1 else listings


def _several(listings: Sequence[Listing]) -> LanchatError:
    """The error for a title that several rooms have."""
    ways = "; ".join(f"{listing.endpoints[0]} hosted by {listing.host}" for listing in listings)
    return LanchatError(
        f'{len(listings)} rooms are called "{listings[0].title}".', f"Give the address of the one you mean: {ways}"
    )
