"""How the live list looks, and what stands there while there is no room. Pure."""

import textwrap

from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import Fragments, apart, cut
from lanchat.terminal.picker.selection import Selection
from lanchat.terminal.picker.table import table

HINTS_AFTER = 5.0  # s without any room
HINTS = (
    "Is the other computer on the same network, and not on a guest network?",
    "The host's screen shows an address. Quit with q, then: lanchat join ADDRESS",
    "Or press h to host a room here.",
)
_OTHER_LINES = 5  # besides the rooms: heading, what is typed, keys, a problem, and the shell's own
_CHOOSE_KEYS = (
    "↑↓ or type to choose · Enter join · / search · h host · q quit",
    "↑↓ choose · Enter join · h host · q quit",
    "Enter join · h host · q quit",
    "Enter · h host · q",
)
_SEARCH_KEYS = (
    "type to search · ↑↓ choose · Enter join · Esc all rooms",
    "↑↓ choose · Enter join · Esc all rooms",
    "Enter · Esc",
)
_EMPTY_KEYS = ("h host a room · q quit", "h host · q quit")


def paint(
    selection: Selection,
    problems: tuple[str, ...],
    *,
    looked: float,
    now: float,
    width: int,
    height: int,
    hints: tuple[str, ...] = (),
    scan: str = "",
) -> Fragments:
    """The whole screen as fragments, with newlines between its lines.

    Args:
        looked: seconds since we began to look.
        now: seconds, by the clock of the selection.
        hints: what to say while there is no room; empty for what is always worth trying, after a while.
        scan: the sentence about a scan, while there is no room.
        height: lines of the terminal.
    """
    lines: list[Fragments] = [[("class:heading", cut("Rooms on this network", width))]]
    if selection.shown:
        lines += _rooms(selection, width, rooms_in(height))
    elif selection.is_empty:
        lines += _no_rooms(looked, width, hints or HINTS)
        lines += [[("", f"  {part}")] for part in textwrap.wrap(scan, max(10, width - 2))]
    else:
        lines.append([("class:error", cut(apart(f'  No room matches "{safe_text(selection.typed(now))}".'), width))])
    lines += [[(style, cut(apart(text), width))] for style, text in _typed(selection, now)]
    keys = _SEARCH_KEYS if selection.searching else _EMPTY_KEYS if selection.is_empty else _CHOOSE_KEYS
    lines.append([("class:dim", cut(next((line for line in keys if len(line) <= width), keys[-1]), width))])
    if problems:
        lines.append([("class:dim", cut(safe_text(problems[-1]), width))])
    return [fragment for line in lines for fragment in [*line, ("", "\n")]][:-1]


def rooms_in(height: int) -> int:
    """How many rooms a terminal with this number of lines shows at once."""
    return max(1, height - _OTHER_LINES)


def _typed(selection: Selection, now: float) -> Fragments:
    """The line about what was typed and what became of it, if there is one."""
    if selection.searching:
        return [("", f"/{safe_text(selection.typed(now))}_")]
    if selection.missed:
        return [("class:error", f'  No room begins with "{safe_text(selection.missed)}".')]
    if selection.closed is not None:
        return [("class:error", f"  {safe_text(selection.closed.title)} has just closed. Choose another room.")]
    typed = selection.typed(now)
    return [("class:dim", f"  {safe_text(typed)}")] if typed else []


def _rooms(selection: Selection, width: int, at_most: int) -> list[Fragments]:
    shown, chosen = selection.shown, selection.index
    rows = table(shown, width - 2, closed=selection.closed)
    above = min(max(0, chosen - at_most // 2), max(0, len(shown) - at_most))
    lines = []
    for index, line in list(enumerate(rows))[above : above + at_most]:
        if index == chosen and not selection.missed:  # a bar of one colour, on which every text can be read
            lines.append([("class:selected", cut(f"> {''.join(text for _, text in line)}", width))])
        else:
            lines.append([("", "  "), *line])
    if hidden := len(shown) - len(lines):
        lines.append([("class:dim", cut(f"  and {hidden} more", width))])
    return lines


def _no_rooms(looked: float, width: int, hints: tuple[str, ...]) -> list[Fragments]:
    if looked < HINTS_AFTER:
        return [[("", cut(f"  Looking for rooms … {looked:.0f} s", width))]]
    lines: list[Fragments] = [[("", cut(f"  No rooms yet, still looking … {looked:.0f} s", width))]]
    for sentence in hints:
        wrapped = textwrap.wrap(safe_text(sentence), max(10, width), initial_indent="  ", subsequent_indent="  ")
        lines += [[("", part)] for part in wrapped]
    return lines
