"""What we said and the host has not heard yet, as it stands above the line until it has. Pure."""

from collections.abc import Sequence

from lanchat.protocol.messages import Say, Talk
from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import Fragments, cut
from lanchat.terminal.chat.render import QUIET

PENDING_AFTER = 0.5  # s; on a good link it is heard in milliseconds, and nothing flickers
PENDING_LINES = 3  # shown at most, the newest


class Pending:
    """Owned by the thread that paints."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}  # s, when each was seen to wait, by id

    def lines(self, newest: Sequence[Talk], total: int, now: float, width: int) -> Fragments:
        """A quiet line for each of those that have waited a while, and one for how many more there are.

        Args:
            newest: those that wait, or the last of them.
            total: how many wait in all.
            now: s.
            width: cells.
        """
        if not total:
            self._since.clear()
        for talk in newest:
            self._since.setdefault(talk.id, now)
        late = [talk for talk in newest if now - self._since[talk.id] >= PENDING_AFTER][-PENDING_LINES:]
        if not late:
            return []
        lines = [cut(f"… {_in_a_line(talk)}", width) for talk in late]
        if total > len(late):
            lines.insert(0, cut(f"… {total - len(late)} more wait", width))
        return [(QUIET, "\n".join(lines))]


def _in_a_line(talk: Talk) -> str:
    text = safe_text(talk.text, lines=True).replace("\n", " ")
    if isinstance(talk, Say):
        return f"* {text}" if talk.action else text
    return f"[you -> {safe_text(talk.nick)}] {text}"
