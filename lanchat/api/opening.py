"""What is needed to open a room that this computer hosts: its owner's term, its log, its files, and our own member."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lanchat.api.dialer import Dialer
from lanchat.api.doors import Wishes
from lanchat.api.host_check import HostCheck
from lanchat.api.hosting import Hosting
from lanchat.api.standby import StandbyKeeper
from lanchat.api.targets import Target
from lanchat.client.events import Connected
from lanchat.client.member import Member
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import Card
from lanchat.protocol.places import Rules, read_places
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import Timing
from lanchat.server.term import Term
from lanchat.storage.blobs import Blobs
from lanchat.storage.delegations import Signing
from lanchat.storage.identity import Identity
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.log import Log
from lanchat.storage.member_store import MemberStore
from lanchat.storage.retention import parse_retention
from lanchat.storage.rooms import RoomFolder
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.terms import note_term
from lanchat.threads import Closable


def owners_term(
    folder: RoomFolder, identity: Identity, say: Callable[[str], None], rules: Rules, *, password: bool
) -> Term:
    """The term with which the owner of a room begins to host it again.

    Raises:
        LanchatError: what it has signed before cannot be read.
    """
    signing = Signing(folder.path, folder.about.id, identity, password=password)
    places = read_places(signing.known.places or "[]")
    if last := safe_text(signing.known.handed):
        say(f"{last} hosted this room last, and cannot be found now. What was said there is missing here.")
    return Term(
        identity.public,
        signing.sign(tuple(one for one in signing.standbys if one.role == "s")),
        rules=rules,
        places=places,
        note=partial(note_term, folder.log_path),
    )


def own_check(home: Path, room: str, owner: bytes) -> HostCheck:
    """Accepts only this room of this owner, in case another computer hosts it later."""
    check = HostCheck(Target((), room), KnownHosts(home))
    check.room_id, check.fingerprint = room, fingerprint(owner)
    return check


@dataclass(frozen=True)
class LocalUser:
    """The person at this computer, in a room that it hosts.

    Args:
        nick: with which they join.
        password: of the room; None: it has none.
        on: our own addresses.
        on_problem: called with a sentence.
        drop_oldest: as for `hosted.host`.
        wishes: what counts when the room comes back to this computer.
    """

    home: Path
    identity: Identity
    nick: str
    password: str | None
    on: OwnAddresses
    on_problem: Callable[[str], None]
    drop_oldest: bool
    timing: Timing
    wishes: Wishes = field(default_factory=Wishes)
    state: RoomState = field(default_factory=RoomState)

    @property
    def nick_now(self) -> str:
        return self.state.nick or self.nick

    def dialer(self, hosting: Hosting) -> Dialer:
        """How their member reaches the host that runs in this program."""
        check = own_check(self.home, hosting.host.room_id, hosting.owner)
        dialer = Dialer(hosting.endpoints, check, self.on, self.timing)
        dialer.local = hosting.host.connect
        return dialer

    def standby(
        self, dialer: Dialer, *, willing: int, folder: RoomFolder | None = None, hosting: Hosting | None = None
    ) -> StandbyKeeper:
        """What lets this computer keep a copy of the room, and host it. The arguments are those of `StandbyKeeper`."""
        return StandbyKeeper(
            self.home,
            self.identity,
            dialer,
            willing=willing,
            nick=lambda: self.nick_now,
            password=self.password,
            on=self.on,
            on_problem=self.on_problem,
            timing=self.timing,
            folder=folder,
            hosting=hosting,
            wishes=self.wishes,
        )

    def member(
        self, dialer: Dialer, keeper: StandbyKeeper, open_store: Callable[[Card], MemberStore], *, moves: bool
    ) -> Member:
        """Their member, not joined yet. Even if its link is lost, the room stays open.

        Args:
            moves: whether other computers can host the room, so that this one may keep a copy later.
        """

        def open_own_store(card: Card) -> MemberStore:
            keeper.met(card)
            return open_store(card)

        return Member(
            dialer.dial,
            self.identity,
            self.nick,
            queue=EventQueue(drop_oldest=self.drop_oldest, follow=self.state.follow),
            password=self.password,
            patience=None,
            open_store=open_own_store,
            stop=dialer.stop,
            look_elsewhere=dialer.look_elsewhere,
            settled=keeper.settled,
            prefer=dialer.prefer,
            places_changed=dialer.places_changed,
            keeper=keeper if moves else None,
            timing=self.timing,
        )


class OwnMember:
    """The member of the person at this computer, in a room that this program has just opened.

    Args:
        hosting: its host has started, and does not accept links yet.
        open_store, moves: as for `LocalUser.member`.
        folder: of the room, if it is our own.
    """

    def __init__(
        self,
        user: LocalUser,
        hosting: Hosting,
        open_store: Callable[[Card], MemberStore],
        *,
        moves: bool = False,
        folder: RoomFolder | None = None,
    ) -> None:
        self._user, self._hosting = user, hosting
        self._dialer = user.dialer(hosting)
        self.keeper = user.standby(self._dialer, willing=0, folder=folder, hosting=hosting)
        self.member = user.member(self._dialer, self.keeper, open_store, moves=moves)

    def enter(self, undo: ExitStack, check: Closable | None) -> Connected:
        """Join before anybody else can, then let others find the room and come in.

        Args:
            undo: gets what takes this back.
            check: our session at another host of the room, which is not needed any more.
        """
        connected = self.member.join()
        undo.callback(self.member.close)
        if check is not None:
            check.close()
        self.member.transfers.dial = self._dialer.dial_again
        self._hosting.host.accept()
        undo.callback(self._hosting.hide)
        self._hosting.show(self._user.on_problem, self._user.timing)
        return connected


def own_log(folder: RoomFolder, on_damage: Callable[[str], None], timing: Timing, term: int, *, new_term: bool) -> Log:
    """The log of a room of ours. Its next term has at least the number `term`."""
    keep = parse_retention(folder.about.keep)
    return SqliteLog(folder.log_path, term=term, new_term=new_term, keep=keep, on_damage=on_damage, timing=timing)


def blobs_for(folder: RoomFolder | None, limits: FileLimits) -> Blobs | None:
    """The files of a room of ours; without a folder they are temporary. None: the room takes none."""
    if not limits.total:
        return None
    return Blobs(folder.files_path if folder else None, limits)
