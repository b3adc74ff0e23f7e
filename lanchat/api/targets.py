"""Resolves the name of a room, which is a title, an address or an invite, to the addresses where it may be."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanchat.discovery.sighting import Listing, shown_title
from lanchat.errors import LanchatError, NoSuchRoom
from lanchat.network.addresses import OwnAddresses, where
from lanchat.network.connect import has_machine
from lanchat.protocol.address import Endpoint, is_address, parse_endpoint, wrong_port
from lanchat.protocol.invite import is_invite, parse_invite
from lanchat.protocol.text import last_argument, safe_text
from lanchat.storage.home import home_folder
from lanchat.storage.known_hosts import KeyStatus, KnownHosts

FIND_WAIT = 5.0  # s to look for a title; a busy network answers in about one
ALIKE = 3  # titles that are proposed, at most
SHOWN_TITLES = 8  # of the rooms that are open, where none is alike
NAME_WAIT = 2.0  # s to look for a title that may also be the name of a machine, before the DNS is asked for it

# Asks a person which of several rooms with one title is meant. The flag says that a known room with it is away.
Choose = Callable[[Sequence[Listing], bool], Listing]


@dataclass(frozen=True)
class Target:
    """The addresses to connect to, and the room and the key that must answer there.

    Args:
        endpoints: the likely fastest first.
        room_id: the room that was chosen; None: any room will do.
        pin: the fingerprint that the host's key must have, or the beginning of it.
        password: whether the room has a password, as far as that is known.
        listed: whether discovery found it, so that anybody may have put it there; else a person named it exactly.
    """

    endpoints: tuple[Endpoint, ...]
    room_id: str | None = None
    pin: str = ""
    password: bool = False
    listed: bool = False

    @property
    def invited(self) -> bool:
        """Whether an invite names the key."""
        return bool(self.pin) and not self.listed


def resolve(
    name: str,
    wait: float,
    on: OwnAddresses,
    *,
    choose: Choose | None = None,
    new_host: bool = False,
    looking: Callable[[], None] = lambda: None,
) -> Target:
    """Find out what a name means: a title, an address or an invite.

    A name without a port ("node.js", "annas-mac.local") is first looked for as a title. The DNS is asked only if no
    room has it. A title is no identity: a known room with this title is preferred to all others, and while it is away,
    neither another room nor a machine is taken in its place unless a person says so.

    Args:
        wait: s to look for a title.
        on: our own addresses on which to look.
        choose: asks a person which room with that title is meant; without it, what would be asked is an error.
        new_host: accept a room that is not known, even if another one with this title is.
        looking: called before the search begins.

    Raises:
        ValueError: the invite is incomplete, or the port is invalid; the text is for a person.
        NoSuchRoom: there is no such room, or only another one than the room that is known by this title.
        LanchatError: there are several.
    """
    if (target := place_named(name)) is not None:
        return target
    endpoint = parse_endpoint(name)
    known_hosts = KnownHosts(home_folder())
    if not new_host and known_hosts.knows_title(shown_title(name)):
        endpoint = None  # the name is that of a room, and no machine is taken in its place
    looking()
    listings = find_title(name, wait, on, endpoint)
    if not listings and endpoint is not None:
        return Target((endpoint,))
    rooms, away = _candidates(listings, known_hosts)
    away = away and not new_host
    if len(rooms) == 1 and not away:
        return target_of(rooms[0])
    if choose is None:
        raise _away(rooms[0]) if away else _several(rooms)
    return target_of(choose(rooms, away))


def place_named(name: str) -> Target | None:
    """The target that an invite or an address gives without a search; None: it may be a title.

    Raises:
        ValueError: as `resolve`.
    """
    if is_invite(name):
        invite = parse_invite(name)
        return Target(invite.endpoints, invite.room_id, invite.fingerprint)
    if wrong := wrong_port(name):
        raise ValueError(f"{safe_text(wrong)} is not a port (1 to 65535).")
    endpoint = parse_endpoint(name)
    return Target((endpoint,)) if endpoint is not None and is_address(name) else None


def target_of(listing: Listing) -> Target:
    """The target for exactly this room of a list, with the key that the list shows; a silent room has only a hint."""
    pin = "" if listing.people is None else listing.fingerprint
    return Target(listing.endpoints, listing.room_id, pin, listing.password, listed=True)


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds. Takes that long.

    Args:
        interfaces: names or addresses on which to look; by default LANCHAT_INTERFACE, or all.

    Raises:
        LanchatError: there is no such interface, or the home folder cannot be used.
    """
    from lanchat.discovery.finder import Finder

    with Finder(where(interfaces)) as finder:
        time.sleep(wait)
        return list(finder.listings())


def find_title(title: str, wait: float, on: OwnAddresses, endpoint: Endpoint | None = None) -> Sequence[Listing]:
    """The rooms with this title. There are none only if a machine has the name.

    Args:
        endpoint: the title read as an address; None: it cannot be one.

    Raises:
        NoSuchRoom: neither a room nor a machine with this name was found within `wait` seconds.
    """
    from lanchat.discovery.finder import Finder

    began = time.monotonic()
    with Finder(on, wanted=title) as finder:
        listings = finder.find(title, wait if endpoint is None else min(wait, NAME_WAIT))
        if not listings and endpoint is not None:
            if has_machine(endpoint):
                return ()
            listings = finder.find(title, wait - (time.monotonic() - began))
        if listings:
            return listings
        open_here = sorted({listing.title for listing in finder.listings()}, key=str.casefold)
        problem = " ".join(finder.problems())
    machine = " and no machine" if endpoint is not None else ""
    raise NoSuchRoom(
        f'No room{machine} called "{safe_text(title)}" on this network (looked for {_seconds(wait)}).'
        + (f" {problem}" if problem else ""),
        instead(title, open_here),
    )


def _seconds(wait: float) -> str:
    """A waiting time as people read it: a script's timeout may have left next to nothing of it."""
    return f"{round(wait, 1):g} s" if wait >= 0.1 else "less than 0.1 s"


def instead(title: str, open_here: Sequence[str]) -> str:
    """What to do where no room has this title.

    Args:
        open_here: the titles of the rooms that are open on this network.
    """
    if not open_here:
        return "Ask the host for the address that is on their screen: lanchat join ADDRESS"
    if near := meant(title, open_here):
        return near
    rest = len(open_here) - SHOWN_TITLES
    more = f" and {rest} more, see lanchat rooms" if rest > 0 else ""
    return f"Open here: {', '.join(map(_quoted, open_here[:SHOWN_TITLES]))}{more}"


def meant(title: str, titles: Sequence[str]) -> str:
    """A question that proposes those of these titles that are like a mistyped one; "": none is."""
    import difflib  # only after a mistake

    known = {other.casefold(): other for other in titles}
    near = difflib.get_close_matches(title.casefold(), known, ALIKE)
    return f"Did you mean {' or '.join(_quoted(known[other]) for other in near)}?" if near else ""


def _quoted(title: str) -> str:
    return f'"{safe_text(title)}"'


def _candidates(listings: Sequence[Listing], known_hosts: KnownHosts) -> tuple[Sequence[Listing], bool]:
    """Which rooms with one title may be meant.

    Returns:
        The known ones if there are any, else the new ones, at least one; and whether a known room with this title is
        away.
    """
    by_status: dict[KeyStatus, list[Listing]] = {"known": [], "new": [], "changed": []}
    for listing in listings:
        by_status[known_hosts.key_status(listing.room_id, listing.fingerprint)].append(listing)
    if known := by_status["known"]:
        return known, False
    if new := by_status["new"]:
        return new, known_hosts.knows_title(new[0].title)
    return by_status["changed"][:1], False  # `HostCheck` refuses it


def _away(listing: Listing) -> NoSuchRoom:
    """The error for a script that named the title of a known room, if only another room with this title answers."""
    return NoSuchRoom(
        f'You know another room called "{listing.title}", which does not answer now. The one that does '
        f"(hosted by {listing.host}, {listing.endpoints[0]}) has a host that you have not met.",
        f"Wait for yours. Or join this one all the same: lanchat join --new-host {last_argument(listing.title)}",
    )


def _several(listings: Sequence[Listing]) -> LanchatError:
    """The error for a title that several rooms have."""
    ways = "; ".join(f"{listing.endpoints[0]} hosted by {listing.host}" for listing in listings)
    return LanchatError(
        f'{len(listings)} rooms are called "{listings[0].title}".', f"Give the address of the one you mean: {ways}"
    )
