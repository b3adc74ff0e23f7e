"""`lanchat host` for a room that a standby hosts at the moment: its owner joins it, or takes it back."""

import sys
import threading
import time
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING

from lanchat.cli.config_file import screen_options
from lanchat.errors import NotConnected
from lanchat.terminal.stdio import put

if TYPE_CHECKING:
    from lanchat.api.room import JoinedRoom
    from lanchat.cli.talk import HostOptions
    from lanchat.network.addresses import OwnAddresses
    from lanchat.terminal.options import ScriptOptions
    from lanchat.terminal.run import Notices

TAKING_BACK = 20.0  # s for our copy to be complete and for the room to come over; a long log takes some seconds
_ASK_AGAIN = 1.0  # s


def return_home(
    title: str,
    settings: "HostOptions",
    script: "ScriptOptions",
    notices: "Notices",
    on: "OwnAddresses",
    deadline: float | None,
    *,
    screen: bool,
) -> int | None:
    """If a standby hosts our room, join it there. Without a person at a screen, host it again.

    Returns:
        The exit code; None: nobody hosts it.
    """
    from lanchat.api.returning import Renewal, find_elsewhere
    from lanchat.protocol.text import safe_text
    from lanchat.protocol.timing import DEFAULT_TIMING
    from lanchat.terminal.joining import join_at
    from lanchat.terminal.phrases import moment_text
    from lanchat.terminal.prompts import Who, choose_nick, given_password
    from lanchat.terminal.run import run_chat, run_script, telling_successor

    elsewhere = None if settings.new or settings.ephemeral else find_elsewhere(title, on)
    if elsewhere is None:
        return None
    who = Who(choose_nick(settings.nick, ask=screen), given_password(settings.password_file))
    with (
        join_at(elsewhere.target, who, on, notices, ask=screen, standby=1) as room,
        telling_successor(room),
        Renewal(room, DEFAULT_TIMING.renewal),
    ):
        since = moment_text(datetime.fromtimestamp(elsewhere.since / 1000), date.today())
        told = f'{safe_text(elsewhere.host)} has been hosting "{safe_text(room.title)}" since {since}'
        if screen:
            note = f"{told}; you have joined it. /takeback makes you the host again."
            return run_chat(room, notices, (note, False), look=screen_options(bell=settings.bell))
        put(sys.stderr, f"{told}.")
        _take_back(room)
        return run_script(room, notices, script, deadline=deadline, headless=settings.headless)


def _take_back(room: "JoinedRoom") -> None:
    """Ask for the room until we host it. Our copy has to be complete first."""
    never, until = threading.Event(), time.monotonic() + TAKING_BACK
    while not never.wait(_ASK_AGAIN) and not room.hosting and time.monotonic() < until:
        with suppress(NotConnected):
            room.moderate("takeback")
