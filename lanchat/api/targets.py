"""From what a person names (a title, an address, an invite) to where a room is."""

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
NAME_WAIT = 2.0  # s to look for a title that reads like the name of a machine, before that machine is asked for


@dataclass(frozen=True)
class Target:
    """Where to connect, and what must answer there.

    Args:
        endpoints: the likely fastest first.
        room_id: the room that was chosen; None: whatever room answers.
        pin: the fingerprint that the host's key must have, or the beginning of it.
        locked: whether it asks for a password, as far as that is known.
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

    A name without a port ("node.js", "annas-mac.local") is looked for as a title first, and asked of the DNS only where
    it is none.

    Args:
        wait: s to look for a title.
        on: where to look.
        choose: picks one of several rooms of that title; without it, several are an error.
        looking: called before the search begins.

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
    """Exactly this room of the list."""
    return Target(listing.endpoints, listing.room_id, locked=listing.locked)


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds."""
    from lanchat.discovery.finder import Finder

    with Finder(where(interfaces)) as finder:
        time.sleep(wait)
        return list(finder.listings())


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
    """Of rooms with one title, the one we have been in before, where it is one."""
    known_hosts = KnownHosts(home_folder())
    known = [listing for listing in listings if known_hosts.key_status(listing.room_id, listing.fingerprint) == "known"]
    return known if len(known) == 1 else listings


def _several(listings: Sequence[Listing]) -> LanchatError:
    """What to say to a script that named a title which is not unique."""
    ways = "; ".join(f"{listing.endpoints[0]} hosted by {listing.host}" for listing in listings)
    return LanchatError(
        f'{len(listings)} rooms are called "{listings[0].title}".', f"Give the address of the one you mean: {ways}"
    )
