"""Calls a person who looks elsewhere: whether to, and with which bytes for which terminal. Pure.

A bell, a popup of the terminal, and the number of new messages in its title. Texts of others are made harmless here, so
that none of them ends a sequence or begins another.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from lanchat.protocol.messages import Said
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import safe_text
from lanchat.room.mention import mentions
from lanchat.terminal.keystream import ESC
from lanchat.terminal.options import Popup, PopupChoice

if TYPE_CHECKING:  # the list of rooms loads this module, and needs no such message
    from lanchat.client.events import PrivateMessage

Kind = Literal["message", "mention", "private"]

PAUSE = 3.0  # s between two calls; what comes meanwhile is told in one
ATTENTIVE = 10.0  # s after a key in which a person looks here, where the terminal tells nothing
LONGEST = 200  # characters of a popup
BELL = "\a"
ST = "\x1b\\"  # ends a string; popups end with BEL, which also passes through screen
WATCH_FOCUS, UNWATCH_FOCUS = "\x1b[?1004h", "\x1b[?1004l"
SAVE_TITLE, RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"

_PROGRAMS: dict[str, Popup] = {  # values of TERM_PROGRAM
    "ghostty": "osc777",
    "WezTerm": "osc777",
    "iTerm.app": "osc9",
    "Apple_Terminal": "off",
    "vscode": "off",
}
_TERMS: dict[str, Popup] = {  # beginnings of TERM
    "xterm-kitty": "osc99",
    "xterm-ghostty": "osc777",
    "wezterm": "osc777",
    "konsole": "osc777",
    "foot": "osc777",
}
_WITHOUT_TITLE = ("linux", "eterm-color", "dumb")  # TERMs that would show it as text


class Terminal:
    """What this terminal understands.

    Args:
        env: the environment of the process.
        popup: which popups it understands, if the person says so; "auto": the environment tells.
        titled: the person wants a title.
    """

    def __init__(self, env: Mapping[str, str], *, popup: PopupChoice = "auto", titled: bool = True) -> None:
        term, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
        by_term: Popup = next((popup for name, popup in _TERMS.items() if term.startswith(name)), "off")
        known: Popup = "osc99" if "KITTY_WINDOW_ID" in env else _PROGRAMS.get(program, by_term)
        self.popup = known if popup == "auto" else popup
        self.titled = titled and bool(term) and not term.startswith(_WITHOUT_TITLE)
        self._multiplexer = "tmux" if "TMUX" in env else "screen" if term.startswith("screen") else ""

    def show(self, title: str, text: str) -> str:
        """The bytes for a popup; none where the terminal has no popups."""
        title, text = harmless(title), harmless(text)
        match self.popup:
            case "osc99":
                sequence = f"\x1b]99;i=lanchat:o=unfocused:d=0;{title}\a\x1b]99;i=lanchat:o=unfocused:p=body;{text}\a"
            case "osc777":
                sequence = f"\x1b]777;notify;{title};{text}\a"
            case "osc9":
                sequence = f"\x1b]9;{title}: {text}\a"
            case "off":
                return ""
        if self._multiplexer == "tmux":
            return "\x1bPtmux;" + sequence.replace(ESC, ESC + ESC) + ST
        return f"\x1bP{sequence}{ST}" if self._multiplexer else sequence

    def name(self, title: str) -> str:
        """The bytes that name the window."""
        return f"\x1b]2;{harmless(title)}{ST}" if self.titled else ""


class Caller:
    """Counts what comes while the person looks elsewhere, and calls them. Owned by the thread that paints.

    Args:
        title: of the room.
        silent: no bell and no popup.
        now: s, by the clock of all methods.
    """

    def __init__(self, title: str, terminal: Terminal, *, silent: bool, now: float) -> None:
        self._title = title
        self._terminal = terminal
        self._silent = silent
        self._told = False  # whether the terminal tells when it has the focus
        self._focused = True
        self._key_at = now
        self._called_at = now - PAUSE
        self._words = ""  # of the last message for us
        self._named = 0  # unread messages in the title
        self._unread = 0
        self.waiting = 0  # messages for us that no call has told yet

    @property
    def name(self) -> str:
        """The bytes that name the window, with the number of unread messages."""
        self._named = self._unread
        count = f"({self._unread}) " if self._unread else ""
        return self._terminal.name(f"{count}{self._title} - lanchat")

    def focus(self, on: bool) -> None:
        """The terminal has got the focus, or lost it."""
        self._told, self._focused = True, on
        if on:
            self._unread = self.waiting = 0

    def key(self, now: float) -> None:
        """A key was pressed."""
        self._key_at = now
        if not self._told:
            self._unread = self.waiting = 0

    def looks_away(self, now: float) -> bool:
        return not self._focused if self._told else now - self._key_at > ATTENTIVE

    def heard(self, kind: Kind, nick: str, text: str, now: float) -> bool:
        """Note a message that somebody else has said just now.

        Returns:
            Whether it is the first that the person has not seen, as far as the terminal tells.
        """
        if not self.looks_away(now):
            return False
        self._unread += 1
        if kind != "message":
            self.waiting += 1
            who = safe_nick(nick)
            self._words = f"private message from {who}" if kind == "private" else f"{who}: {text}"
        return self._told and self._unread == 1

    def due(self, now: float) -> str:
        """The bytes to write to the terminal now; often none."""
        named = self.name if self._named != self._unread else ""
        if not self.waiting or now - self._called_at < PAUSE:
            return named
        words = self._words if self.waiting == 1 else f"{self.waiting} messages for you in {self._title}"
        self._called_at, self.waiting = now, 0
        return named + ("" if self._silent else BELL + self._terminal.show(self._title, words))


def kind_of(message: "Said | PrivateMessage", *names: str) -> Kind:
    """What a message is for the person with this nick, and with these words that call them as well."""
    if not isinstance(message, Said):
        return "private"
    return "mention" if mentions(message.text, *names) else "message"


def harmless(text: str) -> str:
    """A text that can stand in an escape sequence: nothing in it ends the sequence or a part of it."""
    shown = safe_text(text, lines=True).replace("\n", " ").replace(";", ",")
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
