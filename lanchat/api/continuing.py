"""Continues a room from the copy on this computer when nobody hosts it, for example on the next morning."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lanchat.api.dialer import Dialer
from lanchat.api.doors import Wishes
from lanchat.api.opening import LocalUser, own_check
from lanchat.api.room import JoinedRoom
from lanchat.api.search import LOOK, Search, Seen
from lanchat.client.keeper import Promotion
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.delegation import OWNER_INDEX, Delegation, read_delegation, read_term
from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.invite import Invite
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place, read_places, read_rules
from lanchat.protocol.text import safe_text, same_title
from lanchat.protocol.timeline import MAX_TERM, index_of, make_epoch, term_of
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.room.succession import Peer
from lanchat.storage.copies import KeptCopy, kept_copies
from lanchat.storage.home import home_folder
from lanchat.storage.identity import Identity, load_identity
from lanchat.storage.log import ignore
from lanchat.storage.member_store import DiskStore, MemberStore
from lanchat.threads import now_ms


@dataclass(frozen=True)
class Copy:
    """A copy of somebody else's room, of which this computer is a standby.

    Args:
        epoch: of the last host.
        index: of this computer.
        problem: why it cannot host the room now, as a sentence; "": it can.
    """

    title: str
    papers: Papers
    named: Delegation
    places: tuple[Place, ...]
    epoch: int
    index: int
    seq: int
    problem: str

    def nick(self, index: int) -> str:
        """The nick of the person at the computer with this index; "": it is not known."""
        return next((place.nick for place in self.places if place.index == index), "")


def find_copy(title: str, *, home: Path | None = None, now: int | None = None) -> Copy | None:
    """The copy of the room with this title that was used last.

    Args:
        home: by default that of this program.
        now: ms since 1970; None: what the clock says.
    """
    home = home or home_folder()
    now = now_ms() if now is None else now
    kept = kept_copies(home)
    identity = load_identity(home) if kept else None
    for one in kept:
        copy = _read(one, identity, now) if identity is not None else None
        if copy is not None and same_title(copy.title) == same_title(title):
            return copy
    return None


def look_for_host(copy: Copy, on: OwnAddresses, *, home: Path | None = None, look: float = LOOK) -> Seen:
    """Look whether somebody hosts this room, for `look` s at most."""
    identity = load_identity(home or home_folder())
    others = [place for place in copy.places if place.index != copy.index]
    return Search(copy.papers, identity.public, others).run(on, look)


def continue_room(
    copy: Copy,
    nick: str,
    *,
    least_term: int = 0,
    password: str | None = None,
    on: OwnAddresses | None = None,
    on_problem: Callable[[str], None] = ignore,
    drop_oldest: bool = True,
    wishes: Wishes | None = None,
    timing: Timing = DEFAULT_TIMING,
) -> JoinedRoom:
    """Host the room of a copy, and join it.

    Args:
        least_term: the term that begins has at least this number.
        password: of the room; it must be the same as before, or its members cannot come in.
        drop_oldest: as for `host`.
        wishes: the doors that were asked for.

    Raises:
        LanchatError: it cannot be hosted here and now.
    """
    home, on = home_folder(), on or OwnAddresses()
    user = LocalUser(home, load_identity(home), nick, password, on, on_problem, drop_oldest, timing, wishes or Wishes())
    term = max(term_of(copy.epoch) + 1, least_term)
    if copy.problem or term > min(copy.named.term_limit, MAX_TERM):
        raise LanchatError(copy.problem or "The room has been moved too often: only its owner can host it now.")
    card = _card(copy, password=password is not None)
    check = own_check(home, copy.papers.room, copy.papers.owner)
    dialer = Dialer((), check, on, timing)
    keeper = user.standby(dialer, willing=1)

    def open_store(shown: Card) -> MemberStore:
        store = DiskStore(home, shown, on_problem)
        user.state.seen = store.reached.event
        return store

    with ExitStack() as undo:
        undo.callback(keeper.close, end=True)
        keeper.met(card)
        replica = keeper.open_copy(copy.papers)
        if replica is None:
            raise LanchatError(f'Another lanchat on this computer uses the copy of "{safe_text(copy.title)}".')
        undo.callback(replica.close)
        last = Peer(copy.index, copy.epoch, copy.seq, "lost")
        keeper.listen(lambda: (copy.papers, last), None)
        epoch = make_epoch(term, copy.index)
        keeper.begin_hosting(Promotion(epoch, "", copy.papers, "", (), copy.places, replica))
        member = user.member(dialer, keeper, open_store, moves=True)
        connected = member.join()
        undo.callback(member.close)
        keeper.settled()
        member.transfers.dial = dialer.dial_again
        keeper.copy_files(member)
        undo.pop_all()
    return JoinedRoom(
        member,
        connected,
        user.state,
        make_invite=lambda: Invite(dialer.shared_endpoints(), copy.papers.room, check.fingerprint),
        standby=keeper,
    )


def _read(kept: KeptCopy, identity: Identity, now: int) -> Copy | None:
    """Read what a copy says about its room; None: essential parts are missing, or the room is our own."""
    state = kept.state
    try:
        owner, rules = state["owner"], read_rules(state["rules"].decode())
        named = read_delegation(state["delegation"], owner)
        term = read_term(state["term"])
        places = read_places(state.get("places", b"[]").decode())
    except (KeyError, UnicodeDecodeError, LanchatError):
        return None
    index = named.index(identity.public, state.get("instance", b""))
    if named.room != kept.room or term.room != kept.room or owner == identity.public:
        return None
    problem, whose = "", next((place.nick for place in places if place.index == OWNER_INDEX), "") or "the owner"
    if not named.standbys:
        problem = f"{safe_text(whose)} has closed the room, or wants no other computer to host it."
    elif index is None:
        problem = f"{safe_text(whose)} has taken this computer off the list of standbys."
    elif now >= named.until:
        problem = f"{safe_text(whose)} has been away for too long: the list of standbys has expired."
    elif "whole" not in state:
        problem = "The copy on this computer is not complete."
    papers = Papers(kept.room, owner, state["delegation"], state["term"])
    return Copy(rules.title, papers, named, places, term.epoch, index or 0, kept.seq, problem)


def _card(copy: Copy, *, password: bool) -> Card:
    """A card like that of the last host, as far as it matters here."""
    papers, nick = copy.papers, copy.nick(index_of(copy.epoch))
    shown = VERSION, papers.room, copy.title, nick, 0, password, secrets.token_bytes(NONCE_SIZE)
    return Card(*shown, owner=papers.owner, delegation=papers.delegation, term=papers.term)
