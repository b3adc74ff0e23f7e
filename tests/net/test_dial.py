import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import NoSuchRoom
from lanchat.net import dial as dial_module
from lanchat.net.dial import Endpoint, dial, parse_endpoint


@pytest.mark.parametrize(
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
def test_an_address(text, endpoint):
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    "text",
    ["", " ", "Room", "Room A", "10.0.0.1 2", "host:0", "host:65536", "host:-1", "host:x", "host:٣", "host:1e3"]
    + [":5000", "[::1", "[]", "[]:5000", "[::1]5000", "[::1]:x", "...", ".", "host:5000\n", "a\tb.c"],
)
def test_no_address(text):
    assert parse_endpoint(text) is None


@pytest.mark.parametrize("text", ["10.0.0.1:47474", "[::1]:5000", "a.local:1", "[fe80::1%eth0]:47474"])
def test_what_a_person_types(text):
    endpoint = parse_endpoint(text)
    assert str(endpoint) == text


@given(st.text())
def test_any_text_is_an_address_or_none(text):
    endpoint = parse_endpoint(text)
    assert endpoint is None or (endpoint.host and 0 < endpoint.port < 65536)


def test_the_first_that_answers():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoints = tuple(Endpoint("127.0.0.1", sock.getsockname()[1]) for sock in (nobody, server))
        with dial(endpoints) as connected:
            assert connected.getpeername() == server.getsockname()


def refused(endpoint: Endpoint) -> NoSuchRoom:
    with pytest.raises(NoSuchRoom) as caught:
        dial((endpoint,))
    assert caught.value.hint
    return caught.value


def test_nobody_listens():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", nobody.getsockname()[1])
        assert str(refused(endpoint)) == f"nobody hosts a room at {endpoint}"


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".local", "é" * 70 + ".x", "a\0b.c", "\ud800.x", "." + "a" * 300])
def test_names_that_no_machine_can_have(name):
    assert "there is no machine" in str(refused(Endpoint(name)))


def test_a_name_that_is_not_known(monkeypatch):
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert str(refused(Endpoint("nowhere.local"))) == 'there is no machine "nowhere.local" here'


@pytest.fixture
def silent():
    """An address where nothing comes back: a queue that is full, so that Linux drops who else wants in."""
    opened = [socket.create_server(("127.0.0.1", 0), backlog=0)]
    where = opened[0].getsockname()
    for _ in range(20):
        opened.append(sock := socket.socket())
        sock.settimeout(0.05)
        try:
            sock.connect(where)
        except TimeoutError:
            break
    else:
        pytest.skip("the queue of a socket is never full here")
    yield Endpoint(*where)
    for sock in opened:
        sock.close()


def test_nothing_comes_back(silent, monkeypatch):
    monkeypatch.setattr(dial_module, "CONNECT_LIMIT", 0.1)
    assert str(refused(silent)) == f"{silent} does not answer (timed out)"


def test_a_silent_address_does_not_hold_up_the_next(silent, monkeypatch):
    monkeypatch.setattr(dial_module, "NEXT_AFTER", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:
        good = Endpoint("127.0.0.1", server.getsockname()[1])
        with dial((silent, good, silent)) as connected:
            assert connected.getpeername() == server.getsockname()
            assert connected.gettimeout() == dial_module.CONNECT_LIMIT


def test_no_address_at_all():
    with pytest.raises(NoSuchRoom, match="no address"):
        dial(())
