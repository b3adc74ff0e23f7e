"""What the command line asks of a screen or a script. Pure. Every start of lanchat loads this, so it imports little."""

from dataclasses import dataclass
from typing import Literal

Popup = Literal["osc9", "osc99", "osc777", "off"]
PopupChoice = Popup | Literal["auto"]  # "auto": as the terminal understands it
PasswordChoice = Literal["ask", "auto"]  # ask the person for a password, or invent one
MIN_PASSWORD = 4  # characters; each guess costs an attempt at the host, so even this takes thousands of minutes


@dataclass(frozen=True)
class ScriptOptions:
    """How a script prints what arrives, and when it leaves.

    Args:
        linger: seconds to stay after everything from stdin is acknowledged; None: not given.
        until: leave as soon as an arriving line contains this text; then the end of stdin does not end the script.
        history: show what was said in the room before we joined, even if nothing else asks for it.
        no_history: ignore what was said in the room before we joined.
        quiet: print no message.
        timeout: seconds in all, from the start of the command; None: no limit.
        as_json: print one JSON object a line.
        json_in: each line of stdin is a JSON object.
        bot: others see that a program speaks.
    """

    linger: float | None = None
    until: str | None = None
    no_history: bool = False
    timeout: float | None = None
    as_json: bool = False
    history: bool = False
    quiet: bool = False
    json_in: bool = False
    bot: bool = False

    @property
    def skips_past(self) -> bool:
        """Whether what was said before is left out: by wish, or because this run only speaks and then leaves."""
        listens = self.history or self.as_json or self.until is not None or self.linger is not None
        return self.no_history or not listens

    def deadline(self, began: float) -> float | None:
        """When the time is over, by the clock of `began`; None: never.

        Args:
            began: when the command began.
        """
        return None if self.timeout is None else began + self.timeout


@dataclass(frozen=True)
class ScreenOptions:
    """How the chat screen calls its person, and what it leaves out.

    Args:
        bell: ring and show popups; else only the title counts what is new.
        title: name the window, and count new messages there.
        words: a message with one of these calls the person as their nick does.
        joins: whose comings and goings are shown: "all", "people" or "none".
    """

    bell: bool = True
    title: bool = True
    popup: PopupChoice = "auto"
    words: tuple[str, ...] = ()
    joins: str = "all"


DEFAULT_SCREEN = ScreenOptions()


def password_problem(password: str) -> str:
    """Why this cannot be the password of a room; empty: it can."""
    return f"A password needs at least {MIN_PASSWORD} characters." if len(password) < MIN_PASSWORD else ""
