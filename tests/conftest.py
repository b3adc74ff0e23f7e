"""Fixtures that everybody uses. Every test runs on 127.0.0.1, with a home of its own, and leaves nothing behind."""

import gc
import os
import random
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import hypothesis.strategies as strategies
import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.member import Member
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import NO_LIMITS
from lanchat.server.doors.irc.door import irc_doors
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import plain_door
from lanchat.server.doors.web.door import web_door
from lanchat.server.doors.web.guest_link import GuestLink
from lanchat.server.host import Host
from lanchat.storage.identity import Identity, load_identity
from tests.support.addresses import LOOPBACK
from tests.support.commands import Commands
from tests.support.heeding import heed_signals
from tests.support.links import Clock
from tests.support.namespaces import enter_own_network
from tests.support.people import EAGER, joined_room
from tests.support.program import forks
from tests.support.refused import NoThread
from tests.support.shaken import Shaker
from tests.support.stretching import stretching
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.forked import ForkServers

pytest_plugins = ["tests.faults.report", "tests.support.workers"]

# A busy machine is no failure, and a run today is the same as a run tomorrow. A quick run tries the first of the same.
_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], database=None)
hypothesis.settings.register_profile("quick", _PATIENT, derandomize=True, max_examples=10)
hypothesis.settings.register_profile("full", _PATIENT, derandomize=True, max_examples=100)
hypothesis.settings.register_profile("long", _PATIENT, max_examples=5000)

_FILES = "/proc/self/fd"  # Linux; elsewhere only threads are counted
_MEMORY = "/dev/shm"  # a file system in memory, on Linux
_SHAKER = pytest.StashKey[Shaker]()
_SERVERS: "pytest.StashKey[ForkServers]" = pytest.StashKey()
_homes = count(1)
_ended = count(1)  # tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shaken", type=int, metavar="SEED", help="let threads pause now and then, to find races")


def pytest_configure(config: pytest.Config) -> None:
    if is_quick(config) and _has_room(_MEMORY):  # nothing waits for a disk there; a full run is about a real one
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _MEMORY)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick" if is_quick(config) else "full"))
    gc.disable()  # until all is collected: little of it is garbage


def _has_room(folder: str) -> bool:
    """For all that the tests write, among it some programs."""
    if sys.platform != "linux" or not os.access(folder, os.W_OK):
        return False
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize > 2 << 30 and not about.f_flag & os.ST_NOEXEC


def is_quick(config: pytest.Config) -> bool:
    """Whether this is a run without the tests that are marked `full`."""
    return bool(config.option.markexpr == "not full")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """First come those that may take longest, so that none of them is begun when the others are done, those that wait
    for networks to change, and those of the whole program. Those that need a browser stay together, since each process
    that runs one starts a browser.

    Slow tests stand together in files: deal all out, so that each process of `-n` begins with a fair share.
    """
    browsing = [item for item in items if "_chromium" in getattr(item, "fixturenames", ())]
    for item in browsing:
        item.add_marker(pytest.mark.xdist_group("browser"))
    others = [item for item in items if "_chromium" not in getattr(item, "fixturenames", ())]
    whole = config.rootpath / "tests"
    quick = is_quick(config)  # in a full one those that may take longest, which load a machine, would run side by side
    others.sort(
        key=lambda item: (
            -_limit(item) if quick else 0.0,
            item.get_closest_marker("netns") is None,
            item.path.parent != whole,
        ),
    )
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    items[:] = browsing + [item for first in range(processes) for item in others[first::processes]]


def _limit(item: pytest.Item) -> float:
    """s that a test may take, as it says; 0 if it says nothing."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None and marker.args else 0.0


def pytest_collection(session: pytest.Session) -> None:
    """While this process collects, another one imports, for the forks that the tests of all workers start."""
    config = session.config
    if sys.platform == "linux" and config.option.workers and is_quick(config) and not config.option.collectonly:
        from tests.support.forked import ForkServers

        config.stash[_SERVERS] = servers = ForkServers(config.option.workers)
        config.add_cleanup(servers.close)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and collected stays: tests that collect garbage need not look through it (40 ms each time)."""
    if sys.platform == "linux" and session.config.option.workers and not session.config.option.collectonly:
        from tests.support.forks import import_all

        import_all()
        _draw()
    gc.freeze()
    gc.enable()
    if session.config.option.shaken is not None:
        session.config.stash[_SHAKER] = Shaker(session.config.option.shaken)


@hypothesis.given(strategies.text(max_size=1), strategies.integers(), strategies.floats())
def _draw(text: str, number: int, fraction: float) -> None:
    """For all workers at once, what each would read and compute at its first test of the kind."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    if (shaker := item.config.stash.get(_SHAKER, None)) is not None:
        shaker.begin(item.nodeid)


def pytest_runtest_logfinish() -> None:
    """The same holds for what tests leave for good, such as what they were the first to import."""
    if next(_ended) % 100 == 0:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def own_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """What each process of a run has: a loopback of its own, where the machine allows it, and programs that heed
    signals. In a quick run these are forks of a process that has its imports behind it, and passwords cost little.

    One fixture, since each of those that all tests have takes 50 ms of each process that collects them.
    """
    heed_signals()
    enter_own_network()
    config = request.config
    quick, shaker, servers = is_quick(config), config.stash.get(_SHAKER, None), config.stash.get(_SERVERS, None)
    with forks(shaker, servers, config.option.worker) if quick else nullcontext(), stretching(quickly=quick):
        yield


@pytest.fixture(autouse=True)
def leaves_nothing() -> Iterator[None]:
    """Fails a test after which a thread, a socket or a file is still there."""
    threads, files = set(threading.enumerate()), _open_files()

    def left() -> list[str]:
        running = [f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads]
        return running + [f"file {number} -> {target}" for number, target in sorted(_open_files() - files)]

    yield
    if left():
        gc.collect()  # an exception that the test looked at may hold frames that hold a socket
        try:
            wait_until(lambda: not left())
        except AssertionError:
            pytest.fail("the test leaves behind: " + ", ".join(left()), pytrace=False)


@pytest.fixture(autouse=True)
def own_world(leaves_nothing: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of its own (not made yet), loopback only, and no settings of whoever runs the tests. Gives the home."""
    home = tmp_path_factory.getbasetemp() / f"home{next(_homes)}"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("LANCHAT_")]:
            patch.delenv(name)
        patch.setenv("LANCHAT_INTERFACE", "127.0.0.1")
        patch.setenv("LANCHAT_HOME", str(home))
        yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def clock() -> Clock:
    """Time, which stands still until a test moves it."""
    return Clock()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[float]:
    """The sleeps of readers that wait for their allowance, in s. Each moves the clock, and takes no time."""
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        clock.now += seconds

    monkeypatch.setattr("lanchat.network.allowance.time.sleep", sleep)
    return naps


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> NoThread:
    """`no_thread("log")`: this process gets no thread called that any more."""
    return NoThread(monkeypatch)


@pytest.fixture
def udp_port() -> int:
    """A UDP port for discovery that no other test and no lanchat on this machine uses.

    It lies below the ports that the system gives to sockets by itself, so that nobody gets it by chance.
    """
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind(("", port))
            except OSError:
                continue
        return port


@pytest.fixture
def lanchat(own_world: Path) -> Iterator[Commands]:
    """`lanchat.run("rooms")`: the program, in homes of its own."""
    with Commands(own_world) as commands:
        yield commands


@pytest.fixture
def started(own_world: Path) -> Iterator[Commands]:
    """The same for what a fork would not show: how the program starts, and what happens meanwhile."""
    with Commands(own_world, fresh=True) as commands:
        yield commands


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Identity]:
    """`identity("ann")`: ann's key. The same for the whole run, since making one costs milliseconds."""
    homes = tmp_path_factory.mktemp("identities")
    made: dict[str, Identity] = {}

    def make(owner: str) -> Identity:
        if owner not in made:
            made[owner] = load_identity(homes / owner)
        return made[owner]

    return make


@pytest.fixture
def host(identity: Callable[[str], Identity]) -> Iterator[Callable[..., Host]]:
    """`host("Room A", nick="hal", ...)`: a running host on a free port of 127.0.0.1, closed after the test.

    Without limits on what one machine may do, since all members of a test come from one.
    """
    hosts: list[Host] = []

    def open_room(
        title: str = "Room A",
        *,
        nick: str = "hal",
        port: int = 0,
        plain_port: int | None = None,
        irc_port: int | None = None,
        irc_tls_port: int | None = None,
        irc_password: str | None = None,
        web_port: int | None = None,
        guest_link: GuestLink | None = None,
        web_names: tuple[str, ...] = (),
        **options: object,
    ) -> Host:
        doors = [native_door(port), *([] if plain_port is None else [plain_door(plain_port)])]
        doors += irc_doors(irc_port, irc_tls_port, irc_password)
        doors += [] if web_port is None else [web_door(web_port, guest_link, web_names)]
        options = {"on": LOOPBACK, "doors": doors, "limits": NO_LIMITS, **options}
        room = Host(title, identity(nick), nick=nick, **options)  # type: ignore[arg-type]
        hosts.append(room)
        room.start()
        return room

    yield open_room
    for room in hosts:
        room.close()


@pytest.fixture
def join(host: Callable[..., Host], identity: Callable[[str], Identity]) -> Iterator[Callable[..., Member]]:
    """`join(room, "ann")`: a member inside, who leaves after the test; `owner` is whose key it is, if not ann's."""
    members: list[Member] = []

    def enter(room: Host, nick: str = "ann", *, owner: str = "", **options: Any) -> Member:
        options = {"timing": EAGER, **options}
        member = Member(lambda: dial((Endpoint("127.0.0.1", room.port),)), identity(owner or nick), nick, **options)
        members.append(member)
        member.join()
        return member

    yield enter
    for member in members:
        member.close()


@pytest.fixture
def enter(identity: Callable[[str], Identity]) -> Iterator[Callable[..., JoinedRoom]]:
    """`enter(room, "ann")`: the room as an object, as a program or a screen has it; ann leaves after the test."""
    rooms: list[JoinedRoom] = []

    def enter(room: Host, nick: str, *, owner: str = "", **options: Any) -> JoinedRoom:
        options = {"timing": EAGER, **options}
        joined = joined_room(
            lambda: dial((Endpoint("127.0.0.1", room.port),)), identity(owner or nick), nick, **options
        )
        rooms.append(joined)
        return joined

    yield enter
    for room in rooms:
        room.close()


def _open_files() -> set[tuple[int, str]]:
    found = set()
    for name in os.listdir(_FILES) if os.path.exists(_FILES) else ():
        try:
            found.add((int(name), os.readlink(f"{_FILES}/{name}")))
        except OSError:
            pass  # the one that lists the folder
    return found
