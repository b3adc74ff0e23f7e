"""The page: what a browser costs the host beside a program, and how quick the page is in Chromium.

Figures of Chromium are left out where there is none (apt-get install chromium, or LANCHAT_CHROMIUM).
"""

import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Said, Welcome
from lanchat.protocol.noise import Page
from lanchat.protocol.noise import answer as respond
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.protocol.tls import PlainChannel, TlsChannel, client_context, server_context
from lanchat.server.doors.web.request import Upgrade
from lanchat.server.doors.web.sealed import SealedChannel
from lanchat.storage.identity import Identity, load_identity
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.machine import cpu_seconds, rss_kib, wait_for_quiet
from scripts.benchmark.table import many, ms, table, times

_LINKS = 200
_PAST = 5000  # lines
_RATE, _FLOOD = 500, 2000  # lines a second, lines
_LIMIT = 30_000.0  # ms


@dataclass(frozen=True)
class FanRow:
    batch: int  # messages that are sent together
    native: float  # messages to links for each s of CPU
    page: float


@dataclass(frozen=True)
class CostRow:
    what: str
    value: float
    goal: float


def web(options: Options) -> Sequence[FanRow | CostRow]:
    """Run the section."""
    wait_for_quiet(options.patience)
    fans = _fan_out(3 if options.quick else 9)
    costs: dict[str, list[float]] = {}
    for _ in range(options.repeat):
        wait_for_quiet(options.patience)
        with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder, _room(folder) as room:
            for measured in (_coming_in, _in_chromium):
                for what, value in measured(room).items():
                    costs.setdefault(what, []).append(value)
    rows = [CostRow(what, median(found), _GOALS[what]) for what, found in costs.items()]
    shown = [(str(fan.batch), many(fan.native), many(fan.page), times(fan.page / fan.native)) for fan in fans]
    columns = ("messages in a batch", "native, TLS", "page, sealed", "")
    options.show(table(f"web: messages to {_LINKS} links for each CPU second", columns, shown))
    options.show(table("web: one page", ("", "", "goal"), [(r.what, ms(r.value), ms(r.goal)) for r in rows]))
    return [*fans, *rows]


_GOALS = {
    "memory of a browser at the host, KiB": 40.0,
    "CPU of the host for one that comes in, ms": 6.0,
    "page can be used after its first byte, ms": 1000.0,
    f"{_PAST} missed lines are shown, ms": 2000.0,
    f"longest task at {_RATE} lines a second, ms": 50.0,
}


# ---- links to nobody: what one send costs


def _fan_out(repeat: int) -> list[FanRow]:
    with tempfile.TemporaryDirectory(prefix="lanchat-bench-") as folder:
        identity, flusher = load_identity(Path(folder)), Flusher("bench", DEFAULT_TIMING)
        context = server_context(identity.certificate_path, identity.key_path)
        native = [_native(context, flusher) for _ in range(_LINKS)]
        pages = [_sealed(identity, flusher) for _ in range(_LINKS)]
        rows = []
        for batch in (1, 8, 64):
            found = [(_send(native, batch), _send(pages, batch)) for _ in range(repeat)]  # by turns
            rows.append(FanRow(batch, max(one for one, _ in found), max(other for _, other in found)))
        for link, sock in [*native, *pages]:
            link.close()
            sock.close()
        flusher.close()
    return rows


def _native(context: ssl.SSLContext, flusher: Flusher) -> tuple[Link, socket.socket]:
    ours, theirs = socket.socketpair()
    link = Link(ours, TlsChannel(context, server=True), flusher)
    thread = threading.Thread(target=link.establish)
    thread.start()
    client = client_context().wrap_socket(theirs)
    thread.join()
    client.setblocking(False)
    return link, client


def _sealed(identity: Identity, flusher: Flusher) -> tuple[Link, socket.socket]:
    def shake(frame: bytes) -> Any:
        ephemeral, static = secrets.token_bytes(32), b"\x33" * 32
        return respond(frame, ephemeral=ephemeral, static=static, host_key=identity.public, sign=identity.sign)

    ours, theirs = socket.socketpair()
    link = Link(ours, SealedChannel(PlainChannel(), lambda method, path, values: Upgrade(), shake), flusher)
    thread = threading.Thread(target=link.establish)
    thread.start()
    browser = ClientProtocol(parse_uri("ws://a:1/ws"))
    browser.send_request(browser.connect())
    theirs.sendall(b"".join(browser.data_to_send()))
    browser.receive_data(theirs.recv(65536))
    browser.send_binary(Page(secrets.token_bytes(32)).frame)
    theirs.sendall(b"".join(browser.data_to_send()))
    thread.join()
    theirs.setblocking(False)
    return link, theirs


def _send(links: Sequence[tuple[Link, socket.socket]], batch: int) -> float:
    """Messages to all links for each second of CPU."""
    data = b"".join(encode(Said(n, 1_790_000_000_000, "a" * 32, "ann", f"{n:016x}-1", "x" * 100)) for n in range(batch))
    took, rounds = 0.0, max(2, 64 // batch)
    for _ in range(rounds):
        began = time.thread_time()
        for link, _ in links:
            link.send(data)
        took += time.thread_time() - began
        for _, sock in links:
            with suppress(BlockingIOError):
                while os.read(sock.fileno(), 1 << 20):
                    pass
    return len(links) * batch * rounds / took


# ---- a whole host


@contextmanager
def _room(folder: str) -> "Iterator[_Room]":
    command = [sys.executable, "-m", "scripts.benchmark.room", folder]
    root, pipe = Path(__file__).parents[2], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root) as process:
        try:
            yield _Room(process)
        finally:
            process.terminate()


class _Room:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None and process.stdout is not None
        self.pid, self._in, self._out = process.pid, process.stdin, process.stdout
        self.port = int(self._out.readline())

    def say(self, number: int, rate: int = 0) -> Callable[[], object]:
        """Returns what waits for the end of it."""
        self._in.write(f"say {number} {rate}\n")
        self._in.flush()
        return self._out.readline


def _coming_in(room: _Room) -> dict[str, float]:
    from tests.support.page import PageClient

    def come(name: str) -> PageClient:
        page = PageClient(room.port, name)
        page.next(Welcome)
        return page

    pages = [come(f"early{number}") for number in range(20)]
    memory, cpu = rss_kib(room.pid), cpu_seconds(room.pid)
    pages += [come(f"late{number}") for number in range(_LINKS)]
    more, took = rss_kib(room.pid) - memory, cpu_seconds(room.pid) - cpu
    for page in pages:
        page.close()
    what = [*_GOALS]
    return {what[0]: more / _LINKS, what[1]: took / _LINKS * 1000}


LONG_TASKS = """longest = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration);
}).observe({ type: "longtask", buffered: true });"""
HIDE = "Object.defineProperty(document, 'hidden', { value: true, configurable: true })"
SHOW = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
CUTTABLE = """sockets = []; WebSocket = class extends WebSocket {
    constructor(url) { super(url); sockets.push(this); }
};"""


def _in_chromium(room: _Room) -> dict[str, float]:
    program = os.environ.get("LANCHAT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if program is None:
        tell("web: no Chromium")
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(_LIMIT)
        page.add_init_script(LONG_TASKS + CUTTABLE)
        page.goto(f"http://127.0.0.1:{room.port}/")
        page.locator("#nick:focus").wait_for()
        ready = page.evaluate("performance.now() - performance.getEntriesByType('navigation')[0].responseStart")
        page.locator("#nick").fill("zoe")
        page.keyboard.press("Enter")
        page.locator("#text").wait_for()

        page.evaluate(HIDE)
        page.evaluate("sockets.forEach((socket) => socket.close())")
        room.say(_PAST)()
        began = time.monotonic()
        page.evaluate(SHOW)
        page.locator("#lines .text", has_text=f"line {_PAST - 1} ").wait_for()
        painted = (time.monotonic() - began) * 1000

        page.evaluate("longest = 0")
        wait = room.say(_FLOOD, _RATE)
        page.locator("#text").focus()
        until = time.monotonic() + _FLOOD / _RATE
        while time.monotonic() < until:
            page.keyboard.type("x")
            time.sleep(0.05)
        wait()
        longest = page.evaluate("longest")
        browser.close()
    what = [*_GOALS]
    return {what[2]: ready, what[3]: painted, what[4]: longest}
