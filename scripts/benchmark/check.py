"""Checks that each receiver got every message once, and the messages of each sender in order. Pure.

Most receivers get the very same bytes. So one stream is stored (`Stream`) and each of its lines is checked once; every
other receiver is compared with it byte by byte, which costs next to nothing and overlooks nothing. A receiver with a
stream of its own (a sender that does not hear itself, or a server that makes mistakes) is checked line by line.
"""

import re
from dataclasses import dataclass, field

MESSAGE_SIZE = 100  # bytes of text
_FIXED = len("LG0~") + 10 + 1 + 19 + 1  # before the padding
_SYNC = re.compile(rb"SYNC(\d)~(\d{6})")


@dataclass(frozen=True)
class Marks:
    """The form of the messages of one run: `LG<run>~<sender, 3 digits><number, 7 digits>~<ns, 19 digits>~xxx...`."""

    run: int  # its last digit is told, so that a late message of the run before is not taken for one of this

    @property
    def begin(self) -> bytes:
        return b"LG%d~" % (self.run % 10)

    @property
    def pattern(self) -> re.Pattern[bytes]:
        return re.compile(self.begin + rb"(\d{10})~(\d{19})~x{%d}(?!x)" % (MESSAGE_SIZE - _FIXED))

    def text(self, sender: int, number: int, ns: int) -> bytes:
        return self.begin + b"%03d%07d~%019d~" % (sender, number, ns) + b"x" * (MESSAGE_SIZE - _FIXED)

    def id(self, number: int) -> int:
        """The id of a message, for servers that want one that is unique for its sender."""
        return (self.run + 1) * 10**9 + number

    def sync(self, number: int) -> bytes:
        """A line that is said before a run until everybody hears it. It is no message of the run."""
        return b"SYNC%d~%06d" % (self.run % 10, number)

    def after_sync(self, data: bytes, number: int) -> int:
        """Where the line after this sync, or after a later one, begins; -1 while there is none."""
        for found in _SYNC.finditer(data):
            if int(found[1]) == self.run % 10 and int(found[2]) >= number:
                return data.find(b"\n", found.end()) + 1 or -1
        return -1


@dataclass
class Verdict:
    """The mistakes of a run, summed over its receivers. `seen` counts right and wrong messages alike."""

    seen: int = 0
    lost: int = 0
    doubled: int = 0
    swapped: int = 0  # came after a later one of the same sender
    broken: int = 0  # came with other bytes

    def add(self, other: "Verdict") -> None:
        self.seen += other.seen
        self.lost += other.lost
        self.doubled += other.doubled
        self.swapped += other.swapped
        self.broken += other.broken

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.swapped or self.broken)


class Tally:
    """Checks one stream line by line."""

    def __init__(self, marks: Marks, senders: int) -> None:
        self.next = [0] * senders  # of each sender, the number that should come now
        self.times: list[tuple[int, int]] | None = None  # (ns said, ns read), where somebody wants them
        self._marks = marks
        self._pattern = marks.pattern
        self._missing: list[set[int]] = [set() for _ in range(senders)]
        self._verdict = Verdict()

    @property
    def seen(self) -> int:
        return self._verdict.seen

    def feed(self, lines: bytes, now_ns: int = 0) -> None:
        """Check more of the stream: whole lines only."""
        found = self._pattern.findall(lines)
        verdict = self._verdict
        verdict.seen += len(found)
        if len(found) != (marked := lines.count(self._marks.begin)):
            verdict.broken += marked - len(found)
        expected = self.next
        for digits, _ in found:
            sender, number = divmod(int(digits), 10_000_000)
            if sender >= len(expected):
                verdict.broken += 1
            elif number == expected[sender]:
                expected[sender] = number + 1
            else:
                self._odd(sender, number)
        if self.times is not None:
            self.times += [(int(said), now_ns) for _, said in found]

    def verdict(self, sent: list[int]) -> Verdict:
        """The verdict at the end of the run.

        Args:
            sent: how many messages each sender has sent to this receiver.
        """
        missing = sum(map(len, self._missing)) + sum(
            max(0, all_ - got) for all_, got in zip(sent, self.next, strict=True)
        )
        it = self._verdict
        return Verdict(it.seen, missing - it.broken if missing > it.broken else 0, it.doubled, it.swapped, it.broken)

    def _odd(self, sender: int, number: int) -> None:
        missing = self._missing[sender]
        if number > self.next[sender]:
            missing.update(range(self.next[sender], number))
            self.next[sender] = number + 1
        elif number in missing:
            missing.discard(number)
            self._verdict.swapped += 1
        else:
            self._verdict.doubled += 1


@dataclass
class Stream:
    """The bytes that all followers get. They are checked when the run is over."""

    data: bytearray = field(default_factory=bytearray)

    def follow(self, at: int, lines: bytes) -> bool:
        """Whether these lines continue the stream for a follower that has got `at` bytes. New bytes are added to it."""
        known = len(self.data) - at
        if known >= len(lines):
            return self.data.startswith(lines, at)
        if not self.data.startswith(lines[:known], at):
            return False
        self.data += lines[known:]
        return True


class Receiver:
    """Takes the bytes that one member gets in a run.

    Args:
        stream: the bytes that all get; None: check every line of this member as it comes.
        noise: lines for one member alone, which do not count (acknowledgements, signs of life).
    """

    def __init__(self, marks: Marks, senders: int, stream: Stream | None, noise: re.Pattern[bytes] | None) -> None:
        self.tally = Tally(marks, senders)  # of a follower: empty
        self.got = 0  # bytes of the stream
        self.stream = stream  # None also once it got something that the others did not
        self._noise = noise
        self._partial = b""

    def take(self, data: bytes, now_ns: int = 0) -> bool:
        """Take bytes as they came, whole lines or not.

        Returns:
            Whether there may be noise among them.
        """
        if self._partial:
            data = self._partial + data
        end = data.rfind(b"\n") + 1
        self._partial = data[end:]
        lines = data if end == len(data) else data[:end]
        if self.stream is None:
            self.tally.feed(lines, now_ns)
            return True
        quiet = lines
        if self._noise is not None and self.got + len(lines) > len(self.stream.data):
            quiet = self._noise.sub(b"", lines)  # the first to hear it: nothing that is for this one alone may be added
        if self.stream.follow(self.got, quiet):
            self.got += len(quiet)
            return quiet is not lines
        quiet = self._noise.sub(b"", lines) if self._noise is not None else lines
        if self.stream.follow(self.got, quiet):
            self.got += len(quiet)
        else:  # it is not what the others get: look at every line of this one from now on
            self.tally.feed(bytes(self.stream.data[: self.got]))
            self.stream = None
            self.tally.feed(lines, now_ns)
        return True

    def final(self) -> Tally:
        """The tally of all that this one got."""
        if self.stream is not None:
            self.tally.feed(bytes(self.stream.data[: self.got]))
            self.stream = None
        return self.tally
