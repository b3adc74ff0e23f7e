"""A room under attack with ann in it, and what must still be so after the attack.

Every test here ends with the same look: an honest newcomer is in and heard, memory grew by less than 64 MiB, threads
and descriptors are back, and no log line holds anything that could act on a terminal.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from lanchat.client.member import Member
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import (
    Present,
)
from lanchat.server import links
from lanchat.server.admission import source_of
from lanchat.server.doors import native
from lanchat.server.host import Host
from tests.hostile.attackers import Caller, EvilHost, RecordingProxy, let_in
from tests.hostile.siege import HURRY, Siege
from tests.hostile.table import Table
from tests.support.people import Listener
from tests.support.strangers import Stranger


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, "lanchat"):
        yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            assert record.getMessage().isprintable(), f"a log line of two: {record.getMessage()!r}"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 counts as this machine, 127.0.0.2 and all others as other machines."""

    def other_machines(address: str) -> str:
        return "" if address == "127.0.0.1" else address if address.startswith("127.") else source_of(address)

    monkeypatch.setattr(links, "source_of", other_machines)
    monkeypatch.setattr(native, "source_of", other_machines)


@pytest.fixture
def siege(sources: None, host: Callable[..., Host], join: Callable[..., Member]) -> Iterator[Callable[..., Siege]]:
    """`siege(...)`: a room under attack, which is checked after the test, when the attackers have gone."""
    sieges: list[Siege] = []

    def begin(*, password: str | None = None, **options: Any) -> Siege:
        room = host(**{"limits": DEFAULT_LIMITS, "timing": HURRY, "password": password, **options})
        sieges.append(siege := Siege(room, join, **({} if password is None else {"password": password})))
        return siege

    yield begin
    for siege in sieges:
        siege.check()


@pytest.fixture
def attackers() -> Iterator[ExitStack]:
    """Strangers, which are closed before the siege is checked: ask for this fixture after `siege`."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def stranger(attackers: ExitStack) -> Callable[..., Stranger]:
    def come(room: Host, source: str = "127.0.0.66", *, port: int | None = None) -> Stranger:
        return attackers.enter_context(closing(Stranger(port or room.port, source)))

    return come


@pytest.fixture
def evil_host(attackers: ExitStack, identity: Callable[..., Any]) -> Callable[..., EvilHost]:
    """`evil_host(treat)`: mallory's host, which serves each caller with this function."""

    def open_room(treat: Callable[[Caller], object], *, owner: str = "mallory", port: int = 0) -> EvilHost:
        return attackers.enter_context(closing(EvilHost(identity(owner), treat, port)))

    return open_room


@pytest.fixture
def proxy(attackers: ExitStack) -> Callable[..., RecordingProxy]:
    return lambda port: attackers.enter_context(closing(RecordingProxy(port)))


@pytest.fixture
def victim(attackers: ExitStack, identity: Callable[..., Any]) -> Callable[..., Member]:
    """`victim(port)`: vera, who has not joined yet; she leaves after the test. A function may say which port it is."""
    from lanchat.network.connect import dial
    from lanchat.protocol.address import Endpoint

    def make(port: int | Callable[[], int], **options: Any) -> Member:
        def reach() -> socket.socket:
            return dial((Endpoint("127.0.0.1", port if isinstance(port, int) else port()),))

        member = Member(reach, identity("vera"), "vera", **{"timing": HURRY, **options})
        return attackers.enter_context(closing(member))

    return make


@pytest.fixture
def sit_down(evil_host, victim, identity) -> Iterator[Callable[..., Table]]:
    """`sit_down(Present(...), ...)`: vera at mallory's table, with these people."""

    def begin(*people: Present, **options: Any) -> Table:
        callers: list[Caller] = []
        me = identity("vera")

        def host(caller: Caller) -> None:
            let_in(caller, *people, people=len(people))
            callers.append(caller)

        member: Member = victim(evil_host(host).port, **options)
        member.join()
        return Table(Listener(member), me, identity, callers)

    yield begin
