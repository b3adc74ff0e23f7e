"""An IRC client for tests."""

import socket
import ssl
from itertools import count

from lanchat.protocol.irc.line import Line, parse
from tests.support.waiting import PATIENCE


class IrcClient:
    """Sends lines and reads the answers. Belongs to one thread."""

    def __init__(
        self,
        port: int,
        nick: str = "",
        *,
        capabilities: str = "",
        source: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        password: str = "",
    ) -> None:
        plain = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        plain.settimeout(PATIENCE)
        self.socket = plain if tls is None else tls.wrap_socket(plain)
        self._partial = b""
        self._pings = count(1)
        if capabilities:
            self.send("CAP LS 302", f"CAP REQ :{capabilities}", "CAP END")
        if password:
            self.send(f"PASS :{password}")
        if nick:
            self.send(f"NICK {nick}", "USER user 0 * :real name")
            self.until("366")

    def send(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def line(self) -> str:
        """The next line, without its end."""
        while b"\r\n" not in self._partial:
            data = self.socket.recv(4096)
            assert data, f"ended after {self._partial!r}"
            self._partial += data
        line, _, self._partial = self._partial.partition(b"\r\n")
        return line.decode()

    def until(self, command: str) -> list[str]:
        """All lines up to and with the next one of this command."""
        lines = [self.line()]
        while command_of(lines[-1]) != command:
            lines.append(self.line())
        return lines

    def next(self, command: str) -> str:
        """The next line of this command."""
        return self.until(command)[-1]

    def answers(self, *lines: str) -> list[str]:
        """What comes after these lines were sent, as a PING that follows them tells."""
        token = f"token-{next(self._pings)}"
        self.send(*lines, f"PING {token}")
        got = [self.line()]
        while not (command_of(got[-1]) == "PONG" and got[-1].endswith(f":{token}")):
            got.append(self.line())
        return got[:-1]

    def numbers(self, *lines: str) -> list[str]:
        """The commands and numerics of the answers."""
        return [command_of(line) for line in self.answers(*lines)]

    def end(self) -> bytes:
        """All that comes until the host closes the link."""
        while data := self.socket.recv(4096):
            self._partial += data
        return self._partial

    def close(self) -> None:
        self.socket.close()


def parsed(line: str) -> Line:
    found = parse(line.encode())
    assert found is not None
    return found


def command_of(line: str) -> str:
    return parsed(line).command
