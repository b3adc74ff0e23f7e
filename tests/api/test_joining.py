"""Resolving the name of a room, and reconnecting to a room that has moved. The list of rooms is a script."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lanchat.api.joining import join
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import NAME_WAIT, Target, resolve, target_of
from lanchat.discovery import finder as finder_module
from lanchat.discovery.sighting import Listing, shown_title
from lanchat.errors import HostKeyChanged, LanchatError, NoSuchRoom
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.rooms import open_room
from lanchat.terminal.joining import join_by_name, join_listing
from lanchat.terminal.prompts import WantedNick, Who
from tests.support.addresses import LOOPBACK
from tests.support.people import lose
from tests.support.waiting import PATIENCE, wait_until

ROOM, KEY = "0123456789abcdef" * 2, "ab" * 32
HERE = Endpoint("10.0.0.2", 47474)
ANN = Who(WantedNick("ann", given=True))


def listing(
    title: str, room_id: str = ROOM, where: Endpoint = HERE, *, password: bool = False, key: str = KEY
) -> Listing:
    return Listing(room_id, title, "ann", 3, password, (where,), ("told",), "answering", key)


def row_of(room: Host, *, key: str = "") -> Listing:
    where = Endpoint("127.0.0.1", room.port)
    return listing(room.title, room.room_id, where, key=key or fingerprint(room.identity.public))


class Network:
    """Stands for every finder: it shows these rooms, and notes where and how long it was asked to look."""

    def __init__(self) -> None:
        self.rooms: tuple[Listing, ...] = ()
        self.looked_on: list[OwnAddresses] = []
        self.wanted: list[str] = []
        self.waits: list[float] = []
        self.looking = threading.Event()
        self.changed = threading.Event()

    def __call__(self, on: OwnAddresses, *, wanted: str) -> "Network":
        self.looked_on.append(on)
        self.wanted.append(wanted)
        return self

    def listings(self) -> tuple[Listing, ...]:
        return self.rooms

    def problems(self) -> tuple[str, ...]:
        return ()

    def find(self, title: str, wait: float) -> tuple[Listing, ...]:
        self.waits.append(wait)
        return tuple(room for room in self.rooms if room.title == shown_title(title))

    def wait_change(self, since: tuple[Listing, ...], timeout: float) -> tuple[Listing, ...]:
        self.looking.set()
        self.changed.wait(timeout)
        return self.rooms

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    network = Network()
    monkeypatch.setattr(finder_module, "Finder", network)
    yield network
    network.changed.set()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; only `annas-mac.local` and `localhost` are known."""
    asked: list[str] = []

    def look_up(host: str, port: int, **options: object) -> list[object]:
        asked.append(host)
        if host not in ("annas-mac.local", "localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.9", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


# ---- what a name means


@pytest.mark.parametrize(
    "title",
    [
        "Room A",
        "node.js",
        "v2.0",
        "2.0",
        "Dr.Who",
        "Team:",
        "localhost",
        "lanchat: talk",
        "lanchat:x",
        "12:30:45",
        "...",
    ],
)
def test_a_title_may_look_like_an_address(network, names, title):
    network.rooms = (listing("Lobby"), listing(title))
    assert resolve(title, 5, LOOPBACK) == Target((HERE,), ROOM, KEY, listed=True)
    assert names == [], "nobody else hears of it"


@pytest.mark.parametrize("name", ["10.0.0.2", "10.0.0.2:47474", "10.0.0.2:", "[fe80::1%eth0]:5000", "::1", "team:5000"])
def test_an_address_needs_no_discovery(network, names, name):
    network.rooms = (listing(name),)
    assert resolve(name, 5, LOOPBACK).room_id is None
    assert network.looked_on == [] and names == []


@pytest.mark.parametrize("name", ["annas-mac.local", "localhost"])
def test_a_machine_is_looked_up_if_no_room_has_the_name(network, names, name):
    assert resolve(name, 5, LOOPBACK) == Target((Endpoint(name),))
    assert network.waits == [NAME_WAIT]
    assert resolve(name, 0.5, LOOPBACK) == Target((Endpoint(name),))
    assert network.waits[1:] == [0.5]


def test_a_room_may_still_appear_if_no_machine_has_the_name(network, names):
    with pytest.raises(NoSuchRoom, match='No room and no machine called "node.js" on this network'):
        resolve("node.js", 5, LOOPBACK)
    assert names == ["node.js"]
    assert network.waits[0] == NAME_WAIT and network.waits[1] > 0


def test_an_invite_names_one_room_and_one_key(network, names):
    assert resolve(f"lanchat://10.0.0.2:47474/{ROOM}#{KEY}", 5, LOOPBACK) == Target((HERE,), ROOM, KEY)
    with pytest.raises(ValueError, match="invite"):
        resolve("lanchat://10.0.0.2:47474/", 5, LOOPBACK)
    assert network.looked_on == []


def test_one_of_several_rooms_with_a_title_is_chosen(network):
    network.rooms = (listing("Room A"), listing("Room A", "5" * 32, password=True))
    with pytest.raises(LanchatError, match="2 rooms are called"):
        resolve("Room A", 5, LOOPBACK)
    chosen = resolve("Room A", 5, LOOPBACK, choose=lambda rooms, away: rooms[1])
    assert chosen == Target((HERE,), "5" * 32, KEY, password=True, listed=True)


def test_a_row_that_has_never_answered_has_only_a_hint_of_its_key():
    silent = replace(listing("Room A"), people=None, state="silent")
    assert target_of(silent) == Target((HERE,), ROOM, listed=True)
    assert target_of(replace(silent, people=3)) == Target((HERE,), ROOM, KEY, listed=True), "it has answered before"


# ---- a title is no identity

TWIN, TWIN_KEY = "7" * 32, "cd" * 32


@pytest.fixture
def known(own_world: Path) -> KnownHosts:
    """We have been in Room A."""
    known = KnownHosts(own_world)
    known.remember(ROOM, KEY, "Room A")
    return known


def test_of_a_known_room_and_its_twins_the_known_one_is_joined(network, known):
    for twin in (listing("Room A", TWIN, key=TWIN_KEY), listing("Room A", ROOM, key=TWIN_KEY)):
        network.rooms = (twin, listing("Room A"))
        for new_host in (False, True):
            assert resolve("Room A", 5, LOOPBACK, new_host=new_host) == Target((HERE,), ROOM, KEY, listed=True)


@pytest.mark.parametrize("title", ["Room A", "room a"])
def test_a_script_is_not_led_to_a_twin_of_a_known_room_that_is_away(network, known, title):
    network.rooms = (listing(title, TWIN, key=TWIN_KEY), listing(title, "8" * 32, key="ef" * 32))
    with pytest.raises(NoSuchRoom, match="You know another room called .* which does not answer now") as caught:
        resolve(title, 5, LOOPBACK)
    assert f'--new-host "{title}"' in caught.value.hint and "forget" not in caught.value.hint
    network.rooms = network.rooms[:1]
    with pytest.raises(NoSuchRoom, match="You know another room"):
        resolve(title, 5, LOOPBACK)
    twin = Target((HERE,), TWIN, TWIN_KEY, listed=True)
    assert resolve(title, 5, LOOPBACK, new_host=True) == twin
    assert resolve(f"lanchat://10.0.0.2:47474/{TWIN}#{TWIN_KEY}", 5, LOOPBACK) == Target((HERE,), TWIN, TWIN_KEY)


def test_a_person_is_asked_whether_a_twin_is_meant(network, known):
    network.rooms = (listing("Room A", TWIN, key=TWIN_KEY),)
    asked = []

    def choose(rooms: Sequence[Listing], away: bool) -> Listing:
        asked.append((list(rooms), away))
        return rooms[0]

    assert resolve("Room A", 5, LOOPBACK, choose=choose).room_id == TWIN
    assert asked == [([*network.rooms], True)]


def test_no_machine_is_asked_for_in_the_place_of_a_known_room(network, names, own_world):
    """Anybody on this network may answer for such a name."""
    KnownHosts(own_world).remember(ROOM, KEY, "annas-mac.local")
    with pytest.raises(NoSuchRoom, match='No room called "annas-mac.local"'):
        resolve("annas-mac.local", 0, LOOPBACK)
    assert names == []
    assert resolve("annas-mac.local", 0, LOOPBACK, new_host=True) == Target((Endpoint("annas-mac.local"),))


def test_a_title_that_we_host_ourselves_is_a_known_one(network, own_world):
    open_room(own_world, "Board", now=1).close()
    network.rooms = (listing("Board", TWIN, key=TWIN_KEY),)
    with pytest.raises(NoSuchRoom, match="You know another room"):
        resolve("Board", 5, LOOPBACK)


def test_a_room_that_shows_another_key_is_refused_without_a_word_of_forgetting(network, known, host):
    """By an invite for this very key, somebody has named it: only then is it said how to take it."""
    room = host("Room A", room_id=ROOM)
    network.rooms = (row_of(room),)
    with pytest.raises(HostKeyChanged) as caught, join("Room A", nick="ann"):
        pass
    assert "forget" not in caught.value.hint and "invite" in caught.value.hint
    invite = f"lanchat://127.0.0.1:{room.port}/{ROOM}#{room.identity.id}"
    with pytest.raises(HostKeyChanged) as caught, join(invite, nick="ann"):
        pass
    assert caught.value.hint.endswith(f"lanchat trust --forget {ROOM}")


def test_what_the_list_showed_is_what_is_joined(host):
    """Between the look and the Enter, another key may answer for a room that was never joined before."""
    room = host("Room A")
    other = row_of(room, key=TWIN_KEY)
    with (
        pytest.raises(HostKeyChanged, match="another key than the list showed") as caught,
        join_listing(other, ANN, LOOPBACK, pytest.fail, ask=False),
    ):
        pass
    assert caught.value.exit_code == 5 and room.people == 0
    with closing(join_listing(row_of(room), ANN, LOOPBACK, pytest.fail, ask=False)) as joined:
        assert joined.key_status == "new"


# ---- the way back


EAGER = Timing(first_retry=0.02)


def by_name(room: Host) -> JoinedRoom:
    return join(f"127.0.0.1:{room.port}", nick="ann", interfaces=("127.0.0.1",), timing=EAGER)


def by_invite(room: Host) -> JoinedRoom:
    invite = f"lanchat://127.0.0.1:{room.port}/{room.room_id}#{room.identity.id}"
    return join(invite, nick="ann", interfaces=("127.0.0.1",), timing=EAGER)


def by_command(room: Host) -> JoinedRoom:
    return join_by_name(f"127.0.0.1:{room.port}", ANN, 5, ("127.0.0.1",), pytest.fail, ask=False)


def by_list(room: Host) -> JoinedRoom:
    return join_listing(row_of(room), ANN, LOOPBACK, pytest.fail, ask=False)


@pytest.mark.parametrize("join", [by_name, by_invite, by_command, by_list])
def test_a_reconnect_looks_only_on_the_chosen_interfaces(network, host, monkeypatch, join):
    monkeypatch.delenv("LANCHAT_INTERFACE")
    room = host("Room A")
    with closing(join(room)):
        moved = host("Room A", room_id=room.room_id)
        network.rooms = (row_of(moved),)
        lose(room)
        wait_until(lambda: moved.people == 1)
    assert network.looked_on and all(on.now() == LOOPBACK.now() for on in network.looked_on)


def test_a_room_that_has_moved_is_found_by_its_key(network, host):
    """A twin shows the same room, and stands first in the list. Another took the address that the host had."""
    room = host("Room A", nick="hal")
    port = room.port
    with closing(by_name(room)):
        lose(room)
        squatter = host("Room A", nick="mallory", room_id=room.room_id, port=port)
        twin = host("Room A", nick="eve", room_id=room.room_id)
        moved = host("Room A", nick="hal", room_id=room.room_id)
        network.rooms = (row_of(twin), row_of(squatter), row_of(moved))
        wait_until(lambda: moved.people == 1)
    assert twin.people == squatter.people == 0


# ---- an invite whose address is dead


def test_the_room_of_an_old_invite_is_looked_for_by_its_id(network, host):
    gone, moved = host("Room A"), host("Room A")
    gone.close()
    invite = f"lanchat://127.0.0.1:{gone.port}/{moved.room_id}#{moved.identity.id}"
    network.rooms = (row_of(moved, key=TWIN_KEY), row_of(moved))
    with join(invite, nick="ann") as room:
        assert moved.people == 1 and network.wanted == [moved.room_id]
        assert room.invite is not None and room.invite.endpoints[0].port == moved.port, "it is right again for others"


def web(sock: socket.socket) -> None:
    while True:
        try:
            peer, _ = sock.accept()
        except OSError:
            return
        with peer:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("now_there", ["another room", "another key", "a web server"])
def test_somebody_else_may_have_the_address_of_an_old_invite(network, host, now_there):
    moved = host("Room A", nick="hal")
    network.rooms = (row_of(moved),)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=web, args=(server,))
        answering.start()
        other = host("Room B", nick="eve", room_id=moved.room_id if now_there == "another key" else None)
        port = server.getsockname()[1] if now_there == "a web server" else other.port
        said: list[str] = []
        invite = f"lanchat://127.0.0.1:{port}/{moved.room_id}#{moved.identity.id}"
        with closing(join_by_name(invite, ANN, 5, ("127.0.0.1",), said.append, ask=False)):
            assert moved.people == 1 and other.people == 0
        assert said == [f"Room A has moved to 127.0.0.1:{moved.port}."]
        server.shutdown(socket.SHUT_RDWR)
        answering.join()


def test_an_invite_of_a_room_that_nobody_sees_says_what_is_wrong_with_its_address(network, host):
    gone, quick = host("Room A"), Timing(look_first=0.1)
    gone.close()
    with pytest.raises(NoSuchRoom, match=str(gone.port)):
        join(f"lanchat://127.0.0.1:{gone.port}/{ROOM}#{KEY}", nick="ann", timing=quick)
    room = host("Room B")
    with pytest.raises(NoSuchRoom, match="A different room answers there now"):
        join(f"lanchat://127.0.0.1:{room.port}/{ROOM}#{KEY}", nick="ann", timing=quick)
    assert network.wanted == [ROOM, ROOM]


@pytest.fixture
def leaves() -> Iterator[Callable[[JoinedRoom], bool]]:
    """Whether leaving ends in time."""
    threads: list[threading.Thread] = []

    def leave(room: JoinedRoom) -> bool:
        threads.append(thread := threading.Thread(target=room.close))
        thread.start()
        thread.join(PATIENCE)
        return not thread.is_alive()

    yield leave
    for thread in threads:
        thread.join()


def test_leaving_does_not_wait_for_a_room_that_is_looked_for(network, host, monkeypatch, leaves):
    room = host("Room A")
    slow = Timing(first_retry=0.02, look_again=3600)
    ann = join(f"127.0.0.1:{room.port}", nick="ann", interfaces=("127.0.0.1",), timing=slow)
    lose(room)
    assert network.looking.wait(PATIENCE)
    assert leaves(ann)
