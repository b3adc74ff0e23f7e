"""The answer of `/mentions`: messages in this room that name our nick, or one of our own words. Pure."""

from collections.abc import Sequence
from datetime import date

from lanchat.protocol.messages import Said
from lanchat.protocol.text import safe_text
from lanchat.terminal.chat.nicks import shown_nick
from lanchat.terminal.lines import clock_text
from lanchat.terminal.phrases import counted

LISTED = 10  # messages; `lanchat history --search` finds more
LONGEST = 200  # characters of one message that are shown


def mentions_text(found: Sequence[Said], names: Sequence[str], today: date) -> str:
    """The text of `/mentions`: the last messages that name us.

    Args:
        found: the last messages, oldest first.
        names: our nick and our own words, for which the messages were searched.
    """
    by = " or ".join(safe_text(name) for name in names)
    if not found:
        return f"Nobody has named you ({by}), as far as this computer's copy of the room goes."
    what = "The last message that names" if len(found) == 1 else f"The last {counted(len(found), 'message')} that name"
    return "\n".join([f"{what} you ({by}):", *(_line(said, today) for said in found)])


def _line(said: Said, today: date) -> str:
    text = safe_text(said.text, lines=True).replace("\n", " ")
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f"{clock_text(said.at, today)} {shown_nick(said.by, said.nick)}: {text}"
