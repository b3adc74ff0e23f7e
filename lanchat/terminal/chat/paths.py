"""Paths as a person types them: which file is meant, for whom it is, and how the path could go on.

`os.path` says whether there is such a file, because it says no where a `Path` raises: the name is too long, or a folder
on the way may not be entered.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from lanchat.protocol.text import safe_text
from lanchat.terminal.chat.commands import Completion

MOST_COMPLETIONS = 100  # paths that are proposed at once


def typed_path(typed: str) -> Path:
    """The path that a person means, with or without quotes, with `\\ ` for a space, and with `~` for the home."""
    typed = typed.strip()
    if len(typed) > 1 and typed[0] == typed[-1] and typed[0] in "\"'":
        typed = typed[1:-1]
    elif "\\ " in typed and not os.path.exists(typed):
        typed = typed.replace("\\ ", " ")
    return _expanded(typed)


def _expanded(typed: str) -> Path:
    """The path with the home that `~` or `~bob` stands for; as it was typed if there can be no such user."""
    try:
        return Path(typed).expanduser()
    except (RuntimeError, ValueError):  # there is no such user, or the name holds a NUL
        return Path(typed)


def path_and_nick(typed: str) -> tuple[Path, str]:
    """The path that is to be sent, and the nick of the one person that it is for; "": it is for everybody.

    Raises:
        ValueError: there is a file with the whole text as its path, and one with the text before the last word.
    """
    typed = typed.strip()
    if typed[:1] in ("'", '"') and (end := typed.find(typed[0], 1)) > 0:
        return typed_path(typed[: end + 1]), _nick(typed[end + 1 :])
    before, blank, last = typed.rpartition(" ")
    escaped = before.endswith("\\")
    if not blank or escaped or not os.path.exists(typed_path(before)):
        return typed_path(typed), ""
    if os.path.exists(typed_path(typed)):
        raise ValueError(f'There are both "{before}" and "{typed}". Put the path that you mean in quotes.')
    return typed_path(before), _nick(last)


def _nick(text: str) -> str:
    return text.strip().rstrip(":,")


def complete_path(typed: str) -> list[Completion]:
    """The files and folders whose path begins with this."""
    quote = typed[:1] if typed[:1] in ('"', "'") else ""
    begun = typed[len(quote) :]
    folder, _, name = begun.rpartition("/") if "/" in begun else ("", "", begun)
    where = _expanded((folder or "/") if begun.startswith("/") else folder or ".")
    try:
        entries = sorted(where.iterdir())
    except (OSError, ValueError):  # a folder that cannot be read, or whose name holds a NUL
        return []
    found = []
    for entry in entries:
        if entry.name.startswith(name) and (name.startswith(".") or not entry.name.startswith(".")):
            found.append(Completion(entry.name + ("/" if os.path.isdir(entry) else ""), len(name)))
    return found[:MOST_COMPLETIONS]


def complete_recipient(typed: str, nicks: Iterable[str]) -> list[Completion]:
    """The nicks that begin with what stands behind a path."""
    before, blank, begun = typed.rpartition(" ")
    quoted = before[:1] in ("'", '"')
    if (
        not blank
        or (quoted and not (len(before) > 1 and before.endswith(before[0])))
        or not os.path.exists(typed_path(before))
    ):
        return []
    found = sorted({safe_text(nick) for nick in nicks}, key=str.casefold)
    return [Completion(nick, len(begun)) for nick in found if nick.casefold().startswith(begun.casefold())]
