"""A clock that goes on while the machine sleeps, so that a program notices afterwards that it did."""

import sys
import time

if sys.platform == "linux":

    def uptime() -> float:
        """Seconds since some moment, those of a closed lid included; `time.monotonic` stands still then."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

elif sys.platform == "darwin":

    def uptime() -> float:
        """The same; `time.monotonic` has another clock there, which stands still."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

else:

    def uptime() -> float:
        """The same; on Windows `time.monotonic` goes on."""
        return time.monotonic()
