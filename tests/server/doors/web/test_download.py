"""A file as an ordinary download over https: by an address with a ticket, whole or in parts, and never shown."""

import base64
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lanchat.network.link import Link
from lanchat.protocol.file_messages import FileGet, FileRefused, FileTicket, Transfer
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import VERSION, Card, Welcome
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.server.doors.web.download import part_of
from lanchat.server.doors.web.request import Download, Refusal
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from tests.support.files import file_of
from tests.support.page import PageClient, request
from tests.support.strangers import Stranger
from tests.support.waiting import PATIENCE, wait_until

SIZE, SUM = 1000, "5" * 64


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", (200, 0, 1000)),
        ("bytes=0-", (206, 0, 1000)),
        ("bytes=400-", (206, 400, 1000)),
        ("bytes=400-499", (206, 400, 500)),
        ("bytes=400-9999", (206, 400, 1000)),
        ("bytes=-100", (206, 900, 1000)),
        ("bytes=-5000", (206, 0, 1000)),
        ("bytes=1000-", (416, 0, 0)),
        ("bytes=-0", (416, 0, 0)),
        ("bytes=500-400", (416, 0, 0)),
        *((strange, (200, 0, 1000)) for strange in ("bytes=-", "bytes=1-2,5-6", "lines=1-2", "bytes=x-", "bytes=+1-2")),
        ("bytes=" + "9" * 16 + "-", (200, 0, 1000)),
    ],
)
def test_a_browser_gets_the_part_that_it_asks_for(asked, expected):
    head, at, end = part_of(download(asked), "report.pdf", SIZE, SUM)
    status = int(head.split()[1])
    assert (status, at, end) == expected
    assert f"\r\nContent-Length: {end - at}\r\n".encode() in head and head.endswith(b"\r\n\r\n")
    if status == 206:
        assert f"\r\nContent-Range: bytes {at}-{end - 1}/1000\r\n".encode() in head
    assert (b"Content-Range: bytes */1000" in head) == (status == 416)


def test_the_rest_of_another_file_is_the_whole_of_this_one():
    for known, status in ((f'"{SUM}"', b"206"), ('"other"', b"200"), ("Thu, 01 Jan 1970 00:00:00 GMT", b"200")):
        head, *_ = part_of(download("bytes=5-", known), "a", SIZE, SUM)
        assert head.split()[1] == status


@pytest.mark.parametrize(
    "name", ["evil.html", "a\r\nSet-Cookie: x=1", 'a";filename="b.exe', "../../x", "\u202egnp.exe", "ü.pdf"]
)
def test_whatever_it_is_called_it_is_saved_and_never_shown(name):
    head, *_ = part_of(download(""), name, SIZE, SUM)
    lines = head.decode("ascii").split("\r\n")
    [disposition] = [line for line in lines if line.startswith("Content-Disposition")]
    assert disposition.startswith("Content-Disposition: attachment; filename*=UTF-8''")
    assert not set(disposition.partition("''")[2]) & set('/\\"; \r\n<>')
    for header in ("Content-Type: application/octet-stream", "X-Content-Type-Options: nosniff"):
        assert header in lines
    assert any(line.startswith("Content-Security-Policy: sandbox;") for line in lines)
    assert not any(line.startswith("Set-Cookie") for line in lines)


def download(range: str, if_range: str = "") -> Download:
    return Download(bytes(32), range, if_range, Refusal(404, "Not Found", ""))


# ---- from a room


@pytest.fixture
def open_room(host, tmp_path) -> Iterator[Callable[..., Host]]:
    opened: list[Blobs] = []

    def open_room(**options: Any) -> Host:
        opened.append(Blobs(tmp_path / "files", FileLimits(spare_part=0.0, spare_bytes=0)))
        made: Host = host("Room A", web_port=0, blobs=opened[-1], **options)
        return made

    yield open_room
    for blobs in opened:
        blobs.close()


@pytest.fixture
def page() -> Iterator[Callable[[Host, str], PageClient]]:
    pages: list[PageClient] = []

    def come(room: Host, nick: str) -> PageClient:
        pages.append(PageClient(room.ports["web"], nick))
        pages[-1].next(Welcome)
        return pages[-1]

    yield come
    for one in pages:
        one.close()


def address_of(page: PageClient, file: str) -> str:
    page.send(FileGet(file, download=True))
    return path_of(page.next(FileTicket).ticket)


def path_of(ticket: bytes) -> str:
    return "/f/" + base64.urlsafe_b64encode(ticket).decode().rstrip("=")


def get(room: Host, path: str, *, https: bool = True, **headers: str) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    port = room.ports["web"]
    with ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        if https:
            sock = stack.enter_context(client_context().wrap_socket(sock))
        sock.settimeout(PATIENCE)
        sock.sendall(request(port, path, headers=headers))
        got = b""
        while more := sock.recv(65536):
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        return int(head.split()[1]), body


def test_a_stored_file_is_downloaded_whole_and_in_parts_as_often_as_a_browser_asks(open_room, enter, page, tmp_path):
    room = open_room()
    source = file_of(tmp_path / "ann", "large.bin", 300_000)
    sent = enter(room, "ann").send_file(source)
    path = address_of(page(room, "zoe"), sent.file)
    status, body = get(room, path)
    assert status == 200 and body == source.read_bytes()
    assert get(room, path, Range="bytes=299990-") == (206, source.read_bytes()[299_990:])
    assert get(room, path, https=False)[0] == 404, "over http everybody would read it on its way"
    assert get(room, path, Host="evil.example")[0] == 421
    assert get(room, path_of(bytes(32)))[0] == get(room, path[:-1])[0] == get(room, path + "AA")[0] == 404


@pytest.mark.parametrize("how", ["removed", "banned", "an hour later"])
def test_an_address_is_good_as_long_as_the_file_and_who_asked_are_there(open_room, enter, page, tmp_path, how):
    room = open_room(timing=Timing(download=-1.0) if how == "an hour later" else Timing())
    hal = enter(room, "hal")
    sent = hal.send_file(file_of(tmp_path / "hal", "report.pdf", 10))
    zoe = page(room, "zoe")
    path = address_of(zoe, sent.file)
    if how == "removed":
        hal.remove_file(sent.file)
        wait_until(lambda: not hal.files)
    elif how == "banned":
        hal.moderate("ban", "zoe")
        while zoe.message() is not None:
            pass
    assert get(room, path)[0] == 404


def test_an_address_is_no_ticket_and_a_ticket_no_address(open_room, enter, page, tmp_path):
    room = open_room()
    source = file_of(tmp_path / "ann", "report.pdf", 10)
    sent = enter(room, "ann").send_file(source)
    zoe = page(room, "zoe")
    zoe.send(FileGet(sent.file, download=True))
    by_address = zoe.next(FileTicket).ticket
    zoe.send(FileGet(sent.file))
    for_a_link = zoe.next(FileTicket).ticket
    assert get(room, path_of(for_a_link))[0] == 404
    eve = Stranger(room.port, "127.0.0.1").tls()
    assert eve.hear(Card)
    eve.send(encode(Transfer(VERSION, by_address)))
    assert b"no longer valid" in eve.line()
    eve.close()


def test_what_is_not_whole_or_sealed_has_no_address(open_room, enter, page, tmp_path):
    room = open_room()
    ann, zoe = enter(room, "ann"), page(room, "zoe")
    sealed = ann.send_file(file_of(tmp_path / "ann", "secret.pdf", 10), "zoe")
    zoe.send(FileGet(sealed.file, download=True))
    assert zoe.next(FileRefused).code == "unknown"


def test_a_browser_that_does_not_read_is_hung_up_on(open_room, enter, page, tmp_path, monkeypatch):
    def drop(link: Link, code: str, reason: str = "") -> None:
        reasons.append(reason)
        true_drop(link, code, reason)

    reasons, true_drop = [], Link.drop
    monkeypatch.setattr(Link, "drop", drop)
    room = open_room(timing=Timing(transfer_stall=1.0, sweep=0.05))
    sent = enter(room, "ann").send_file(file_of(tmp_path / "ann", "large.bin", 24 << 20))
    path = address_of(page(room, "zoe"), sent.file)
    wait_until(lambda: len(room.links) == 2, what="ann's transfer to be over")
    port = room.ports["web"]
    with socket.create_connection(("127.0.0.1", port)) as plain, client_context().wrap_socket(plain) as sock:
        sock.sendall(request(port, path))
        wait_until(lambda: "did not read" in reasons)
        wait_until(lambda: len(room.links) == 2, what="the link of who does not read to be dropped")
