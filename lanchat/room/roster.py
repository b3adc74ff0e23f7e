"""The roster: the people in a room, as a member knows them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.ids import is_key_of, is_verified
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import Event, Joined, Left, Moved, Present, Renamed, Said, Welcome
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.status import Status
from lanchat.protocol.topic import Topic

SPEAKERS = 200  # people of a crowd who are known because they spoke; nobody needs to complete older nicks


@dataclass(frozen=True)
class Person:
    """One member of a room, as the other members see them."""

    id: str
    nick: str
    host: bool = False
    key: bytes = b""  # Ed25519, raw; only one that fits the id
    web: bool = False  # they are in a browser, as the host says
    bot: bool = False  # it is a program, by its own word
    away: str = ""  # the reason; "": they are not away

    @property
    def verified(self) -> bool:
        """Whether this person has proven a key. A guest of the plain door has not."""
        return is_verified(self.id)


@dataclass
class Roster:
    """The people in one room. Owned by the thread that takes the member's events; it applies each of them in order.

    In a crowd these are the host, we, and those who spoke last.
    """

    me: str = ""
    nick: str = ""
    host_id: str = ""  # the member id of the key that the host showed
    seq: int = 0
    crowd: int = 0  # the number of people in a crowd; 0: there is none, so all are in `people`
    people: dict[tuple[str, str], Person] = field(default_factory=dict)
    gone: dict[str, Person] = field(default_factory=dict)  # by same_nick: the first with a key who was called so
    last_listed: str = ""  # in a crowd, the nick after which the next page begins; "": there is none
    _complete_at: int = 0  # `people` was complete at this seq, so events of the past up to it change nothing

    def welcome(self, welcome: Welcome, present: tuple[Present, ...]) -> None:
        self.me, self.nick, self._complete_at, self.crowd = welcome.id, welcome.nick, welcome.seq, welcome.crowd
        self._replace(map(person_of, present))

    @property
    def number(self) -> int:
        """How many people are in the room."""
        return self.crowd or len(self.people)

    def crowded(self, people: int) -> None:
        """The room is a crowd of this number of people."""
        if not self.crowd:
            self._replace([one for one in self.people.values() if one.id in (self.me, self.host_id)])
        self.crowd = people

    def listed(self, present: tuple[Present, ...], *, more: bool = False, all: bool = False) -> None:
        """Add listed people of a crowd; or the crowd is over, and these are all."""
        self.last_listed = present[-1].nick if more and present else ""
        if all:
            self.crowd = 0
            self._replace(map(person_of, present))
        else:
            for person in present:
                self._remember(person_of(person))

    def _replace(self, people: Iterable[Person]) -> None:
        for person in self.people.values():
            self._remember(person)
        self.people = {(person.id, person.nick): person for person in people}

    def _spoke(self, by: str, nick: str) -> None:
        """Remember the author of a message in a crowd, and the last SPEAKERS authors."""
        known = self.people.pop((by, nick), None)
        gone = self.gone.get(same_nick(nick))
        key = gone.key if gone is not None and gone.id == by else b""
        self.people[by, nick] = known or Person(by, nick, by == self.host_id, key)
        if len(self.people) > SPEAKERS:
            others = (who for who, person in self.people.items() if not person.host and who[0] != self.me)
            if (first := next(others, None)) is not None:
                self._remember(self.people.pop(first))

    def person(self, nick: str) -> Person | None:
        """The person with this nick, else one whose nick looks like it; None: there is neither."""
        return next(iter(self.called(nick)), None)

    def called(self, nick: str) -> list[Person]:
        """Everybody with this nick, else everybody whose nick looks like it; the host first.

        Only a host that breaks the rules gives a nick to two people.
        """
        same, looks = same_nick(nick), skeletons(nick)
        people = self.people.values()
        found = [person for person in people if same_nick(person.nick) == same]
        found = found or [person for person in people if not looks.isdisjoint(skeletons(person.nick))]
        return sorted(found, key=lambda person: person.id != self.host_id)

    def addressee(self, nick: str) -> Person | None:
        """The recipient of a private message to this nick, also if they have left; None: only the host can know it.

        Raises:
            ValueError: it is our own nick.
        """
        name = nick.removeprefix("~")
        person = self.person(name) or self.gone.get(same_nick(name))
        if person.id == self.me if person is not None else same_nick(name) == same_nick(self.nick):
            raise ValueError(f"{nick} is you.")
        return person

    def rival(self, person: Person) -> Person | None:
        """Somebody with another key who has, or first had, this person's nick since we came; None: there is nobody.

        A nick belongs to one key, so only a host that breaks the rules has two people called so: perhaps it wants to
        read what is sealed for one of them.
        """
        same = same_nick(person.nick)
        others = [other for other in self.people.values() if same_nick(other.nick) == same]
        if first := self.gone.get(same):
            others.insert(0, first)
        return next((other for other in others if other.verified and other.id != person.id), None)

    def member(self, id: str) -> Person | None:
        """The person with this member id, under whatever nick, also if they have left."""
        known = chain(self.people.values(), self.gone.values())
        return next((person for person in known if person.id == id), None)

    def apply(self, event: Event) -> None:
        self.seq = max(self.seq, event.seq)
        if self.crowd and isinstance(event, Said):
            self._spoke(event.by, event.nick)
            return
        if event.seq <= self._complete_at:
            return
        match event:
            case Joined(by=by, nick=nick, host=host, key=key, web=web):
                if self.crowd and by not in (self.me, self.host_id):
                    return  # a standby hears of everybody
                if len(self.people) < MAX_PEOPLE:
                    self.people[by, nick] = Person(by, nick, host, _fitting(key, by), web, event.bot)
            case Left(by=by, nick=nick):
                if person := self.people.pop((by, nick), None):
                    self._remember(person)
            case Renamed(by=by, nick=nick, to=to):
                was = self.people.pop((by, nick), None)
                if was is not None and same_nick(nick) != same_nick(to):
                    self._remember(was)
                if len(self.people) < MAX_PEOPLE and (was is not None or not self.crowd):
                    self.people[by, to] = replace(was, nick=to) if was else Person(by, to)
                if (by, nick) == (self.me, self.nick):
                    self.nick = to
            case Moved(by=host):
                for who, person in self.people.items():
                    self.people[who] = replace(person, host=person.id == host)
            case Said() | Topic():
                pass

    def learn(self, status: Status) -> None:
        """Follow a status, which is about somebody present."""
        if person := self.people.get((status.by, status.nick)):
            self.people[status.by, status.nick] = replace(person, bot=status.bot, away=status.away)

    def is_bot(self, by: str, nick: str) -> bool:
        """Whether somebody who is present says that they are a program."""
        person = self.people.get((by, nick))
        return person is not None and person.bot

    def _remember(self, person: Person) -> None:
        """So that a private message that goes to them later is for this key, whatever the host says then."""
        if person.key and person.id != self.me and len(self.gone) < MAX_PEOPLE:
            self.gone.setdefault(same_nick(person.nick), person)


def person_of(present: Present) -> Person:
    """Somebody whom a host has listed."""
    key = _fitting(present.key, present.id)
    return Person(present.id, present.nick, present.host, key, present.web, present.bot, present.away)


def _fitting(key: bytes, id: str) -> bytes:
    return key if is_key_of(key, id) else b""
