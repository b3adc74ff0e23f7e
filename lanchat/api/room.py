"""A joined room as an object, which programs, scripts and the terminal use alike."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from lanchat.api.listening import RoomEvents
from lanchat.api.unsent import Unsent
from lanchat.client.events import Connected
from lanchat.client.member import Member
from lanchat.client.private import another_key_text, is_guest, unsealed_text
from lanchat.client.state import RoomState
from lanchat.client.unacked import WINDOW
from lanchat.errors import Refused, TimedOut
from lanchat.protocol.closings import said_by_host
from lanchat.protocol.invite import Invite
from lanchat.room.roster import Person
from lanchat.storage.known_hosts import KeyStatus

if TYPE_CHECKING:
    from lanchat.api.standby import StandbyKeeper

ANSWERED_WITHIN = 5.0  # s for the host to say whether it knows a nick


class JoinedRoom(RoomEvents):
    """A room that this program is in. Leave it with `close()`, or use it in a `with` statement.

    All methods are for any thread, but only one thread takes the events, in the order that everybody sees. A program
    that only speaks need not take them: the last 10,000 wait for it (`dropped` counts the ones before), and private
    messages that it never took come again the next time it joins.

    Args:
        member: has joined already.
        connected: what `Member.join` returned.
        state: follows the member's queue.
        make_invite: makes the invite from the addresses of now, where another program hosts the room.
        standby: hosts the room, or may do so.
    """

    def __init__(
        self,
        member: Member,
        connected: Connected,
        state: RoomState,
        *,
        key_status: KeyStatus = "known",
        invited: bool = False,
        make_invite: Callable[[], Invite | None] = lambda: None,
        standby: "StandbyKeeper | None" = None,
    ) -> None:
        self.card = connected.card
        self.key_status = key_status  # whether the host's key was known before
        self.invited = invited  # whether the invite that was followed names the host's key, so it need not be compared
        self._make_invite = make_invite
        self._standby = standby
        self._member = member
        self._queue = member.queue
        self._outgoing = member.outgoing
        self._delivery = member.delivery
        self.unsent = Unsent(self._delivery)
        self._state = state
        with self._queue.lock:
            if not state.connected:
                state.follow(connected)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title!r} as {self.nick!r}>"

    @property
    def title(self) -> str:
        return self.card.title

    @property
    def invite(self) -> Invite | None:
        """An invite with the addresses at which the host can be reached now; None: no other machine can reach it."""
        hosting = self._standby.hosting if self._standby is not None else None
        return self._make_invite() if hosting is None else hosting.invite

    @property
    def nick(self) -> str:
        """Our own nick, as of the last event that was taken."""
        return self._state.nick

    @property
    def people(self) -> list[Person]:
        """Everybody who was in the room at the last event that was taken. In a `crowd`: the host, we, and who spoke."""
        with self._queue.lock:
            return list(self._state.roster.people.values())

    @property
    def crowd(self) -> int:
        """How many people are in the room, if nobody hears who comes and goes because they are so many; else 0."""
        return self._state.roster.crowd

    @property
    def connected(self) -> bool:
        """Whether messages are sent at once; else they wait for the reconnect."""
        return self._delivery.host.connected

    @property
    def unacked(self) -> int:
        """The number of our messages that the host has not acknowledged yet."""
        return self._delivery.waiting

    @property
    def dropped(self) -> int:
        """The number of items that were dropped because too many waited to be taken."""
        return self._queue.dropped

    # ---- speaking

    def say(self, text: str, *, action: bool = False, wait: float | None = None, id: str = "") -> str:
        """Send a message to everyone. Waits only while many messages are unacknowledged.

        Args:
            action: whether it is an action, as from `/me`.
            wait: s to wait until the message is on the host's disk; None: do not wait.
            id: one of your own, so that the message is said once, however often you send it: 1 to 64 of A-Z a-z 0-9 _ -
                "": a new one.

        Returns:
            The message's id, as its `Said` carries it.

        Raises:
            ValueError: the text is empty, or has more than 4096 bytes or 100 lines; or the id is invalid.
            TimedOut: the message was not acknowledged in that time (it may be later).
            LanchatError: the connection ended while this waited, or too many messages are unsent already. A message
                that is said after the end is only stored on this disk, and sent when this person joins the room again.
        """
        self.wait_acked(below=WINDOW)
        return self._acked(self.send(text, action=action, id=id), wait)

    def tell(
        self, nick: str, text: str, *, wait: float | None = None, allow_unsealed: bool = False, id: str = ""
    ) -> str:
        """Send a private message. A recipient who is away gets it on returning. It is sealed: the host cannot read it.

        Args:
            nick: of somebody who is or was in this room. It stands for their key: nobody else gets the message.
            wait: s to wait until the message is on the host's disk; None: do not wait, and ignore a refusal. Only for a
                nick that nobody here has or had, the host is asked first.
            allow_unsealed: send it to a guest as well, who has no key to seal it to, so that the host can read it.
            id: as for `say`.

        Returns:
            The message's id, as its `PrivateMessage` carries it.

        Raises:
            ValueError: the text or the nick breaks the rules, or the nick is your own; or it is that of a guest, and
                that is not allowed; or the host has given it to two keys.
            Refused: no member has or had this nick, or the host refuses the message.
            TimedOut: the message was not acknowledged in that time (it may be later).
            LanchatError: as for `say`.
        """
        with self._queue.lock:
            person = self._state.roster.addressee(nick)
            rival = self._state.roster.rival(person) if person else None
        if person is not None and rival is not None:
            raise ValueError(f"{another_key_text(person, rival)} Nothing was sent.")
        if person is not None and is_guest(person.id) and not allow_unsealed:
            raise ValueError(f"{unsealed_text(person.nick)} To send it all the same, allow_unsealed.")
        self.wait_acked(below=WINDOW)
        id = self.send_private(nick, text, to=person.id if person else "", id=id)
        if wait is None and person is None:
            self.wait_acked(ANSWERED_WITHIN)
        self._acked(id, wait)
        if refusal := self._delivery.refusal(id):
            raise Refused(said_by_host(refusal), code="private")
        return id

    def send(self, text: str, *, action: bool = False, id: str = "") -> str:
        """As `say`, but never waits, however many messages are unacknowledged."""
        return self._outgoing.say(text, action=action, id=id)

    def send_private(self, nick: str, text: str, *, to: str = "", id: str = "") -> str:
        """As `tell`, but never waits, however many messages are unacknowledged.

        Args:
            to: the recipient's member id, or that of a guest; "": the host finds it by the nick.
        """
        with self._queue.lock:
            person = self._state.roster.member(to)
        return self._outgoing.tell(nick.removeprefix("~"), text, to=to, key=person.key if person else b"", id=id)

    def wait_acked(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """Wait until fewer than `below` messages are unacknowledged; 1: until the host has stored all of them.

        Returns:
            Whether that happened within `timeout` seconds.

        Raises:
            LanchatError: the connection has ended.
        """
        return self._delivery.wait_acked(timeout, below=below)

    def _acked(self, id: str, wait: float | None) -> str:
        if wait is not None and not self.wait_acked(wait):
            raise TimedOut(f"The message was not acknowledged within {wait:g} s.")
        return id
