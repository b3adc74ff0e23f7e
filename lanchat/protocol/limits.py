"""The limits of a room, and the token bucket that enforces a rate. Pure.

The numbers, with their precedents in ergo, OpenSSH, KDE Connect and ssh-chat, are explained in `.github/SECURITY.md`.
"""

from dataclasses import dataclass


class TokenBucket:
    """`burst` at once, then `rate` a second. O(1), no allocation.

    Args:
        now: s, of the same clock that every call gets.
    """

    __slots__ = ("_burst", "_level", "_rate", "_then")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._then = now

    def take(self, amount: float, now: float) -> float:
        """Take this amount, even if the bucket holds less and goes into debt.

        Returns:
            Seconds until the debt is paid; 0: there is none.
        """
        self._level = min(self._burst, self._level + (now - self._then) * self._rate) - amount
        self._then = now
        return 0.0 if self._level >= 0 else -self._level / self._rate

    def spare(self, amount: float, now: float) -> bool:
        """Take this amount only if the bucket holds it. For traffic that is dropped instead of delayed.

        Returns:
            Whether it was taken.
        """
        self._level = min(self._burst, self._level + (now - self._then) * self._rate)
        self._then = now
        if self._level < amount:
            return False
        self._level -= amount
        return True


@dataclass(frozen=True)
class Limits:
    """The limits of strangers and members at one host. Times in s, sizes in bytes."""

    members: int = 200  # people in a room
    greeting: float = 10.0  # TLS + hello + proof in all (Syncthing 10, ssh-chat 20, OpenSSH 120)
    strangers: int = 32  # links that have not proven an identity (OpenSSH 10:30:100, KDE Connect 42)
    strangers_per_source: int = 4
    links_per_source: int = 16  # ergo's number; this machine itself is exempt
    connects_burst: int = 60  # from one source at once
    connects_rate: float = 2.0  # and then a second (ergo: 32 in 10 min; a live list asks each room every 3 s)
    message_burst: int = 100  # of one link at once: a log that is pasted or piped in
    message_rate: float = 10.0  # and then a second; further ones are not refused but wait (ergo's fakelag: 5, then 2)
    byte_burst: int = 256 * 1024  # raw bytes of one link at once, TLS included, so that KeyUpdates count
    byte_rate: float = 64 * 1024  # and then a second: 10 of the longest messages; further ones wait


MAILBOX_AGE = 30 * 86_400_000  # ms that a private message waits for a member who stays away
MAILBOX_KNOWN = 10_000  # finished private messages that are remembered, so that a resend is recognised
MAX_PEOPLE = 5_000  # people in one room that a member accepts from a host; 25 times what a host admits by default

DEFAULT_LIMITS = Limits()
NO_LIMITS = Limits(
    members=100_000,
    strangers=100_000,
    strangers_per_source=100_000,
    links_per_source=100_000,
    connects_burst=1_000_000,
    connects_rate=1e6,
    message_burst=1_000_000_000,
    message_rate=1e9,
    byte_burst=1 << 40,
    byte_rate=1e12,
)  # for benchmarks on loopback
