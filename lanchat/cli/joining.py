"""How the commands of a script join a room: their options, and the room for as long as they are in it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lanchat.cli import options

if TYPE_CHECKING:
    from lanchat.api.joining import Keeping
    from lanchat.api.room import JoinedRoom
    from lanchat.terminal.prompts import Who


@dataclass(frozen=True)
class JoinOptions:
    """How a script joins; each field but the last is the option of its name."""

    nick: str | None
    password_file: str | None
    wait: float
    new_host: bool
    interface: tuple[str, ...]
    timeout: float | None
    began: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float | None:
        """When the time of `timeout` is over, by `time.monotonic()`; None: never."""
        return None if self.timeout is None else self.began + self.timeout


ROOM = "ROOM"  # the help of each command says that it is a title, an address or an invite
join_options = options.collected(
    "how",
    JoinOptions,
    options.nick_once,
    options.password_file,
    options.wait(default=5.0, help="Look this long for a TITLE."),
    options.flag(
        "--new-host", help="Join a TITLE on a host you have not met, even if you know another room with that title."
    ),
    options.interface,
    options.seconds("--timeout", help="Give up after this many seconds from the start, with exit code 124."),
)


def who_joins(how: JoinOptions) -> "Who":
    """The nick, and the password if there is one. A password file may be a pipe, so this is called once.

    Raises:
        click.BadParameter: the nick breaks the rules of nicks.
        LanchatError: the file cannot be read, or the password is too short.
    """
    from lanchat.terminal.prompts import Who, choose_nick, given_password

    return Who(choose_nick(how.nick, ask=False), given_password(how.password_file))


@contextmanager
def joined(
    room: str, how: JoinOptions, keeping: "Keeping", who: "Who | None" = None, look_back: int = 0
) -> Iterator["JoinedRoom"]:
    """The room, joined by a program: nobody is asked anything.

    Args:
        who: what `who_joins` has returned, if it was called before.
        look_back: the number of events that are wanted before those that a newcomer gets.
    """
    from lanchat.terminal.joining import join_by_name

    with join_by_name(
        room,
        who or who_joins(how),
        how.wait,
        how.interface,
        note,
        ask=False,
        new_host=how.new_host,
        keeping=keeping,
        bot=True,
        deadline=how.deadline,
        look_back=look_back,
    ) as joined_room:
        yield joined_room


def note(text: str) -> None:
    """Tell the person what happens in the room, beside the data on stdout."""
    from lanchat.terminal.stdio import put
    from lanchat.terminal.wording import note_text

    put(sys.stderr, note_text(text))
