"""What a probe finds at real addresses on loopback."""

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from lanchat.discovery.probe import connect_outcome, probe
from lanchat.discovery.sighting import Answered, ConnectionRefused, NotARoom, Outcome, Silent, Unreachable
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import MAX_LINE, encode
from lanchat.protocol.messages import VERSION, Card, Ping
from lanchat.protocol.tls import client_context, server_context
from lanchat.threads import Wakeup
from tests.support.waiting import PATIENCE

FOR_EVER = 3600.0  # s; a test that depends on the limit would never end
CARD = Card(VERSION, "5" * 32, "Room A", "hal", 1, False, bytes(32))

Serve = Callable[[socket.socket], None]


def probed(endpoint: Endpoint, limit: float = FOR_EVER, stop: Wakeup | None = None) -> Outcome:
    return probe(endpoint, client_context(), limit, stop)


@contextmanager
def served(serve: Serve) -> Iterator[Endpoint]:
    """An address whose one connection is handled by this function, and closed when it returns."""

    def accept() -> None:
        sock, _ = server.accept()
        with sock, suppress(OSError):  # the probe may hang up first
            serve(sock)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, name="test-server")
        thread.start()
        yield Endpoint("127.0.0.1", server.getsockname()[1])
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def says(identity) -> Callable[..., Serve]:
    """`says(data, more)`: a host that sends these bytes over TLS, one piece after the other."""
    hal = identity("hal")
    tls = server_context(hal.certificate_path, hal.key_path)

    def make(*pieces: bytes) -> Serve:
        def serve(sock: socket.socket) -> None:
            with tls.wrap_socket(sock, server_side=True) as secured:
                for piece in pieces:
                    secured.sendall(piece)
                secured.recv(1)  # until the probe hangs up

        return serve

    return make


def test_a_host_answers_with_its_card_and_key(host):
    room = host("Room A", nick="ann")
    outcome = probed(Endpoint("127.0.0.1", room.port))
    assert isinstance(outcome, Answered)
    assert (outcome.card.room, outcome.card.title, outcome.card.host) == (room.room_id, "Room A", "ann")
    assert outcome.fingerprint.startswith(room.identity.id) and outcome.key_status == ""


def test_a_card_may_come_in_pieces_and_with_more_behind_it(says, identity):
    line = encode(CARD)
    with served(says(line[:10], line[10:] + encode(Ping()))) as endpoint:
        outcome = probed(endpoint)
    assert isinstance(outcome, Answered) and outcome.card == CARD


def test_a_port_where_nobody_listens_refuses():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert probed(Endpoint("127.0.0.1", nobody.getsockname()[1])) == ConnectionRefused()


def http(sock: socket.socket) -> None:
    sock.recv(4096)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hang_up(sock: socket.socket) -> None:
    pass


@pytest.mark.parametrize("serve", [http, hang_up])
def test_a_server_that_does_not_speak_tls_is_not_a_room(serve):
    with served(serve) as endpoint:
        assert probed(endpoint) == NotARoom()


@pytest.mark.parametrize(
    "line", [encode(Ping()), b"hello\n", b"\n", b"[" * 100 + b"\n", b"x" * (MAX_LINE + 1)], ids=range(5)
)
def test_a_tls_server_that_shows_no_card_is_not_a_room(says, line):
    with served(says(line)) as endpoint:
        assert probed(endpoint) == NotARoom()


def test_a_server_that_accepts_and_says_nothing_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = probed(Endpoint("127.0.0.1", server.getsockname()[1]), limit=0.01)
    assert outcome == Silent(connected=True)


@pytest.fixture
def unanswered() -> Iterator[Endpoint]:
    """An address from which nothing comes back: its queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as one, socket.socket() as two:
        for sock in (one, two):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        yield Endpoint("127.0.0.1", full.getsockname()[1])


def test_an_address_that_never_answers_is_silent(unanswered):
    assert probed(unanswered, limit=0.01) == Silent()


def test_a_probe_that_is_stopped_ends_at_once(unanswered):
    with Wakeup() as stop, socket.create_server(("127.0.0.1", 0)) as mute:
        stop.set()
        assert probed(unanswered, stop=stop) == Silent()
        assert isinstance(probed(Endpoint("127.0.0.1", mute.getsockname()[1]), stop=stop), Silent)


def test_a_probe_is_stopped_while_it_waits_for_the_card():
    accepted = threading.Event()

    def mute(sock: socket.socket) -> None:
        accepted.set()
        while sock.recv(4096):
            pass

    outcomes: list[Outcome] = []
    with Wakeup() as stop, served(mute) as endpoint:
        thread = threading.Thread(target=lambda: outcomes.append(probed(endpoint, stop=stop)))
        thread.start()
        assert accepted.wait(PATIENCE)
        stop.set()
        thread.join(PATIENCE)
    assert [type(outcome) for outcome in outcomes] == [Silent]


def test_a_name_is_never_looked_up():
    assert probed(Endpoint("localhost")) == Unreachable()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OSError(errno.ECONNREFUSED, ""), ConnectionRefused()),
        (OSError(errno.ETIMEDOUT, ""), Silent()),
        (TimeoutError(), Silent()),
        (OSError(errno.EHOSTUNREACH, ""), Unreachable()),
        (OSError(errno.ENETUNREACH, ""), Unreachable()),
        (None, Unreachable()),
    ],
)
def test_what_the_error_of_a_connection_means(error, outcome):
    assert connect_outcome(error) == outcome
