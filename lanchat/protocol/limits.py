"""The limits of a room, and the token bucket that enforces a rate. Pure.

The numbers, with their precedents in ergo, OpenSSH, KDE Connect and ssh-chat, are explained in `.github/SECURITY.md`.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace


class TokenBucket:
    """A rate limit: `burst` at once, then `rate` a second. O(1), no allocation.

    Args:
        now: s, of the same clock that every call gets.
    """

    __slots__ = ("_burst", "_level", "_then", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self._burst = burst
        self._level = burst
        self._then = now

    def take(self, amount: float, now: float) -> float:
        """Take this amount, even if the bucket holds less and goes into debt.

        Returns:
            Seconds until the debt is paid; 0: there is none.
        """
        self._level = min(self._burst, self._level + (now - self._then) * self.rate) - amount
        self._then = now
        return 0.0 if self._level >= 0 else -self._level / self.rate

    def level(self, now: float) -> float:
        """The tokens in the bucket; below 0: a debt."""
        return min(self._burst, self._level + (now - self._then) * self.rate)

    def spare(self, amount: float, now: float) -> bool:
        """Take this amount only if the bucket holds it. For traffic that is dropped instead of delayed.

        Returns:
            Whether it was taken.
        """
        self._level = min(self._burst, self._level + (now - self._then) * self.rate)
        self._then = now
        if self._level < amount:
            return False
        self._level -= amount
        return True


def memory_of(text: str) -> int:
    """Bytes that a text takes in memory, at most: one wide character makes all characters wide."""
    return len(text) if text.isascii() else 4 * len(text)


def memory_of_all(texts: Sequence[str]) -> int:
    """As `memory_of`, for many texts in a part of the time."""
    return sum(map(len, texts)) if all(map(str.isascii, texts)) else sum(map(memory_of, texts))


class Limits(Struct, frozen=True):
    """The limits of strangers and members at one host. Times in s, sizes in bytes."""

    members: int = 200  # people in a room
    crowd: int = (
        500  # above this a count takes the place of who comes and goes, because N people would cost N * N lines
    )
    crowd_over: int = 400  # below this there are lines again; less than `crowd`, so that it does not flip
    greeting: float = 10.0  # TLS + hello + proof in all (Syncthing 10, ssh-chat 20, OpenSSH 120)
    strangers: int = 32  # links that have not proven an identity (OpenSSH 10:30:100, KDE Connect 42)
    strangers_per_source: int = 4
    links_per_source: int = 16  # ergo's number; this machine itself is exempt
    connects_burst: int = 60  # from one source at once
    connects_rate: float = 2.0  # and then a second (ergo: 32 in 10 min; a live list asks each room every 3 s)
    # One member has these for all its links together, and gets no new ones by reconnecting.
    message_burst: int = 100  # at once: a log that is pasted or piped in
    message_rate: float = 10.0  # and then a second; further ones are not refused but wait (ergo's fakelag: 5, then 2)
    rename_burst: int = 8  # changes of one member's nick at once, also of its spelling, since everybody reads each one
    rename_rate: float = 1 / 15  # and then a second; further ones are refused
    byte_burst: int = 256 * 1024  # raw bytes at once, TLS included, so that KeyUpdates count
    byte_rate: float = 64 * 1024  # and then a second: 10 of the longest messages; further ones wait
    # All members of one source have these together; this machine itself is exempt. A source may be a router with many
    # people behind it, or a machine with many sessions: all links_per_source of them can talk at the same time, and yet
    # no source can fill a room alone.
    source_message_burst: int = 400  # at once: four people paste a log
    source_message_rate: float = 30.0  # and then a second: sixteen people say two things each, or three scripts flood
    source_byte_burst: int = 1024 * 1024  # at once: the bursts of four members
    source_byte_rate: float = 192 * 1024  # and then a second: the rates of three
    # All members of a room have these together, this machine's own ones too. So whatever the rules let everybody say at
    # once fits into an outbox (network/link.py), and nobody who reads is dropped for it.
    room_message_burst: int = 4000  # at once: 200 people who come back with 20 messages each
    room_message_rate: float = 1000.0  # and then a second: the rates of a hundred
    room_byte_burst: int = 2 * 1024 * 1024  # at once: the bursts of eight members
    room_byte_rate: float = 512 * 1024  # and then a second: the rates of eight, and a third of a slow Wi-Fi


class FileLimits(Struct, frozen=True):
    """The limits of the files of one room. Sizes in bytes."""

    file: int = 2 << 30  # one file; the video of a phone fits
    total: int = 10 << 30  # all files of a room
    member_share: float = 0.5  # of `total`, for the files of one member
    number: int = 200  # files in a room
    offers_burst: int = 10  # of one member at once ...
    offers_rate: float = 0.1  # ... and then a second
    kept: int = 7 * 86_400_000  # ms; people who come later in that week
    unfinished: int = 86_400_000  # ms since the last byte, after which a file that is not whole goes
    spared: int = 3_600_000  # ms; a younger file never goes to make room for another one
    places: int = 8  # transfers of a room at once; more seeks make all of them slower
    places_of_member: int = 2
    spare_part: float = 0.05  # of the host's disk, which stays free ...
    spare_bytes: int = 1 << 30  # ... and at least so much


LINES_A_MESSAGE = 10  # lines that are no messages (pings, blank lines, unknown types) that cost as much as one message

RECENT = 10_000  # last events of a room that its host holds in memory
RECENT_SIZE = 16 * 1024 * 1024  # bytes of their texts in memory, at most; a quarter of what an attack may cost
MAILBOX_AGE = 30 * 86_400_000  # ms that a private message waits for a member who stays away
MAILBOX_KNOWN = 10_000  # finished private messages that are remembered, so that a resend is recognised
LATE_AGE = 7 * 86_400_000  # ms after which nothing is said again: a list of standbys is valid for as long
LATE_AFTER = 10_000  # ms within which what comes again counts as said now: twice as long as a room takes to move
SAID_AGAIN = 10_000  # lines that a member says again to one host, at most
MAX_OWNED = 50_000  # skeletons of nicks that have an owner in one room, some 12 MB; none gives way to a newer one
MAX_PEOPLE = 5_000  # people in one room that a member accepts from a host; 25 times what a host admits by default

MOST_MEMBERS = 1000  # people whom one host admits if its person wants that; up to here it was measured

DEFAULT_LIMITS = Limits()
DEFAULT_FILE_LIMITS = FileLimits()


def limits_for(people: int) -> Limits:
    """The limits of a room for this number of people, at most MOST_MEMBERS; 0: for as many as every room has."""
    return replace(DEFAULT_LIMITS, members=min(people, MOST_MEMBERS)) if people else DEFAULT_LIMITS


def file_limits(total: int) -> FileLimits:
    """The limits of a room that takes this number of bytes of files in all; 0: none."""
    return FileLimits(file=min(total // 2, max(DEFAULT_FILE_LIMITS.file, total // 5)), total=total)


# For benchmarks on loopback.
NO_LIMITS = Limits(
    members=100_000,
    crowd=100_000,
    crowd_over=100_000,
    strangers=100_000,
    strangers_per_source=100_000,
    links_per_source=100_000,
    connects_burst=1_000_000,
    connects_rate=1e6,
    message_burst=1_000_000_000,
    message_rate=1e9,
    rename_burst=1_000_000_000,
    rename_rate=1e9,
    byte_burst=1 << 40,
    byte_rate=1e12,
    source_message_burst=1_000_000_000,
    source_message_rate=1e9,
    source_byte_burst=1 << 40,
    source_byte_rate=1e12,
    room_message_burst=1_000_000_000,
    room_message_rate=1e9,
    room_byte_burst=1 << 40,
    room_byte_rate=1e12,
)
