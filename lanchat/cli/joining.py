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


ROOM = "TITLE | HOST[:PORT] | INVITE"
join_options = options.collected(
    "how",
    JoinOptions,
    options.nick_once,
    options.password_file,
    options.wait(default=5.0, help="Look this long for a TITLE."),
    options.flag(
        "--new-host", help="Join a TITLE on a host you have not met, even if you know another room called so."
    ),
    options.interface,
    options.seconds("--timeout", help="Give up after this many seconds from the start, with exit code 124."),
)


@contextmanager
def joined(room: str, how: JoinOptions, keeping: "Keeping") -> Iterator["JoinedRoom"]:
    """The room, joined by a program: nobody is asked anything."""
    from lanchat.terminal.prompts import choose_nick, given_password, join_by_name

    nick, password = choose_nick(how.nick, ask=False), given_password(how.password_file)
    with join_by_name(
        room,
        nick,
        password,
        how.wait,
        how.interface,
        _note,
        ask=False,
        new_host=how.new_host,
        keeping=keeping,
        deadline=how.deadline,
    ) as joined_room:
        yield joined_room


def _note(text: str) -> None:
    from lanchat.terminal.stdio import put
    from lanchat.terminal.wording import note_text

    put(sys.stderr, note_text(text))
