"""The lines around the typed line: above it the messages that wait, below it the bar. Pure."""

from collections.abc import Sequence

from lanchat.client.state import RoomState
from lanchat.protocol.drafts import Talk
from lanchat.protocol.messages import Say
from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import Fragments, apart, cells, cut
from lanchat.terminal.chat.line import SYSTEM
from lanchat.terminal.phrases import people_text

PENDING_AFTER = 0.5  # s; on a good link the host has a message within milliseconds, and nothing flickers
PENDING_LINES = 3  # the newest, shown at most
NO_ANSWER = 3.0  # s of silence of a host that promises a sign of life each second, after which the bar says so
MIN_TITLE = 6  # cells of the title that the bar keeps before it leaves out other things


class Pending:
    """Shows our own messages that the host has not numbered yet. Owned by the thread that paints."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}  # s, when each was first seen to wait, by id

    def lines(self, newest: Sequence[Talk], total: int, now: float, width: int) -> Fragments:
        """A line for each message that has waited a while, and one for how many more there are.

        Args:
            newest: the last ones of those that wait.
            total: how many wait in all.
            now: seconds, by any clock.
            width: cells of the screen.
        """
        if not total:
            self._since.clear()
        for talk in newest:
            self._since.setdefault(talk.id, now)
        late = [talk for talk in newest if now - self._since[talk.id] >= PENDING_AFTER][-PENDING_LINES:]
        if not late:
            return []
        lines = [cut(apart(f"… {_in_a_line(talk)}"), width) for talk in late]
        if total > len(late):
            lines.insert(0, cut(f"… {total - len(late)} more unsent", width))
        return [(SYSTEM, "\n".join(lines))]


def bar_text(title: str, people: int | None, state: str, width: int) -> str:
    """The bar below the typed line, cut to a window of this many cells.

    Args:
        people: None: it is not known how many are in the room.
    """
    title = apart(safe_text(title))
    least = min(cells(title), MIN_TITLE)
    counts = () if people is None else (f" · {people_text(people)}", f" · {people}")
    for tail in (*(f"{count} · {state}" for count in counts), f" · {state}"):
        if 1 + least + cells(tail) <= width:
            return f" {cut(title, width - 1 - cells(tail))}{tail}"
    return cut(f" {title}", width)


def connection_text(state: RoomState, *, hosting: bool, away: bool) -> str:
    """The part of the bar about the connection.

    Args:
        hosting: this program hosts the room.
        away: we have said that we are.
    """
    if state.closed is not None:
        return "not connected"
    if not state.connected:
        return "closed, waiting" if state.closed_by_host else "reconnecting …"
    if state.paused:
        return "paused"
    connected = "hosting" if hosting else "connected"
    if not state.stored:
        return f"{connected}, not storing"
    if away:
        return f"{connected} · away"
    if state.backup:
        return f"{connected} · backup: {'you' if state.backup == state.nick else safe_text(state.backup)}"
    return f"{connected} · no backup" if state.had_backup else connected


def waiting_text(waiting: int, *, lost: bool, paused: bool) -> str:
    """What the bar says about our messages that wait, behind the state of the connection.

    Args:
        waiting: the number of messages.
        lost: there is no link to the host, so that nothing is sent.
        paused: they were sent, but the engine of the room does not answer its host.
    """
    if not waiting:
        return ""
    return f", {waiting} unsent" if lost else f" · {waiting} waiting" if paused else ""


def no_answer(silence: float | None) -> str:
    """What the bar says about a silent host; "": it is not silent, or promises no signs of life.

    Args:
        silence: s since the host's last line; None: it promises none.
    """
    return f"no answer for {int(silence)} s" if silence is not None and silence >= NO_ANSWER else ""


def _in_a_line(talk: Talk) -> str:
    text = safe_text(talk.text, lines=True).replace("\n", " ")
    if isinstance(talk, Say):
        return f"* {text}" if talk.action else text
    return f"[you -> {safe_text(talk.nick)}] {text}"
