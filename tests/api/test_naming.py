"""Whom the owner's program names as standbys. The hub is played by a value, the computers are real ports."""

import errno
import os
import socket
from dataclasses import replace
from typing import Any

import pytest

from lanchat.api.naming import Naming
from lanchat.errors import LanchatError
from lanchat.network import card
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import Delegation, read_delegation
from lanchat.protocol.places import Place, read_places
from lanchat.protocol.timeline import Timeline
from lanchat.protocol.timing import Timing
from lanchat.server.followers import Volunteer
from lanchat.server.session import Session
from lanchat.server.term import Standing, Term
from lanchat.storage.delegations import FILE, Signing
from lanchat.storage.identity import Identity
from tests.support.addresses import LOOPBACK
from tests.support.computer import Computer

ROOM = "5" * 32
TIMING = Timing()
HOUR = 3600.0


class Hub:
    """The side of the hub: who is there, and what it was given to pass on."""

    def __init__(self, owner: Identity) -> None:
        self.standing = Standing(Term(owner.public), ROOM, owner.public, owner.sign, Timeline(64), 0)
        self.volunteers: tuple[Volunteer, ...] = ()
        self.asked: list[str] = []
        self.papers: list[bytes] = []
        self.blocked: dict[str, int] = {}
        self.banned: set[str] = set()
        self.wasteful: frozenset[int] = frozenset()

    @property
    def places(self) -> dict[int, Place]:
        """What everybody in the room is told."""
        return self.standing.places

    def recruit(self, volunteer: Volunteer) -> None:
        self.asked.append(volunteer.nick)

    def name(self, paper: bytes, *places: Place) -> None:
        if paper:
            self.papers.append(paper)
            self.standing.learn(paper)
        self.standing.put(places)

    def note_blocked(self, ports: dict[str, int]) -> None:
        self.blocked = ports


class Stage:
    """ann's room, with a clock that the test moves."""

    def __init__(self, identity: Any, folder: Any, request: Any) -> None:
        self.identity, self.folder, self._request = identity, folder, request
        self.owner: Identity = identity("ann")
        hub: Any = Hub(self.owner)
        self.hub = hub
        self.signing = Signing(folder, ROOM, self.owner, password=False)
        self.said: list[str] = []
        self.now = 1000.0
        self.naming = Naming(
            hub,
            self.signing,
            "ann",
            lambda: [Endpoint("10.0.0.1", 47474)],
            lambda: ("10.0.0.1:47480",),
            LOOPBACK,
            self.said.append,
            TIMING,
        )

    def come(self, nick: str, *, asked: bool = False) -> None:
        session: Any = Session(None, None)  # type: ignore[arg-type]
        key = self.identity(nick).public
        self.hub.volunteers += (Volunteer(session, key, nick, "127.0.0.1", asked, self.now),)

    def offer(self, nick: str, identity: str = "", instance: bytes = b"computer", **card: Any) -> "Computer":
        """This computer is ready, and shows this card."""
        computer = Computer(self.identity(identity or nick), **card)
        self._request.addfinalizer(computer.close)
        self._change(nick, instance=instance, port=computer.port, declined=False)
        return computer

    def decline(self, nick: str) -> None:
        self._change(nick, instance=b"", port=0, declined=True)

    def go(self, nick: str) -> None:
        self.hub.volunteers = tuple(one for one in self.hub.volunteers if one.nick != nick)

    def look(self, later: float = 1.0) -> None:
        self.now += later
        self.naming.look(self.now)

    def met_before(self, *nicks: str) -> None:
        """They have been in the room on earlier days, the first of them first."""
        met = {self.identity(nick).public: day * 86_400_000 for day, nick in enumerate(nicks, 1)}
        self.signing.known = replace(self.signing.known, met=met)

    def with_standby(self, nick: str = "bob") -> None:
        self.come(nick)
        self.look(TIMING.newcomer + 1)
        self.offer(nick)
        self.look()

    @property
    def last(self) -> Delegation:
        return read_delegation(self.hub.papers[-1], self.owner.public)

    @property
    def named(self) -> list[int]:
        return [standby.index for standby in self.last.standbys]

    def _change(self, nick: str, **values: Any) -> None:
        self.hub.volunteers = tuple(replace(one, **values) if one.nick == nick else one for one in self.hub.volunteers)


@pytest.fixture
def stage(identity, tmp_path, request):
    return Stage(identity, tmp_path, request)


def test_a_newcomer_who_stays_is_asked_and_named_once_its_port_is_reached(stage):
    stage.come("bob")
    stage.look(TIMING.newcomer - 2)
    assert stage.hub.asked == []
    stage.look(3)
    stage.look()
    assert stage.hub.asked == ["bob"], "and only once"
    stage.offer("bob")
    stage.look()
    [standby] = stage.last.standbys
    assert (standby.index, standby.key, standby.instance) == (1, stage.identity("bob").public, b"computer")
    assert stage.hub.places[1].nick == "bob" and stage.hub.places[0].at == ("10.0.0.1:47474",)
    assert stage.said == ["bob can take over when you leave or lose the connection. /standbys shows who can."]
    stage.look()
    assert len(stage.said) == 1 and len(stage.hub.papers) == 2, "the first list names nobody"


def test_who_is_known_longest_is_asked_first_and_no_more_than_are_needed(stage):
    stage.met_before("dan", "cat", "bob", "eve")
    for nick in ("new", "eve", "bob", "cat", "dan"):
        stage.come(nick)
    stage.look(TIMING.newcomer + 1)
    stage.look()
    assert stage.hub.asked == ["dan", "cat", "bob"], "and nobody else while these get ready"
    for nick in ("dan", "cat", "bob"):
        stage.offer(nick)
    stage.look()
    assert stage.named == [1, 2, 3]
    stage.look(HOUR / 2)
    assert len(stage.hub.asked) == 3
    stage.go("cat")
    stage.look()
    assert stage.hub.asked[3:] == ["eve"], "one takes the place of who is away"


@pytest.mark.parametrize(
    "wrong", [{"identity": "eve"}, {"room": "6" * 32}, {"standby": ""}], ids=["key", "room", "no standby"]
)
def test_a_port_where_something_else_answers_is_not_named(stage, wrong):
    stage.come("bob")
    stage.look(TIMING.newcomer + 1)
    stage.offer("bob", **wrong)
    stage.look()
    assert stage.named == [] and list(stage.hub.blocked) == ["bob"]


def test_a_blocked_port_is_tried_again_after_a_while_and_others_are_asked_meanwhile(stage):
    stage.come("bob")
    stage.look(TIMING.newcomer + 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    stage._change("bob", instance=b"computer", port=port)
    stage.look()
    assert stage.named == [] and stage.hub.blocked == {"bob": port}
    stage.offer("bob")
    stage.look()
    assert stage.named == []
    stage.look(TIMING.blocked)
    assert stage.named == [1] and stage.hub.blocked == {}


@pytest.mark.parametrize("lacking", [errno.EMFILE, errno.ENETUNREACH], ids=["descriptors", "a network"])
def test_a_port_is_not_blocked_because_this_machine_could_not_ask_just_then(stage, monkeypatch, lacking):
    def fail(endpoint: Endpoint) -> socket.socket:
        raise OSError(lacking, os.strerror(lacking))

    stage.come("bob")
    stage.look(TIMING.newcomer + 1)
    stage.offer("bob")
    with monkeypatch.context() as short:
        short.setattr(card, "begin_connect", fail)
        stage.look()
    assert stage.named == [] and stage.hub.blocked == {}
    stage.look()
    assert stage.named == [1]


def test_a_computer_that_does_not_get_ready_in_time_is_not_waited_for(stage):
    for nick in ("bob", "cat", "dan", "eve"):
        stage.come(nick)
    stage.look(TIMING.newcomer + 1)
    assert len(stage.hub.asked) == 3
    stage.look(60)
    assert len(stage.hub.asked) == 4


def test_a_program_is_not_named_by_itself_though_it_is_ready(stage):
    stage.come("script", asked=True)
    stage.look(HOUR)
    stage.offer("script")
    stage.look(HOUR)
    assert stage.hub.asked == [] and stage.named == []


def test_who_has_left_is_not_listed_as_blocked_any_more(stage):
    stage.come("bob")
    stage.look(TIMING.newcomer + 1)
    stage.offer("bob", room="6" * 32)
    stage.look()
    assert list(stage.hub.blocked) == ["bob"]
    stage.go("bob")
    stage.look()
    assert stage.hub.blocked == {}


def test_who_goes_away_stays_named(stage):
    stage.with_standby()
    stage.go("bob")
    stage.look(HOUR)
    assert stage.named == [1]


def test_who_is_banned_is_taken_off_the_list_though_others_go_away_and_stay_named(stage):
    stage.with_standby()
    stage.go("bob")
    stage.hub.banned = {stage.identity("bob").id}
    stage.look()
    assert stage.named == []
    stage.hub.banned = set()
    stage.with_standby()
    assert stage.named == [1], "the same index, because it is the same computer"


def test_who_uses_up_the_terms_of_the_room_is_no_standby_any_more_until_the_owner_wants_it(stage):
    stage.with_standby("bob")
    stage.with_standby("cat")
    stage.said.clear()
    stage.hub.wasteful = frozenset({1})
    stage.look()
    assert stage.named == [2] and len(stage.said) == 1
    assert stage.said[0].startswith("bob has begun to host the room more often than any room needs")
    stage.look(HOUR)
    assert stage.named == [2] and len(stage.said) == 1
    again = Signing(stage.folder, ROOM, stage.owner, password=False).known
    assert again.distrusted == {1}, "on another day as well"
    assert again.term == 1 and again.term_at == stage.last.made
    stage.naming.order("bob cat")
    stage.look()
    assert stage.named == [1, 2]


def test_the_list_is_signed_again_each_hour_with_a_higher_number(stage):
    stage.with_standby()
    before = stage.last
    stage.look(TIMING.renewal - 10)
    assert stage.last == before
    stage.look(20)
    assert stage.last.number > before.number and stage.last.standbys == before.standbys


def test_the_owner_ends_it_and_begins_it_again(stage):
    stage.with_standby()
    assert "Nobody can take over" in stage.naming.order("off")
    assert stage.named == []
    stage.look(HOUR)
    assert stage.named == []
    stage.naming.order("auto")
    stage.look()
    assert stage.named == [1], "the same index, because it is the same computer"


def test_a_computer_that_is_on_the_list_again_has_its_place_again(stage):
    """Else `/standbys` would not know its nick, and nobody where to look for it when the host is gone."""
    stage.with_standby("bob")
    stage.naming.order("off")
    assert list(stage.hub.places) == [0]
    assert stage.naming.order("bob") == "bob has been asked. /standbys shows who can take over."
    stage.look()
    assert stage.named == [1] and stage.hub.places[1].nick == "bob"


def test_the_owner_names_exactly_whom_it_wants_also_one_that_is_never_named_by_itself(stage):
    stage.with_standby()
    stage.come("script", asked=True)
    stage.look(HOUR)
    assert stage.hub.asked == ["bob"]
    assert "nobody is not here" in stage.naming.order("nobody")
    stage.naming.order("script")
    assert stage.named == []
    stage.look()
    assert stage.hub.asked == ["bob", "script"]
    stage.offer("script")
    stage.look()
    assert stage.named == [2]


def test_an_owner_who_asks_for_a_computer_that_has_declined_is_told_so(stage):
    stage.come("bob")
    stage.decline("bob")
    declined = "bob does not want that computer to be a standby, or it cannot be one now."
    assert stage.naming.order("bob") == declined
    stage.look()
    assert stage.hub.asked == []


def test_an_owner_is_told_what_becomes_of_each_computer_that_it_has_asked_for(stage):
    for nick in ("bob", "cat", "dan"):
        stage.come(nick)
    assert stage.naming.order("bob cat dan").startswith("bob, cat and dan have been asked.")
    stage.look()
    assert sorted(stage.hub.asked) == ["bob", "cat", "dan"]
    stage.decline("bob")
    stage.offer("cat", "eve")
    stage.look()
    port = next(one.port for one in stage.hub.volunteers if one.nick == "cat")
    assert stage.said == [
        "bob does not want that computer to be a standby, or it cannot be one now.",
        f"The port {port} of cat's computer cannot be reached: a firewall may block it.",
    ]
    stage.look(16.0)
    assert stage.said[2:] == ["dan's computer does not say whether it can be a standby."]
    stage.look(16.0)
    assert len(stage.said) == 3, "each is told once"


def test_computers_are_looked_at_side_by_side(stage):
    """bob's computer shows its card only once cat's was looked at, too."""
    for nick in ("bob", "cat"):
        stage.come(nick)
    stage.look(TIMING.newcomer + 1)
    cat = stage.offer("cat")
    stage.offer("bob", after=cat)
    stage.look()
    assert stage.named == [1, 2]


def test_indexes_and_numbers_survive_a_restart_and_a_damaged_file_names_nobody(stage):
    stage.with_standby()
    again = Signing(stage.folder, ROOM, stage.owner, password=True)
    assert [place.nick for place in read_places(again.known.places)] == ["ann", "bob"]
    assert again.standbys == stage.last.standbys and again.known.indexes == stage.signing.known.indexes
    paper = read_delegation(again.sign((), 1), stage.owner.public)
    assert paper.number > stage.last.number and paper.password
    (stage.folder / FILE).write_text("{")
    with pytest.raises(LanchatError, match="damaged"):
        Signing(stage.folder, ROOM, stage.owner, password=False)
