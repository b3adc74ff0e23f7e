"""Listens on loopback for the IRC client of this computer's person, and runs the gateway."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from lanchat.errors import LanchatError, ProtocolError
from lanchat.gateway.client import Client
from lanchat.gateway.commands import Commands
from lanchat.gateway.network import Network, Typed
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.irc.line import MAX_PARTIAL, TooLong, made, parse
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.protocol.tls import PlainChannel

PORT = 6667
MAX_CLIENTS = 32  # connections at once that have not registered
EARLY_LINES = 100  # lines before a client has registered; each takes a moment from the person's own client

_LOOK = 0.5  # s between two looks whether the gateway ends
_PAUSE = 0.2  # s without accepting after an error; without it the thread would spin as long as no descriptor is left

_log = logging.getLogger(__name__)


class Gateway:
    """Serves one IRC client at a time. `run` is for the main thread, `close` for any thread.

    Args:
        port: 0 for any.

    Raises:
        LanchatError: the port cannot be used.
    """

    def __init__(self, network: Network, password: str, port: int = PORT, timing: Timing = DEFAULT_TIMING) -> None:
        self._network = network
        self._commands = Commands(network, password, time.monotonic())
        self._timing = timing
        self._links: dict[Link, Client] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()  # guards both
        self._closing = False
        with ExitStack() as undo:
            self._socket = undo.enter_context(socket.socket())
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self._socket.bind(("127.0.0.1", port))
                self._socket.listen(MAX_CLIENTS)
            except OSError as error:
                what = f"Port {port} of this computer cannot be used: {error.strerror or error}."
                raise LanchatError(what, "Choose another: lanchat irc --port 6668") from None
            self._socket.settimeout(_LOOK)
            self._flusher = Flusher("gateway-flusher", timing)
            undo.callback(self._flusher.close)
            self._accepting = threading.Thread(target=self._accept, name="gateway-accept")
            self._accepting.start()
            undo.pop_all()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def run(self) -> None:
        """Serve until `close`."""
        inbox = self._network.inbox
        while not self._closing:
            for item in inbox.take(self._timing.sweep):
                if not isinstance(item, Typed):
                    self._network.handle(item)
                elif item.line is not None:
                    self._commands.carry_out(item.client, item.line, time.monotonic())
                elif self._network.client is item.client:
                    self._network.client = None  # its rooms stay, for the next one

    def close(self) -> None:
        """Say goodbye, and leave all rooms. May be called twice."""
        if self._closing:
            return
        self._closing = True
        with suppress(OSError):  # Linux wakes `accept` by this; other systems refuse it for a socket that listens
            self._socket.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._socket.close()
        with self._lock:
            links, threads = list(self._links), list(self._threads)
        for link in links:
            link.finish(made("", "ERROR", last="The gateway has ended"))
        self._network.close()
        for link in links:
            link.drop("", "the gateway has ended")
        for thread in threads:
            thread.join()
        self._flusher.close()

    # ---- the other threads

    def _accept(self) -> None:
        while not self._closing:
            try:
                sock, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if not self._closing:  # no descriptor is left, say; clients that come when one is free are served
                    _log.warning("cannot take an IRC client: %s", error.strerror)
                    time.sleep(_PAUSE)
                continue
            self._make_space()
            try:
                self._serve(sock)
            except (OSError, RuntimeError) as error:  # the client is gone already, or no thread is left
                _log.warning("cannot serve an IRC client: %s", error)
                sock.close()

    def _serve(self, sock: socket.socket) -> None:
        """Read this client in a thread of its own."""
        link = Link(sock, PlainChannel(), self._flusher)
        link.within(self._timing.name, "late", "did not register in time")
        client = Client(link)
        reader = threading.Thread(target=self._reading(client), name="gateway-reader")
        with self._lock:
            self._links[link] = client
            self._threads.add(reader)
        try:
            reader.start()
        except RuntimeError:
            with self._lock:
                del self._links[link]
                self._threads.discard(reader)
            link.close()
            raise

    def _make_space(self) -> None:
        """Drop the oldest connection that has not registered, if there are many: the person's client has to come in."""
        with self._lock:
            strangers = [link for link, client in self._links.items() if not client.registered]
        for link in strangers[: max(0, len(strangers) - MAX_CLIENTS + 1)]:
            link.drop("busy", "too many connections")

    def _reading(self, client: Client) -> Callable[[], None]:
        link = client.link

        def read() -> None:
            try:
                self._read(client)
            except LanchatError as error:
                _log.info("dropped an IRC client: %s", error)
            finally:
                self._network.inbox.put_now(Typed(client, None))
                link.close()
                with self._lock:
                    self._links.pop(link, None)
                    self._threads.discard(threading.current_thread())

        return read

    def _read(self, client: Client) -> None:
        splitter, link, early = LineSplitter(MAX_PARTIAL), client.link, 0
        while data := link.receive():
            for raw in splitter.feed(data):
                if not client.registered:
                    early += 1
                    if early > EARLY_LINES:
                        raise ProtocolError("Too many lines before it has registered.")
                    if b" HTTP/1." in raw:  # a web page in this computer's browser; a person may say so later
                        return
                try:
                    line = parse(raw, replacing=True)
                except TooLong:
                    client.reply("417", last="Input line was too long")
                    continue
                if line is not None:
                    self._network.inbox.put(Typed(client, line))
