"""From what a person names (a title, an address) to a room they are in."""

import os
from collections.abc import Callable, Sequence

from lanchat.discovery.sighting import Listing
from lanchat.errors import LanchatError, NoSuchRoom
from lanchat.home import home_folder, kept_nick, login_nick
from lanchat.joined import JoinedRoom
from lanchat.lookout import Lookout
from lanchat.member import Member
from lanchat.memory import DiskMemory
from lanchat.net.dial import Endpoint, dial
from lanchat.net.identity import Identity, fingerprint, load_identity
from lanchat.net.interfaces import Address, chosen
from lanchat.net.trust import KnownHosts, Standing
from lanchat.protocol.messages import Card
from lanchat.protocol.text import safe_text

PATIENCE = 30.0  # s of trying to come back; a script that waits longer says so
FIND_WAIT = 5.0  # s to look for a title; a busy network answers in about one


def enter(
    endpoints: tuple[Endpoint, ...],
    nick: str,
    *,
    room_id: str | None = None,
    password: str | None = None,
    patience: float | None = PATIENCE,
    on_problem: Callable[[str], None] = lambda problem: None,
) -> JoinedRoom:
    """Join at one of these addresses.

    Args:
        room_id: the room that was chosen; whatever else answers there is left alone.
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
        standing = known_hosts.check(card.room, fingerprint(host_key), card.title)

    member = Member(
        lambda: dial(endpoints),
        my_identity(),
        nick,
        trust=trust,
        password=password or os.environ.get("LANCHAT_PASSWORD") or None,
        patience=patience,
        remember=lambda card: DiskMemory(home_folder(), card, on_problem),
    )
    return JoinedRoom(member, member.join(), standing)


def find(title: str, wait: float, on: Sequence[Address] | None) -> Sequence[Listing]:
    """The rooms of this title, at least one.

    Raises:
        NoSuchRoom: none was seen within `wait` seconds.
    """
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


def where(interfaces: tuple[str, ...] | None) -> Sequence[Address] | None:
    """The addresses to listen, announce and look on; None: everywhere.

    Args:
        interfaces: names or addresses; None: what LANCHAT_INTERFACE says, comma-separated.

    Raises:
        LanchatError: this machine has no such interface.
    """
    if interfaces is None:
        interfaces = (os.environ.get("LANCHAT_INTERFACE", ""),)
    wanted = tuple(filter(None, (name.strip() for given in interfaces for name in given.split(","))))
    return chosen(wanted) if wanted else None
