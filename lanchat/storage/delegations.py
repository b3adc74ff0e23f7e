"""What the owner of a room has signed about standbys, in a file beside the room's log.

An index belongs to one computer for the whole life of the room, so what is here must never be forgotten: a file that
cannot be read lets nobody be named any more. The numbers of the lists only grow, and follow the clock, so that even an
old copy of this file makes no list that is older than one that others have seen.
"""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import TERMS_AHEAD, VALIDITY, Delegation, Standby, read_delegation
from lanchat.protocol.timeline import MAX_TERM
from lanchat.storage.files import file_errors, write_file
from lanchat.storage.identity import Identity
from lanchat.threads import now_ms

FILE = "standbys.json"
_DAY = 86_400_000  # ms
_MET = 1000  # keys whose first day in the room is remembered

Computer = tuple[bytes, bytes]  # key and instance


@dataclass(frozen=True)
class Appointed:
    """The content of that file.

    Args:
        paper: the last list that was signed; b"": none.
        number: of that list.
        indexes: all that were ever given.
        met: ms since 1970, when each key was in the room first. The oldest are kept.
        automatic: whether standbys are named without being asked for.
        places: where they were last, as in `Standbys`; "": not known.
        handed: the nick of the person whose computer hosts the room since our handover; "": we hosted it last.
        distrusted: the indexes of computers that are not named without being asked for, because they have begun more
            terms than the room needs.
        term, term_at: the last term in which we have hosted, and ms since 1970, when we did so last; 0: not known.
    """

    paper: bytes = b""
    number: int = 0
    indexes: Mapping[Computer, int] = field(default_factory=dict)
    met: Mapping[bytes, int] = field(default_factory=dict)
    automatic: bool = True
    places: str = ""
    handed: str = ""
    distrusted: frozenset[int] = frozenset()
    term: int = 0
    term_at: int = 0


def read_appointed(folder: Path) -> Appointed:
    """Read what the owner of the room in this folder has signed and noted about its standbys.

    Raises:
        LanchatError: the file is damaged, or cannot be read.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        indexes = {(bytes.fromhex(key), bytes.fromhex(instance)): int(n) for key, instance, n in found["indexes"]}
        met = {bytes.fromhex(key): int(at) for key, at in found["met"].items()}
        paper = base64.b64decode(found["paper"], validate=True)
        places, handed = str(found.get("places", "")), str(found.get("handed", ""))
        distrusted = frozenset(int(index) for index in found.get("distrusted", ()))
        automatic = bool(found["automatic"])
        term = int(found.get("term", 0)), int(found.get("term_at", 0))
        return Appointed(paper, int(found["number"]), indexes, met, automatic, places, handed, distrusted, *term)
    except FileNotFoundError:
        return Appointed()
    except OSError as error:
        raise LanchatError(f"Cannot read {path} ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LanchatError(
            f"{path} is damaged, so this room names no standbys.", "Open the room again as a new one: --new"
        ) from None


def write_appointed(folder: Path, appointed: Appointed) -> None:
    """Store it durably, before anybody sees a list that follows from it.

    Raises:
        LanchatError: the folder cannot be written.
    """
    values = {
        "number": appointed.number,
        "paper": base64.b64encode(appointed.paper).decode(),
        "indexes": [[key.hex(), instance.hex(), index] for (key, instance), index in appointed.indexes.items()],
        "met": {key.hex(): at for key, at in appointed.met.items()},
        "automatic": appointed.automatic,
        "places": appointed.places,
        "handed": appointed.handed,
        "distrusted": sorted(appointed.distrusted),
        "term": appointed.term,
        "term_at": appointed.term_at,
    }
    with file_errors(folder / FILE):
        write_file(folder / FILE, f"{json.dumps(values)}\n".encode(), durable=True)


class Signing:
    """Signs the lists of standbys of one room. One thread at a time.

    Args:
        folder: of the room.
        password: whether the room has one.

    Raises:
        LanchatError: what the folder says about earlier lists cannot be read.
    """

    def __init__(self, folder: Path, room: str, identity: Identity, *, password: bool) -> None:
        self.known: Appointed = read_appointed(folder)
        self._folder, self._room, self._identity, self._password = folder, room, identity, password
        last = read_delegation(self.known.paper, identity.public) if self.known.paper else None
        self.standbys = last.standbys if last is not None else ()
        self._limit = last.term_limit if last is not None else TERMS_AHEAD

    def sign(self, standbys: tuple[Standby, ...], term: int | None = None, *, automatic: bool | None = None) -> bytes:
        """A new list, which is on our disk before anybody sees it.

        Args:
            term: of the current host; None: not known yet.
            automatic: whether others are named without being asked for; None: as before.

        Raises:
            LanchatError: the disk refuses.
        """
        now = now_ms()
        number = max(self.known.number + 1, now)
        if term is not None:
            self._limit = min(term + TERMS_AHEAD, MAX_TERM)
        made = Delegation(self._room, number, now, now + VALIDITY, self._password, self._limit, standbys)
        paper = made.signed(self._identity.sign)
        given = {(one.key, one.instance): one.index for one in standbys}
        known = replace(
            self.known,
            paper=paper,
            number=number,
            indexes={**self.known.indexes, **given},
            automatic=self.known.automatic if automatic is None else automatic,
            term=self.known.term if term is None else term,
            term_at=self.known.term_at if term is None else now,
        )
        write_appointed(self._folder, known)
        self.known, self.standbys = known, standbys
        return paper

    def put(self, places: str) -> None:
        """Note the places of the standbys, for a later start at which one of them hosts the room."""
        if places != self.known.places:
            self.known = replace(self.known, places=places)
            write_appointed(self._folder, self.known)

    def hand(self, nick: str) -> None:
        """Note the nick of the person whose computer hosts the room from now on; "": ours does."""
        if nick != self.known.handed:
            self.known = replace(self.known, handed=nick)
            write_appointed(self._folder, self.known)

    def distrust(self, indexes: Collection[int]) -> None:
        """From now on these computers are named only if somebody asks for them."""
        self.known = replace(self.known, distrusted=self.known.distrusted.union(indexes))
        write_appointed(self._folder, self.known)

    def trust(self, keys: Collection[bytes]) -> None:
        """The owner asks for the computers with these keys."""
        theirs = {index for (key, _), index in self.known.indexes.items() if key in keys}
        if self.known.distrusted & theirs:
            self.known = replace(self.known, distrusted=self.known.distrusted - theirs)
            write_appointed(self._folder, self.known)

    def meet(self, keys: Sequence[bytes]) -> None:
        """Note the keys that are in the room for the first time."""
        now, met = now_ms(), dict(self.known.met)
        new = {key: now for key in keys if key not in met}
        if new and len(met) < _MET:
            self.known = replace(self.known, met={**met, **new})
            write_appointed(self._folder, self.known)

    def known_since(self, key: bytes) -> int:
        """ms since 1970 when this key was in the room first, if that was on an earlier day; else 0."""
        met, now = self.known.met.get(key, 0), now_ms()
        return met if met and met // _DAY < now // _DAY else 0
