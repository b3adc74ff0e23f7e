"""Version 1 of the JSON lines, written down once more: what users were promised, whatever the code says now."""

import json
from typing import Any

_ENTRY = {"seq": int, "at": int, "by": str, "nick": str, "history": bool}
_PLACE = {
    "room": str,
    "title": str,
    "me": str,
    "nick": str,
    "host": str,
    "fingerprint": str,
    "key_status": str,
    "password": bool,
    "ephemeral": bool,
    "seq": int,
    "topic": str,
    "people": list,
    "crowd": int,
}
_NUMBER = int | None
_TEXT = str | None
PERSON: dict[str, Any] = {"id": str, "nick": str, "host": bool, "verified": bool, "web": bool, "bot": bool, "away": str}
VERSION_1: dict[str, dict[str, Any]] = {
    "came": {**_PLACE, "v": int},
    "back": _PLACE,
    "lost": {"reason": str},
    "said": {
        **_ENTRY,
        "id": str,
        "text": str,
        "action": bool,
        "late": bool,
        "verified": bool,
        "bot": bool,
        "mention": bool,
        "mine": bool,
    },
    "told": {
        "id": str,
        "at": int,
        "by": str,
        "nick": str,
        "to": str,
        "to_nick": str,
        "text": str,
        "problem": str,
        "verified": bool,
        "bot": bool,
        "mine": bool,
        "waited": bool,
    },
    "kept": {"id": str, "seq": _NUMBER, "receipt": _TEXT},
    "refused": {"id": _TEXT, "line": _NUMBER, "text": str},
    "joined": {**_ENTRY, "host": bool, "verified": bool, "web": bool, "bot": bool},
    "left": {**_ENTRY, "code": str, "reason": str},
    "renamed": {**_ENTRY, "to": str},
    "moved": {**_ENTRY, "epoch": int, "before": str, "reason": str},
    "topic": {**_ENTRY, "topic": str},
    "file_offered": {**_ENTRY, "id": str, "file": str, "name": str, "size": int},
    "file_stored": {**_ENTRY, "file": str, "sha256": str},
    "file_removed": {**_ENTRY, "file": str, "reason": str},
    "file_private": {
        "id": str,
        "file": str,
        "at": int,
        "by": str,
        "nick": str,
        "to": str,
        "to_nick": str,
        "state": str,
        "name": str,
        "size": int,
        "reason": str,
        "problem": str,
        "mine": bool,
    },
    "status": {"by": str, "nick": str, "away": str, "bot": bool},
    "crowd": {"people": int},
    "notice": {"code": str, "text": str},
    "answer": {"text": str, "by": str, "nick": str, "private": bool},
    "ended": {"code": int, "reason": str},
}


def parsed(line: str) -> dict[str, Any]:
    """A line of output, which has to keep the contract."""
    assert line.isascii() and "\x1b" not in line
    values: dict[str, Any] = json.loads(line)
    _check(values, {"event": str, **VERSION_1[values["event"]]})
    for person in values.get("people", ()):
        _check(person, PERSON)
    return values


def all_parsed(lines: list[str]) -> list[dict[str, Any]]:
    return [parsed(line) for line in lines]


def _check(values: dict[str, Any], fields: dict[str, Any]) -> None:
    assert values.keys() == fields.keys(), f"new fields belong here, and into lanchat/help/json.md: {values}"
    for name, kind in fields.items():
        assert isinstance(values[name], kind), f"{name} of {values}"
        assert kind is not int or not isinstance(values[name], bool), f"{name} of {values}"
