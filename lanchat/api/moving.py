"""The part of a joined room about its hosts: whether this program hosts it, and which computers could."""

from typing import TYPE_CHECKING

from lanchat.client.member import Member
from lanchat.client.state import RoomState
from lanchat.errors import LanchatError, NotConnected
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.standby import Delegation
from lanchat.protocol.text import conjunction, last_argument, safe_text
from lanchat.room.naming import appoint, computers_of
from lanchat.threads import Closable

if TYPE_CHECKING:
    from lanchat.api.cohosting import Cohosting
    from lanchat.api.standby import StandbyKeeper
    from lanchat.api.web import WebAccess
    from lanchat.storage.delegations import Signing


class MovingRoom(Closable):
    """A room that may move. All is for any thread but `close`."""

    _member: Member
    _state: RoomState
    _standby: "StandbyKeeper | None"
    ends = False  # whether the room closes for everybody when this program leaves it

    @property
    def hosting(self) -> bool:
        """Whether this program hosts the room."""
        return self._standby is not None and self._standby.hosting is not None

    @property
    def page(self) -> "WebAccess | None":
        """The door for browsers, open or not; None: another program hosts the room."""
        hosting = self._standby.hosting if self._standby is not None else None
        return hosting.web if hosting is not None else None

    @property
    def owned(self) -> bool:
        """Whether this person is the owner of the room, wherever it is hosted."""
        return self._standby is not None and self._standby.owner

    @property
    def continues_here(self) -> bool:
        """Whether `lanchat host TITLE` goes on with the room here, while nobody hosts it. Reads the disk."""
        return self._standby is not None and self._standby.continues

    @property
    def successor(self) -> str:
        """After `close`: the nick of the person whose computer took over; "": none did, or we did not host the room."""
        return self._standby.successor if self._standby is not None else ""

    @property
    def backup(self) -> str:
        """The nick of the standby whose disk has everything that is acknowledged now; "": only the host's disk has."""
        return self._state.backup

    @property
    def silence(self) -> float | None:
        """Seconds since anything came from a host that sends a sign of life each second; None: this host does not."""
        return self._member.follower.cluster.silence

    @property
    def engine(self) -> str:
        """The address of the engine that numbers the room which this program hosts, without its password; "": none."""
        hosting = self._standby.hosting if self._standby is not None else None
        return hosting.engine if hosting is not None else ""

    @property
    def goes_on(self) -> bool:
        """Whether the room is on an engine and has another host, so that it goes on without this program."""
        hosting = self._standby.hosting if self._standby is not None else None
        beside = hosting.host.beside if hosting is not None else None
        return beside is not None and beside.successor >= 0

    @property
    def other_hosts(self) -> tuple[str, ...]:
        """The nicks of those who host a room on an engine together with this program, and go on without it."""
        hosting = self._standby.hosting if self._standby is not None else None
        beside = hosting.host.beside if hosting is not None else None
        return beside.others if beside is not None else ()

    @property
    def has_other_hosts(self) -> bool:
        """Whether other computers host the room as well as ours, so that they have files which ours does not have."""
        return bool(self._member.follower.cluster.other_hosts)

    def cohost(self, code: str) -> str:
        """Let the computer that shows this code host our room on an engine as well.

        Returns:
            What follows, as a sentence.

        Raises:
            ValueError: it may not host the room; the text says why.
            LanchatError: the disk refuses.
        """
        return self._cohosting.admit(code)

    def uncohost(self, nick: str) -> str:
        """Let this person's computer host our room no more. Returns and raises as `cohost`."""
        return self._cohosting.remove(nick)

    @property
    def _cohosting(self) -> "Cohosting":
        hosting = self._standby.hosting if self._standby is not None else None
        if hosting is None or hosting.cohosting is None:
            raise ValueError("Only a room on an engine has several hosts: lanchat host TITLE --engine redis://HOST")
        return hosting.cohosting

    def standbys(self, wanted: str = "") -> str:
        """Name standbys, or have them listed.

        Args:
            wanted: "": list them, a `Notice` follows. For the owner of the room: nicks; and while this program
                hosts it, "auto" or "off". Otherwise these two concern this computer alone.

        Returns:
            What follows, as a sentence; "": the host answers.

        Raises:
            ValueError: this person cannot name anybody here and now.
            ConnectionLost: there is no link to the host, which has the list.
        """
        hosting = self._standby.hosting if self._standby is not None else None
        if hosting is not None and hosting.cohosting is not None:
            if wanted:
                raise ValueError("A room on an engine has hosts and no standbys: /cohost CODE, /uncohost NICK.")
            return hosting.cohosting.listing()
        if wanted and self._member.follower.cluster.on_engine:
            raise ValueError("A room on an engine has hosts and no standbys. /standbys lists them.")
        if not wanted:
            self._member.outgoing.moderate("standbys")
            return ""
        if hosting is not None and hosting.naming is not None:
            return hosting.naming.order(wanted)
        if wanted == "off":
            self._member.follower.decline()
            return "This computer is no standby of the room any more. /standbys auto lets it be one again."
        if wanted == "auto":
            if self._standby is None or not (self._standby.willing or self._standby.owner):
                raise ValueError("lanchat was started here so that this computer is never a standby of the room.")
            self._member.follower.accept()
            return "This computer may be a standby of the room again."
        if self._standby is None or not self._standby.owner:
            raise ValueError("Only the owner of the room names standbys.")
        return self._name(wanted.split(), self._standby.signing())

    def _name(self, nicks: list[str], signing: "Signing") -> str:
        """Sign a list of these standbys while another program hosts the room, which passes it on."""
        keys = {same_nick(place.nick): place.key for place in self._member.follower.cluster.places}
        keys |= {same_nick(one.nick): one.key for one in [*self._state.roster.people.values()] if one.key}
        if unknown := [nick for nick in nicks if same_nick(nick) not in keys]:
            raise ValueError(f"No one here is called {unknown[0]}. /who lists everyone.")
        for nick in nicks:
            try:
                computers_of([keys[same_nick(nick)]], signing.standbys, signing.known.indexes)
            except KeyError:
                raise ValueError(
                    f"{nick} has never been a standby of this room, and only its host can ask that computer. "
                    "/takeback makes you the host again."
                ) from None
        wanted = [keys[same_nick(nick)] for nick in nicks]
        chosen = appoint(computers_of(wanted, signing.standbys, signing.known.indexes), signing.known.indexes)
        if not self._member.delivery.host.connected:
            raise NotConnected  # before anything is signed
        self._member.delivery.ask(Delegation(signing.sign(chosen, automatic=False)))
        named = conjunction([safe_text(nick) for nick in nicks])
        are = "is the standby" if len(nicks) == 1 else "are the standbys"
        return f"{named} {are} from now on. /standbys shows who can take over."

    def renew(self) -> None:
        """Sign the list of standbys again, as the owner of a room that another program hosts, which passes it on.

        Raises:
            LanchatError: the disk refuses.
        """
        standby = self._standby
        if standby is not None and standby.owner and standby.hosting is None:
            signing = standby.signing()
            self._member.delivery.host.ask(Delegation(signing.sign(signing.standbys)))

    def close_for_all(self) -> bool:
        """Have our own room closed for everybody, so that no standby opens it again.

        Returns:
            Whether this program hosts the room, so that `close` will close it. Otherwise the host was told.

        Raises:
            LanchatError: the room is not ours, the disk refuses, or there is no link to the host now.
        """
        standby = self._standby
        if standby is None or not standby.owner:
            raise LanchatError("Only the owner of the room may close it for everybody.")
        if self.goes_on and self._state.paused:
            raise LanchatError(
                "The room's log does not answer now, so its other hosts cannot be told.", "Try again later."
            )
        if standby.hosting is not None:
            self.ends = True
            if standby.hosting.naming is not None:
                standby.hosting.naming.end()
            return True
        if self._member.follower.cluster.on_engine:
            raise LanchatError(
                "A room on an engine is closed where its owner hosts it.",
                f"lanchat host --engine redis://HOST {last_argument(safe_text(self._state.title))}   and there  /close",
            )
        delivery = self._member.delivery
        if not delivery.host.connected:
            raise NotConnected  # before anything is signed
        delivery.ask(Delegation(standby.signing().sign(())))
        self._member.outgoing.moderate("close")
        return False

    def leave(self) -> None:
        """Leave the room. A room that this program hosts stays open for the others until `close()`."""
        self._member.close()

    def close(self, *, end: bool = False) -> None:
        """Leave the room. If this program hosts it, a standby goes on; if there is none, the room is closed.

        May be called twice.

        Args:
            end: close it for everybody, although a standby could go on.
        """
        standby = self._standby
        if standby is not None:
            standby.hide()
        self.leave()
        if standby is not None:
            standby.close(end=end or self.ends)
