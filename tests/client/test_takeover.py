"""What a standby does that has lost its host: real sockets for the cards, everything else made up."""

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from lanchat.client.reconnect import SameRoom
from lanchat.client.takeover import Lost, Takeover
from lanchat.network.card import cards_at, refuses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import VALIDITY, Delegation, Standby, TermRecord
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.room.succession import Claim, Follow, Peer, State, Wait
from lanchat.server.standby import StandbyPort
from lanchat.storage.identity import Identity, load_identity
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE

ROOM = "5" * 32
ANN, BOB, CAT = range(3)
EPOCH = make_epoch(1, ANN)
TIMING = Timing(ask=1.0, ask_long=PATIENCE, refused_again=0.01, host_silence=15.0, indirect=90.0)
HASTY = replace(TIMING, ask=0.25, ask_again=0.01)  # where nobody answers, or the others have the long time
PATIENT = replace(TIMING, ask=PATIENCE, ask_long=PATIENCE)  # where everybody answers or refuses, however busy
NOW = 1_700_000_000_000


class Stage:
    """ann owned and hosted the room; bob is the one that seeks, and cat may answer at her port."""

    def __init__(self, folder: Path, open_later: Callable[[StandbyPort], object]) -> None:
        self._open_later, self.timing = open_later, TIMING
        self.people: list[Identity] = [load_identity(folder / nick) for nick in ("ann", "bob", "cat")]
        ann, *others = self.people
        standbys = tuple(Standby(index, one.public, bytes(8)) for index, one in enumerate(others, 1))
        named = Delegation(ROOM, 1, NOW, NOW + VALIDITY, term_limit=99, standbys=standbys).signed(ann.sign)
        term = TermRecord(ROOM, ann.public, 1, NOW, Timeline(EPOCH)).signed(ann.sign)
        self.papers = Papers(ROOM, ann.public, named, term)
        self.card = Card(VERSION, ROOM, "Room A", "ann", 3, False, bytes(32), False, ann.public, named, term)
        self.places = [Place(index, one.public, "") for index, one in enumerate(self.people)]

    def cat(
        self,
        n: int,
        state: State = "lost",
        epoch: int = EPOCH,
        *,
        by: int = CAT,
        slow: float = 0.0,
        able: bool = True,
        asked: Callable[[], object] = lambda: None,
    ) -> StandbyPort:
        """cat's port, which says this.

        Args:
            by: who answers there.
            slow: s that the answer takes.
            asked: called before it.
        """
        peer = Peer(CAT, epoch, make_seq(EPOCH, n), state, able=able)

        def state_of() -> tuple[Papers, Peer]:
            asked()
            threading.Event().wait(slow)
            return self.papers, peer

        port = StandbyPort(self.people[by], LOOPBACK, self.card, state_of, DEFAULT_LIMITS, TIMING, 0)
        self._open_later(port)
        self.places[CAT] = Place(CAT, self.people[CAT].public, "cat", (f"127.0.0.1:{port.port}",))
        return port

    def host(self, slow: float) -> None:
        """ann hosts, and her card takes so many s to come."""

        def state_of() -> tuple[Papers, Peer]:
            threading.Event().wait(slow)
            return self.papers, Peer(ANN, EPOCH, make_seq(EPOCH, 5), cast("State", ""))

        port = StandbyPort(self.people[ANN], LOOPBACK, self.card, state_of, DEFAULT_LIMITS, TIMING, 0)
        self._open_later(port)
        self.places[ANN] = Place(ANN, self.people[ANN].public, "ann", (f"127.0.0.1:{port.port}",))

    def bob(
        self,
        n: int,
        host_at: int,
        *,
        silent: bool = False,
        rough: bool = False,
        since: float = 0.0,
        took: float = 0.0,
        fetch: Callable[[Place], int | None] = lambda place: None,
    ) -> Takeover:
        room = SameRoom(self.card, self.people[ANN].public, lambda: NOW)
        me = Peer(BOB, EPOCH, make_seq(EPOCH, n), "lost")
        host = ANN, (Endpoint("127.0.0.1", host_at),)
        lost = Lost(time.monotonic() - since, silent, rough, took)
        return Takeover(me, room, tuple(self.places), host, self.timing, lost, fetch)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as ports:
        yield Stage(tmp_path, lambda port: ports.callback(port.close))


@pytest.fixture
def dead() -> int:
    """A port that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def stopped() -> Iterator[socket.socket]:
    """The socket of a process that is stopped: it takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def frozen(stopped: socket.socket) -> int:
    """The port of this socket."""
    return int(stopped.getsockname()[1])


def seek(takeover: Takeover) -> object:
    return takeover.seek(lambda: False)


def test_a_host_whose_port_refuses_twice_is_gone_and_who_has_most_hosts_next(stage, dead):
    stage.timing = PATIENT
    stage.cat(4)
    assert seek(stage.bob(5, dead)) == Claim(make_epoch(2, BOB))


def test_a_standby_that_has_more_goes_first(stage, dead):
    stage.timing = PATIENT
    stage.cat(6)
    assert seek(stage.bob(5, dead)) == Wait("Another standby takes over.")


def test_a_standby_that_goes_first_and_dies_is_replaced(stage, dead):
    stage.timing = PATIENT
    port = stage.cat(6)
    takeover = stage.bob(5, dead)
    assert seek(takeover) == Wait("Another standby takes over.")
    port.close()
    takeover._loss.promoted = CAT, -math.inf  # its time is over,
    takeover._loss.asked_at = None  # and everybody is asked again
    assert seek(takeover) == Claim(make_epoch(2, BOB))


def test_one_that_is_to_go_first_and_does_not_is_passed_over_but_its_lines_are_not(stage, dead):
    asked: list[str] = []
    stage.timing = replace(PATIENT, promotion=0.0)
    stage.cat(6)
    assert seek(stage.bob(5, dead, fetch=lambda place: asked.append(place.nick))) == Claim(make_epoch(2, BOB))
    assert asked == ["cat"]


def test_nobody_moves_a_room_whose_host_another_standby_hears(stage, dead):
    """Only the path between the two is broken: here the port refuses."""
    stage.timing = PATIENT
    stage.cat(4, "hears")
    assert seek(stage.bob(5, dead, since=TIMING.host_silence)) == Wait("Another standby still hears the host.")


def test_nobody_moves_a_room_whose_silent_host_another_standby_hears(stage, stopped, frozen):
    """The port says nothing, and hangs up only after the other standby was asked."""
    stage.timing = PATIENT
    stage.cat(4, "hears", asked=stopped.close)
    assert seek(stage.bob(5, frozen, since=TIMING.host_silence)) == Wait("Another standby still hears the host.")


def test_a_host_that_says_nothing_is_given_its_time(stage, frozen):
    stage.timing = HASTY
    assert seek(stage.bob(5, frozen)) == Wait("The host may still be there.")
    assert seek(stage.bob(5, frozen, since=TIMING.host_silence)) == Claim(make_epoch(2, BOB))


def test_after_silence_nobody_waits_for_the_host_once_more(stage, frozen):
    began = time.monotonic()
    stage.places[ANN] = Place(ANN, stage.people[ANN].public, "ann", (f"127.0.0.1:{frozen}",))
    stage.timing = replace(TIMING, ask=60.0)
    assert seek(stage.bob(5, frozen, silent=True)) == Claim(make_epoch(2, BOB))
    assert time.monotonic() - began < 60


def test_on_a_bad_network_a_silent_host_is_asked_once_more_before_anybody_hosts_in_its_place(stage, frozen):
    """Here a card takes longer than the others are given on a good network."""
    stage.host(slow=1.5 * TIMING.ask)
    assert seek(stage.bob(5, frozen, silent=True)) == Claim(make_epoch(2, BOB))
    assert seek(stage.bob(5, frozen, silent=True, rough=True)) == Follow(ANN)


@pytest.mark.parametrize("slow", [{"rough": True}, {"took": 20 * HASTY.ask}], ids=["much is lost", "all takes long"])
def test_on_a_slow_network_the_others_have_time_to_answer_whenever_they_are_asked(stage, dead, slow):
    stage.timing = HASTY
    stage.cat(4, "hears", slow=2 * HASTY.ask)
    takeover = stage.bob(5, dead, **slow)
    for _ in range(2):
        assert seek(takeover) == Wait("Another standby still hears the host.")
        threading.Event().wait(2 * stage.timing.ask_again)


@pytest.mark.parametrize("fetched", [make_seq(EPOCH, 9), None], ids=["they come", "they do not come"])
def test_the_lines_of_one_that_cannot_host_are_asked_for_once(stage, dead, fetched: int | None):
    asked: list[str] = []

    def fetch(place: Place) -> int | None:
        asked.append(place.nick)
        return fetched

    stage.timing = PATIENT
    stage.cat(9, able=False, epoch=make_epoch(1, CAT))
    assert seek(stage.bob(5, dead, fetch=fetch)) == Claim(make_epoch(2, BOB))
    assert asked == ["cat"]


def test_who_leaves_waits_for_nobodys_card(stage, frozen):
    began = time.monotonic()
    leaving = iter([False, False])
    stage.timing = replace(TIMING, ask_long=60.0)
    takeover = stage.bob(5, frozen, silent=True, rough=True)
    assert takeover.seek(lambda: next(leaving, True)) == Wait("We leave.")
    assert time.monotonic() - began < 60


def test_somebody_else_at_the_place_of_a_standby_counts_for_nothing(stage, dead):
    stage.cat(9, by=ANN)
    stage.places[CAT] = Place(CAT, stage.people[ANN].public, "cat", stage.places[CAT].at)  # so a host has told
    assert seek(stage.bob(5, dead)) == Claim(make_epoch(2, BOB))


def test_who_leaves_claims_nothing(stage, dead):
    assert stage.bob(5, dead).seek(lambda: True) == Wait("We leave.")


def test_cards_are_read_of_all_that_answer_and_frozen_ones_are_asked_at_once(stage, stopped, frozen, dead):
    stage.cat(4)
    silent = (Endpoint("127.0.0.1", frozen),)
    places = {0: silent, 1: silent, 2: stage.places[CAT].endpoints, 3: (Endpoint("127.0.0.1", dead),)}
    stopped.setblocking(False)
    taken: list[socket.socket] = []
    with ExitStack() as connections:

        def enough(found: Mapping[int, object]) -> bool:
            with suppress(BlockingIOError):
                taken.append(connections.enter_context(stopped.accept()[0]))
            return len(taken) == 2 and 2 in found

        found = cards_at(places, client_context(), PATIENCE, enough=enough)
        assert len(taken) == 2
    assert [(index, card.seq, key) for index, (card, key) in found.items()] == [
        (2, make_seq(EPOCH, 4), stage.people[CAT].public)
    ]


def test_a_port_refuses_only_if_a_machine_is_there(dead, frozen):
    assert refuses((Endpoint("127.0.0.1", dead),), 1.0)
    assert not refuses((Endpoint("127.0.0.1", frozen),), 1.0)
    assert not refuses((), 1.0)
