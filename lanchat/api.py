"""Rooms for Python programs: the same as the command line, as objects.

import lanchat

with lanchat.join("Room A", nick="bob") as room:
    room.say("hello")
    answer = room.wait_for("pong", timeout=10)
    for event in room:
        ...
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from lanchat.discovery.mdns import Announcement
from lanchat.discovery.sighting import Advert, Listing
from lanchat.errors import LanchatError, NoSuchRoom, TimedOut
from lanchat.home import home_folder, kept_nick, login_nick
from lanchat.hosting import Host
from lanchat.lookout import Lookout
from lanchat.member import Came, Ended, Member
from lanchat.net.dial import Endpoint, dial, parse_endpoint
from lanchat.net.identity import Identity, fingerprint, load_identity
from lanchat.net.interfaces import Address, chosen
from lanchat.protocol.limits import DEFAULT_LIMITS, Limits
from lanchat.protocol.messages import Event, Said
from lanchat.protocol.text import safe_text
from lanchat.room.view import Person, RoomView

FIND_WAIT = 5.0  # s to look for a title; a busy network answers in about one


class JoinedRoom:
    """A room we are in. Leave it with `close()`, or use it in a `with`.

    `say()` may be called by any thread; events go to one thread, in the order everybody sees.
    """

    def __init__(self, member: Member, came: Came) -> None:
        self.member = member
        self.came = came
        self.title = came.card.title
        self._view = RoomView()
        self._view.welcome(came.welcome, came.present)
        self._waiting: list[Event] = []

    @property
    def nick(self) -> str:
        return self._view.nick

    @property
    def people(self) -> list[Person]:
        """Who was in the room at the last event that was taken."""
        return list(self._view.people.values())

    def say(self, text: str, *, wait: float | None = None) -> str:
        """Say this to everyone.

        Args:
            wait: s to wait until it is on the host's disk; None: do not wait.

        Returns:
            The message's id, as its `Said` carries it.

        Raises:
            ValueError: the text is empty or over 4096 bytes.
            TimedOut: it was not acknowledged in that time (it may still be).
            LanchatError: the room is gone.
        """
        id = self.member.say(text)
        if wait is not None and not self.member.wait_kept(wait):
            raise TimedOut(f"the message was not acknowledged within {wait:g} s")
        return id

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """What happens, from the last lines before we came on.

        Args:
            timeout: s of silence after which the iteration ends; None: it ends with the room.

        Raises:
            LanchatError: the host is gone.
        """
        while True:
            while self._waiting:
                event = self._waiting.pop(0)
                self._view.apply(event)
                yield event
            items = self.member.take(timeout)
            if not items:
                return
            self._waiting += [item for item in items if isinstance(item, Event)]
            ended = next((item for item in items if isinstance(item, Ended)), None)
            if ended is not None and not self._waiting:
                raise ended.error

    def __iter__(self) -> Iterator[Event]:
        return self.events()

    def wait_for(self, match: str | Callable[[Said], bool], timeout: float | None = None) -> Said:
        """The next message from somebody else that holds this text, or for which the function is true.

        Events before it are passed over.

        Args:
            timeout: s in all.

        Raises:
            TimedOut: nothing matched in that time.
            LanchatError: the room is gone.
        """
        fits = match if callable(match) else lambda said: match in said.text
        deadline = None if timeout is None else time.monotonic() + timeout
        while deadline is None or time.monotonic() < deadline:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            for event in self.events(remaining):
                if isinstance(event, Said) and not self.member.is_own(event) and fits(event):
                    return event
                if deadline is not None and time.monotonic() >= deadline:
                    break
        raise TimedOut(f"no such message within {timeout:g} s")

    def close(self) -> None:
        self.member.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class HostedRoom(JoinedRoom):
    """A room we host and are in. It closes for everybody with this object."""

    def __init__(self, host: Host, announcement: Announcement | None, member: Member, came: Came) -> None:
        super().__init__(member, came)
        self.host = host
        self._announcement = announcement

    def close(self) -> None:
        if self._announcement is not None:
            self._announcement.close()  # first, so that nobody finds a room that is closing
        super().close()
        self.host.close()


def host(
    title: str,
    *,
    nick: str | None = None,
    port: int | None = None,
    plain_port: int | None = None,
    announce: bool = True,
    limits: Limits = DEFAULT_LIMITS,
    interfaces: tuple[str, ...] | None = None,
    on_problem: Callable[[str], None] = lambda problem: None,
) -> HostedRoom:
    """Open a room on this network.

    Args:
        nick: by default the one kept in LANCHAT_HOME, or the login name.
        port: by default 47474, or the next free one; 0 for any.
        plain_port: also serve netcat and its kin there, without encryption.
        announce: let others find it.
        limits: what strangers and members may do.
        interfaces: names or addresses; by default LANCHAT_INTERFACE, or all.
        on_problem: called, from a thread of our own, with a sentence when announcing fails; the room is open all the same.

    Raises:
        ValueError: the title or the nick breaks its rules.
        LanchatError: no port, no home folder, ...
    """
    on = where(interfaces)
    nick = nick or default_nick()
    identity = my_identity()
    opened = Host(
        title,
        identity,
        nick=nick,
        addresses=None if on is None else [address.text for address in on],
        port=port,
        plain_port=plain_port,
        limits=limits,
    )
    opened.start()
    try:
        member = Member(opened.connect, identity, nick)
        came = member.join()
    except BaseException:
        opened.close()
        raise
    advert = Advert(opened.room_id, opened.title, opened.nick, opened.port, fingerprint(identity.public))
    return HostedRoom(opened, Announcement(advert, on, on_problem) if announce else None, member, came)


def join(
    room: str,
    *,
    nick: str | None = None,
    wait: float = FIND_WAIT,
    interfaces: tuple[str, ...] | None = None,
) -> JoinedRoom:
    """Enter a room of this network.

    Args:
        room: its title, or HOST[:PORT].
        nick: as for `host`.
        wait: s to look for a title.

    Raises:
        NoSuchRoom: nothing by that name, or nobody at that address.
        LanchatError: refused, several rooms of that title, ...
    """
    nick = nick or default_nick()
    endpoint = parse_endpoint(room)
    if endpoint is not None:
        return enter((endpoint,), nick)
    listings = find(room, wait, where(interfaces))
    if len(listings) > 1:
        raise several(listings)
    return enter(listings[0].endpoints, nick)


def rooms(*, wait: float = 2.0, interfaces: tuple[str, ...] | None = None) -> list[Listing]:
    """The rooms of this network that were seen within `wait` seconds."""
    with Lookout(where(interfaces)) as lookout:
        time.sleep(wait)
        return list(lookout.listings())


def enter(endpoints: tuple[Endpoint, ...], nick: str) -> JoinedRoom:
    """Join at one of these addresses.

    Raises:
        LanchatError: nobody there, no lanchat, refused, ...
    """
    member = Member(lambda: dial(endpoints), my_identity(), nick)
    return JoinedRoom(member, member.join())


def find(title: str, wait: float, on: Sequence[Address] | None) -> Sequence[Listing]:
    """The rooms of this title, at least one.

    Raises:
        NoSuchRoom: none was seen within `wait` seconds.
    """
    with Lookout(on) as lookout:
        listings = lookout.find(title, wait)
        if listings:
            return listings
        others = ", ".join(f'"{listing.title}"' for listing in lookout.listings())
        problem = "; ".join(lookout.problems())
    raise NoSuchRoom(
        f'no room "{safe_text(title)}" was seen within {wait:g} s' + (f" ({problem})" if problem else ""),
        f"seen here: {others}" if others else "ask the host for the address its screen shows: lanchat join ADDRESS",
    )


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
