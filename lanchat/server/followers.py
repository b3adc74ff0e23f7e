"""The standbys that copy a room from its host, and the members' computers that may become one. Owned by the hub."""

from dataclasses import dataclass, replace

from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.places import Place
from lanchat.protocol.standby import Follow, Offer, Stored
from lanchat.server.items import JoinRequest
from lanchat.server.replication import NOBODY, DiskPosition, Replication
from lanchat.server.session import Session
from lanchat.server.term import Standing


@dataclass(frozen=True)
class Volunteer:
    """A member's computer that may be named a standby. Any thread may read it.

    Args:
        key: the raw key that the member has proven.
        came_as: the nick with which the member came in.
        peer: the address of the other end of its link.
        asked: whether its person has asked for it.
        since: s, by the host's clock, when it came.
        instance: of its copy's folder, once it has offered itself; b"": not yet.
        port, web: on which it listens for members, and for browsers; 0: not at all.
        declined: its person does not want it to be one, or it cannot be one now.
    """

    session: Session
    key: bytes
    came_as: str
    peer: str
    asked: bool
    since: float
    instance: bytes = b""
    port: int = 0
    web: int = 0
    declined: bool = False

    @property
    def nick(self) -> str:
        """The nick that the member has now."""
        member = self.session.member
        return member.nick if member is not None else self.came_as


@dataclass
class _Progress:
    index: int
    state: int  # the revision of the rules that it has stored
    position: DiskPosition


class Followers:
    """Knows which sessions follow (copy the room), how far each is, and who could follow. Owned by the hub thread.

    Attributes:
        volunteers: for any thread; replaced as a whole.
    """

    def __init__(self, standing: Standing, replication: Replication) -> None:
        self.volunteers: tuple[Volunteer, ...] = ()
        self._standing = standing
        self._replication = replication
        self._following: dict[Session, _Progress] = {}

    def __bool__(self) -> bool:
        return bool(self._following)

    @property
    def sessions(self) -> list[Session]:
        """The sessions that follow."""
        return list(self._following)

    @property
    def indexes(self) -> list[int]:
        """The indexes of the standbys that follow. Any thread."""
        return [follower.index for follower in list(self._following.values())]

    def came(self, request: JoinRequest, now: float) -> None:
        """A member has entered the room. An owner who returns may follow without having been asked."""
        session, owner = request.session, request.key == self._standing.owner != self._standing.key
        if session.member is not None and request.key and (request.standby or owner):
            volunteer = Volunteer(session, request.key, session.member.nick, request.peer, request.standby > 1, now)
            self.volunteers = (*self.volunteers, volunteer)

    def gone(self, session: Session, now: float) -> None:
        """The session has ended."""
        self.volunteers = tuple(one for one in self.volunteers if one.session is not session)
        self._unfollow(session, now)

    def offered(self, session: Session, offer: Offer, now: float) -> None:
        """The computer of this session offers itself as a standby. An offer without a port means that it declines."""
        declined, instance = not offer.port, offer.instance if offer.port else b""
        if declined:
            self._unfollow(session, now)
        self.volunteers = tuple(
            replace(one, instance=instance, port=offer.port, web=offer.web, declined=declined)
            if one.session is session
            else one
            for one in self.volunteers
        )

    def follow(self, session: Session, follow: Follow, now: float) -> bool:
        """The computer of this session begins to copy the room. Returns whether it may: the owner has named it."""
        one = self._volunteer(session)
        index = self._standing.index_of(one.key, one.instance) if one is not None and one.instance else None
        if index is None or index == self._standing.index:
            return False
        for other in [other for other, known in self._following.items() if known.index == index]:
            self._end(other)  # its link has died unnoticed
        position = DiskPosition(follow.seq, follow.private)
        self._following[session] = _Progress(index, follow.state, position)
        session.follows = True
        if session.member is not None:
            session.member.copies = True
        self._replication.stored(index, position, NOBODY, now)
        return True

    def stored(self, session: Session, stored: Stored, now: float) -> None:
        """The computer of this session has stored its copy up to here."""
        if (follower := self._following.get(session)) is not None:
            follower.position, follower.state = DiskPosition(stored.seq, stored.private), stored.state
            self._replication.stored(follower.index, follower.position, stored.count, now)

    def places(self, session: Session) -> tuple[Place, ...]:
        """Where the computer of this session says that it can be reached. The owner's program finds that out itself."""
        one, index = self._volunteer(session), self.index(session)
        if one is None or index is None or self._standing.index == OWNER_INDEX:
            return ()
        web = (str(Endpoint(one.peer, one.web)),) if one.web else ()
        return (Place(index, one.key, one.nick, (str(Endpoint(one.peer, one.port)),), web),)

    def session(self, index: int) -> Session | None:
        """The session of the standby with this index, if it follows."""
        return next((session for session, known in self._following.items() if known.index == index), None)

    def index(self, session: Session) -> int | None:
        follower = self._following.get(session)
        return follower.index if follower is not None else None

    def called(self, nick: str) -> int | None:
        """The index of the standby whose member has this nick, if it follows."""
        same = (known.index for session, known in self._following.items() if _is_called(session, nick))
        return next(same, None)

    def has_declined(self, key: bytes) -> bool:
        """Whether a computer with this key is connected and declines to be a standby."""
        return any(one.declined and one.key == key for one in self.volunteers)

    def has(self, index: int, position: DiskPosition, rev: int) -> bool:
        """Whether this standby has everything up to this position, and the rules of this revision."""
        known = [one for one in self._following.values() if one.index == index]
        return any(one.position.has(position) and one.state >= rev for one in known)

    def drop_unnamed(self, now: float) -> None:
        """Acks do not wait any longer for computers that the new list of standbys does not name."""
        for session, known in list(self._following.items()):
            one = self._volunteer(session)
            if one is None or self._standing.index_of(one.key, one.instance) != known.index:
                self._end(session)
                self._replication.gone(known.index, now)

    def _unfollow(self, session: Session, now: float) -> None:
        follower = self._end(session)
        if follower is not None:
            self._replication.gone(follower.index, now)

    def _volunteer(self, session: Session) -> Volunteer | None:
        return next((one for one in self.volunteers if one.session is session), None)

    def _end(self, session: Session) -> _Progress | None:
        session.follows = False
        return self._following.pop(session, None)


def _is_called(session: Session, nick: str) -> bool:
    return session.member is not None and same_nick(session.member.nick) == same_nick(nick)
