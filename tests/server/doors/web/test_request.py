"""Which web requests get the page, which may become a WebSocket, and what all others are told."""

import base64
from dataclasses import replace

import pytest

from lanchat.server.doors.web.request import Arrival, Download, Page, Refusal, Upgrade, answer, elsewhere
from tests.support.cases import cases

HERE = Arrival("192.168.1.7", 47480, own_name="Box", names=("room.test", "100.64.0.1"))
OWN = "192.168.1.7:47480"


def ask(host=OWN, path="/", method="GET", arrival=HERE, **headers):
    """The answer to a request; a header may be a list of its values, and `Sec_Fetch_Dest` is Sec-Fetch-Dest."""
    given = {"Host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    values = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return answer(method, path, lambda name: values.get(name, []), arrival)


def status(answered) -> int:
    return answered.status if isinstance(answered, Refusal) else 200


@pytest.mark.parametrize(
    "host",
    [OWN, "192.168.1.7:47480", "box.local:47480", "BOX.LOCAL:47480", "room.test", "room.test:8080", "100.64.0.1:80"],
)
def test_our_own_address_and_allowed_names_are_us(host):
    assert isinstance(ask(host), Page)


@cases(
    "host",
    [
        *("evil.example:47480", "192.168.1.8:47480", "192.168.1.7:80", "192.168.1.7", "localhost:47480", "", ":47480"),
        *("192.168.1.7.evil.example:47480", "192.168.1.7:47480 ", "0xc0a80107:47480", "evil.local:47480", "box:47480"),
        *(
            "[192.168.1.7]:47480x",
            "[::1",
            "[]:47480",
            "192.168.1.7:047480",
            "192.168.1.7:47480:1",
            "u@192.168.1.7:47480",
        ),
        [],
        [OWN, OWN],
        [OWN, "evil.example"],
    ],
)
def test_another_host_is_told_the_address_and_never_gets_an_echo(host):
    answered = ask(host)
    assert status(answered) == 421
    assert "http://192.168.1.7:47480/" in answered.text
    assert "evil" not in answered.text


def test_localhost_is_for_this_machine_alone():
    local = replace(HERE, address="127.0.0.1", from_here=True)
    assert isinstance(ask("localhost:47480", arrival=local), Page)
    assert status(ask("localhost:47480", arrival=replace(local, from_here=False))) == 421


@pytest.mark.parametrize("host", ["[fd00::2]:47480", "[FD00:0:0::2]:47480"])
def test_an_ipv6_address_may_be_written_in_any_way(host):
    assert isinstance(ask(host, arrival=replace(HERE, address="fd00::2")), Page)


def test_the_usual_port_of_the_scheme_may_be_left_out():
    assert isinstance(ask("192.168.1.7", arrival=replace(HERE, port=80)), Page)
    assert isinstance(ask("192.168.1.7", arrival=replace(HERE, port=443, scheme="https")), Page)
    assert status(ask("192.168.1.7", arrival=replace(HERE, port=443))) == 421


@pytest.mark.parametrize(("method", "expected"), [("POST", 405), ("HEAD", 405), ("OPTIONS", 405), ("CONNECT", 405)])
def test_only_get_is_answered(method, expected):
    answered = ask(method=method)
    assert status(answered) == expected and ("Allow", "GET") in answered.headers


@pytest.mark.parametrize(
    "path", ["/x", "/ws/", "//", "http://192.168.1.7:47480/", "*", "/../etc/passwd", "/page/app.js"]
)
def test_there_is_nothing_but_the_page(path):
    assert status(ask(path=path)) == 404


def test_the_page_is_a_document_of_its_own():
    assert isinstance(ask(Sec_Fetch_Dest="document"), Page)
    for destination in ("iframe", "script", "image", "empty", "object", ["document", "iframe"]):
        assert status(ask(Sec_Fetch_Dest=destination)) == 403


def test_the_page_is_compressed_for_who_takes_that():
    assert ask(Accept_Encoding="gzip, deflate") == Page(compressed=True)
    assert ask(path="/?utm=1") == Page(compressed=False)


def test_a_file_has_an_address_over_https_alone():
    ticket = bytes(range(32))
    path = "/f/" + base64.urlsafe_b64encode(ticket).decode().rstrip("=")
    https = replace(HERE, scheme="https")
    given = ask(path=path, arrival=https, Range="bytes=5-", If_Range='"a"')
    assert isinstance(given, Download) and (given.ticket, given.range, given.if_range) == (ticket, "bytes=5-", '"a"')
    several = ask(path=path, arrival=https, Range=["bytes=5-", "bytes=6-"])
    assert isinstance(several, Download) and several.range == ""
    assert status(ask(path=path)) == 404
    for other in ("/f/", "/f", path + "A", path[:-1], path[:-1] + "~", "/f/" + "ä" * 43, path + "/"):
        assert status(ask(path=other, arrival=https)) == 404
    assert status(elsewhere("GET", path, lambda name: [OWN] if name == "Host" else [], https, "")) == 503


def test_a_websocket_has_to_come_from_this_page():
    assert isinstance(ask(path="/ws", Origin=f"http://{OWN}"), Upgrade)
    assert isinstance(ask("room.test", "/ws", Origin="http://room.test"), Upgrade)
    for origin in (
        *(
            "http://evil.example",
            "null",
            "",
            f"https://{OWN}",
            "http://192.168.1.7",
            f"http://{OWN}/",
            "http://room.test",
        ),
        [],
        [f"http://{OWN}", f"http://{OWN}"],
    ):
        answered = ask(path="/ws", Origin=origin)
        assert status(answered) == 403 and "evil" not in answered.text


def test_the_pages_of_all_computers_that_may_host_the_room_can_come_in():
    here = replace(HERE, origins=("http://192.168.1.8:47480", "https://ann.local:47480"))
    for origin in ("http://192.168.1.8:47480", "https://ANN.local:47480", f"http://{OWN}"):
        assert isinstance(ask(path="/ws", arrival=here, Origin=origin), Upgrade)
    for origin in ("https://192.168.1.8:47480", "http://192.168.1.8:47481", "http://192.168.1.8", ""):
        assert status(ask(path="/ws", arrival=here, Origin=origin)) == 403


def test_who_does_not_host_the_room_sends_browsers_to_who_does():
    def ask_standby(path="/", host=OWN, link="http://192.168.1.8:47480/"):
        values = {"Host": [host], "Origin": [f"http://{host}"]}
        return elsewhere("GET", path, lambda name: values.get(name, []), HERE, link)

    assert [ask_standby(path).status for path in ("/", "/ws")] == [503, 503]
    assert ask_standby().link == "http://192.168.1.8:47480/"
    assert "without a page" in ask_standby(link="").text
    strange = ask_standby(host="evil.example")
    assert strange.status == 421 and not strange.link
