"""The number of connections that this system lets one program have at once."""

import sys

from lanchat.errors import LanchatError

SPARE = 200  # for transfers, strangers, files and what else a program has open


def allow_connections(number: int) -> None:
    """Let this program have `number` connections, and some more.

    Raises:
        LanchatError: the system does not allow it.
    """
    if sys.platform == "win32":
        return  # there sockets are not limited so
    import resource

    wanted = number + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise LanchatError(
            f"This system lets a program have {hard:,} files and connections; {number:,} people need {wanted:,}.",
            f"Raise that limit (ulimit -n {wanted}), or use a smaller --people.",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
