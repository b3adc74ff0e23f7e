import errno
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import ConnectionLost, NoSuchRoom
from lanchat.network import connect as dial_module
from lanchat.network.card import card_at
from lanchat.network.connect import begin_connect, dial, finish_connect, has_machine, peer_of
from lanchat.protocol.address import Endpoint, is_address, parse_endpoint
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.protocol.tls import client_context
from tests.support.cases import cases
from tests.support.waiting import PATIENCE


@cases(
    ("text", "endpoint"),
    [
        ("192.168.1.7", Endpoint("192.168.1.7", 47474)),
        ("192.168.1.7:5000", Endpoint("192.168.1.7", 5000)),
        ("192.168.1.7:", Endpoint("192.168.1.7", 47474)),
        ("localhost", Endpoint("localhost", 47474)),
        ("localhost:1", Endpoint("localhost", 1)),
        ("annas-mac.local", Endpoint("annas-mac.local", 47474)),
        ("annas-mac:47475", Endpoint("annas-mac", 47475)),
        ("host:65535", Endpoint("host", 65535)),
        ("::1", Endpoint("::1", 47474)),
        ("[::1]", Endpoint("::1", 47474)),
        ("[::1]:5000", Endpoint("::1", 5000)),
        ("fe80::1%eth0", Endpoint("fe80::1%eth0", 47474)),
        ("[fe80::1%eth0]:5000", Endpoint("fe80::1%eth0", 5000)),
    ],
)
def test_addresses_are_read(text, endpoint):
    assert parse_endpoint(text) == endpoint


@cases(
    "text",
    ["", " ", "Room", "Room A", "10.0.0.1 2", "host:0", "host:65536", "host:-1", "host:x", "host:٣", "host:1e3"]
    + [":5000", "[::1", "[]", "[]:5000", "[::1]5000", "[::1]:x", "...", ".", "host:5000\n", "a\tb.c"],
)
def test_text_that_is_no_address(text):
    assert parse_endpoint(text) is None


@pytest.mark.parametrize("text", ["10.0.0.1:47474", "[::1]:5000", "a.local:1", "[fe80::1%eth0]:47474"])
def test_an_endpoint_as_a_person_types_it(text):
    endpoint = parse_endpoint(text)
    assert str(endpoint) == text


def test_only_an_ip_address_or_a_name_with_a_port_is_surely_an_address():
    sure = ["10.0.0.1", "10.0.0.1:", "10.0.0.1:5000", "::1", "[::1]:5000", "fe80::1%eth0", "host:1", "a.local:1"]
    assert [text for text in sure if not is_address(text)] == []
    titles = ["node.js", "2.0", "localhost", "Team:", "Team: A", "12:30:45", "Room", "", "[x]", "host:0"]
    assert [text for text in titles if is_address(text)] == []


def test_a_part_of_an_ip_address_is_no_machine():
    assert not has_machine(Endpoint("2.0")) and has_machine(Endpoint("127.0.0.1"))


@given(st.text())
def test_any_text_is_an_address_or_none(text):
    endpoint = parse_endpoint(text)
    assert endpoint is None or (endpoint.host and 0 < endpoint.port < 65536)


def test_the_first_address_that_answers_is_used():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoints = tuple(Endpoint("127.0.0.1", sock.getsockname()[1]) for sock in (nobody, server))
        with dial(endpoints) as connected:
            assert connected.getpeername() == server.getsockname()


def refused(endpoint: Endpoint, timing: Timing = DEFAULT_TIMING) -> NoSuchRoom:
    with pytest.raises(NoSuchRoom) as caught:
        dial((endpoint,), timing=timing)
    assert caught.value.hint
    return caught.value


def test_a_refused_connection_is_no_such_room():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", nobody.getsockname()[1])
        assert str(refused(endpoint)) == f"There is no room at {endpoint}."


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".local", "é" * 70 + ".x", "a\0b.c", "\ud800.x", "." + "a" * 300])
def test_names_that_no_machine_can_have(name):
    assert "Cannot find a machine" in str(refused(Endpoint(name)))


def test_an_unknown_name_is_no_such_room(monkeypatch):
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert str(refused(Endpoint("nowhere.local"))) == 'Cannot find a machine called "nowhere.local".'


def test_an_unreachable_network_is_no_such_room(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect_ex", lambda sock, where: errno.EHOSTUNREACH)
    assert str(refused(Endpoint("10.0.0.9"))) == "10.0.0.9:47474 does not answer (no route to host)."


@pytest.fixture
def silent() -> Iterator[Endpoint]:
    """An address that does not answer, because its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as one, socket.socket() as two:
        for sock in (one, two):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        yield Endpoint("127.0.0.1", full.getsockname()[1])


def test_an_address_that_does_not_answer_times_out(silent):
    assert str(refused(silent, timing=Timing(connect=0.05))) == f"{silent} does not answer (timed out)."


def test_a_dial_that_was_stopped_does_not_wait_for_an_answer(monkeypatch, silent):
    monkeypatch.setattr(dial_module, "STOP_WITHIN", 0.02)
    asked = iter([False, False, True, True])
    with pytest.raises(ConnectionLost, match="You have left."):
        dial((silent,), lambda: next(asked))


def test_a_silent_address_does_not_delay_the_next(silent):
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with dial((silent, Endpoint("127.0.0.1", server.getsockname()[1]))) as connected:
            assert connected.getpeername() == server.getsockname()
            assert peer_of(connected) == Endpoint("127.0.0.1", server.getsockname()[1])
            assert connected.gettimeout() == Timing().connect
        assert time.monotonic() - began >= Timing().next_address * 0.9


def test_a_late_answer_still_wins_over_none(silent):
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoints = tuple(Endpoint("127.0.0.1", port) for port in (server.getsockname()[1], silent.port))
        with dial(endpoints) as connected:
            assert connected.getpeername() == server.getsockname()


def test_a_name_may_have_several_addresses():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with dial((Endpoint("localhost", server.getsockname()[1]),)) as connected:
            assert connected.getpeername()[1] == server.getsockname()[1]


def test_the_error_is_about_the_last_address():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        last = Endpoint("127.0.0.1", nobody.getsockname()[1])
        with pytest.raises(NoSuchRoom, match=f"There is no room at {last}."):
            dial((Endpoint("a..b"), last))


def test_a_socket_without_an_address_has_no_peer():
    one, other = socket.socketpair()
    with one, other:
        assert peer_of(one) is None


def test_a_room_without_addresses_is_no_such_room():
    with pytest.raises(NoSuchRoom, match="no address"):
        dial(())


def connected(endpoint: Endpoint) -> tuple[str, int]:
    """Connect to one address. Returns the peer's name."""
    with begin_connect(endpoint) as sock:
        assert select.select([], [sock], [], 10)[1]
        finish_connect(sock)
        host, port, *_ = sock.getpeername()
        return host, port


def test_a_connection_that_is_begun_is_finished_when_its_socket_is_writable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert connected(Endpoint("127.0.0.1", server.getsockname()[1])) == server.getsockname()


def test_a_connection_that_is_refused_says_so_when_it_is_finished():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            connected(Endpoint("127.0.0.1", nobody.getsockname()[1]))


def test_beginning_a_connection_does_not_wait_for_one_that_never_answers(silent):
    with begin_connect(silent) as sock:
        assert not select.select([], [sock], [], 0)[1]


def test_a_name_is_not_looked_up_to_begin_a_connection():
    with pytest.raises(socket.gaierror):
        begin_connect(Endpoint("localhost", 47474))


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".b", ".", "\u00e9.b", "\ud800"])
def test_what_cannot_even_be_a_name_is_no_more_than_an_address_that_fails(host):
    """A host can tell its members that the room may be anywhere."""
    with pytest.raises(OSError, match="Name or service not known|no address"):
        begin_connect(Endpoint(host))
    assert card_at(Endpoint(host), client_context()) is None


def test_a_connection_that_fails_at_once_leaves_no_socket(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect_ex", lambda sock, where: errno.EHOSTUNREACH)
    with pytest.raises(OSError, match="No route to host"):
        begin_connect(Endpoint("10.0.0.9"))


def test_what_answers_in_another_language_is_asked_for_its_card_once():
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    sock, _ = server.accept()
                except OSError:
                    return
                with sock:
                    asked.append("hello")
                    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    sock.recv(4096)

        answering = threading.Thread(target=answer)
        answering.start()
        try:
            assert card_at(Endpoint(*server.getsockname()), client_context(), PATIENCE) is None
        finally:
            server.shutdown(socket.SHUT_RDWR)
            answering.join()
    assert asked == ["hello"]
