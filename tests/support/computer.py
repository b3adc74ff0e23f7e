"""A member's computer, as whoever names standbys looks at it."""

import socket
import ssl
import threading

from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Card
from lanchat.storage.identity import Identity
from tests.support.waiting import PATIENCE


class Computer:
    """A member's computer: a port that shows a card, once it has been asked to get ready."""

    def __init__(
        self, identity: Identity, room: str = "5" * 32, standby: str = "hears", after: "Computer | None" = None
    ) -> None:
        self.identity, self._after = identity, after
        self.card = Card(2, room, "Room A", "ann", 1, False, bytes(32), standby=standby)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(identity.certificate_path, identity.key_path)
        self.met = 0  # clients
        self.all_heard: list[bytes] = []  # of each client what it has sent first
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
                self.met += 1
                with self._context.wrap_socket(sock, server_side=True) as link:
                    if self._after is not None:
                        self._after.heard()
                    link.sendall(encode(self.card))
                    self.all_heard.append(link.recv(64 * 1024))
                    self._ended.set()
            except ssl.SSLError:
                self._ended.set()
                continue
            except OSError:
                self._ended.set()
                if self.listener.fileno() < 0:
                    return

    def heard(self) -> bytes:
        """What the first client has sent after its handshake, once it has sent something or hung up."""
        assert self._ended.wait(PATIENCE)
        return b"".join(self.all_heard)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join()
