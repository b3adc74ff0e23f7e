"""Takes telnet's commands out of what a plain client sends (RFC 854). Pure.

A telnet program mixes them with its text: offers of options when it begins, an interrupt for Ctrl-C. Every option is
refused, so that a telnet shows what is typed and sends whole lines where it can. No UTF-8 text holds the first byte of
a command. In Latin-1 it is ÿ, which stays where no command follows.
"""

_COMMAND = 255  # IAC, the first byte of every command
_SUBNEGOTIATION, _END = 250, 240  # what is between them is about an option
_OPTIONS = range(251, 255)  # WILL, WONT, DO, DONT: one more byte says which option
_REFUSALS = {251: 254, 253: 252}  # DONT to what the client will do, WONT to what we shall do; the rest are answers
_SIGNS = range(241, 250)  # a command of two bytes, such as "are you there"
_INTERRUPTS = frozenset({236, 237, 238, 243, 244})  # end of file, suspend, abort, break, interrupt process


class Telnet:
    """Takes telnet's commands out of what one client sends. Owned by its reader thread."""

    def __init__(self) -> None:
        self.interrupted = False  # whether the person wants to leave: Ctrl-C and its kin
        self.offered = False  # whether the client has begun to agree on options, which no other program does
        self._read = self._text
        self._verb = 0  # of the option that comes next
        self._answer = bytearray()
        self._after_return = False

    def feed(self, data: bytes) -> bytes:
        """The text in these bytes. A command may begin in one call and end in a later one."""
        if _COMMAND in data or self._read != self._text:
            data = b"".join(map(self._next, data))
        if self._after_return and data.startswith(b"\0"):
            data = b"\n" + data[1:]
        self._after_return = data.endswith(b"\r")
        return data.replace(b"\r\0", b"\r\n")  # the line end of a telnet that sends each key at once

    def take_answer(self) -> bytes:
        """What is to be sent to the client, once."""
        answer = bytes(self._answer)
        self._answer.clear()
        return answer

    def _next(self, byte: int) -> bytes:
        return self._read(byte)

    def _text(self, byte: int) -> bytes:
        if byte != _COMMAND:
            return bytes((byte,))
        self._read = self._command
        return b""

    def _command(self, byte: int) -> bytes:
        self._read = self._text
        if byte in _INTERRUPTS:
            self.interrupted = True
        elif byte in _OPTIONS:
            self._read, self._verb = self._option, byte
        elif byte == _SUBNEGOTIATION:
            self._read = self._about_option
        elif byte == _COMMAND:
            return b"\xff"
        elif byte not in _SIGNS:
            return bytes((_COMMAND, byte))
        return b""

    def _option(self, byte: int) -> bytes:
        self._read = self._text
        if refusal := _REFUSALS.get(self._verb):
            self.offered = True
            self._answer += bytes((_COMMAND, refusal, byte))
        return b""

    def _about_option(self, byte: int) -> bytes:
        if byte == _COMMAND:
            self._read = self._end_about_option
        return b""

    def _end_about_option(self, byte: int) -> bytes:
        self._read = self._text if byte == _END else self._about_option
        return b""
