"""The config file of this person, and what holds after all: option, environment, file, default.

The file is read when the first of its settings is asked for, so that `--help` and `--version` work with a broken one.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

from lanchat.cli.settings import BY_KEY, MAX_SIZE, REPAIR, BadSetting, Setting, Value, parse_file, parse_variable

if TYPE_CHECKING:
    from pathlib import Path

    from lanchat.terminal.options import ScreenOptions

IN_FILE, BUILT_IN = "config file", "default"


class Effective(NamedTuple):
    """What holds of a setting where no option is given."""

    value: Value | None  # None: nothing was said
    source: str  # IN_FILE, BUILT_IN or the name of a variable


def effective(setting: Setting, file: Mapping[str, Value]) -> Effective:
    """The value of a setting, and where it comes from: its variable, the config file, or lanchat itself.

    Args:
        file: what the config file says.

    Raises:
        BadSetting: the variable says what this setting cannot be.
    """
    if text := os.environ.get(setting.variable):
        return Effective(parse_variable(setting, text), setting.variable)
    if setting.key in file:
        return Effective(file[setting.key], IN_FILE)
    return Effective(setting.default, BUILT_IN)


def screen_options(*, bell: bool) -> "ScreenOptions":
    """How the chat screen is to be.

    Args:
        bell: as the option says, which asks the file itself.

    Raises:
        LanchatError: as `file_values`; or a variable is wrong.
    """
    from lanchat.terminal.options import PopupChoice, ScreenOptions

    file = file_values()
    keys = "notify.title", "notify.popup", "notify.words", "screen.joins"
    title, popup, words, joins = (effective(BY_KEY[key], file).value for key in keys)
    assert isinstance(words, tuple) and isinstance(joins, str)
    return ScreenOptions(bell, bool(title), cast(PopupChoice, popup), words, joins)


def file_values() -> Mapping[str, Value]:
    """What the config file says, by keys; nothing where there is none.

    Raises:
        LanchatError: it cannot be read, or something in it is wrong.
    """
    from lanchat.storage.home import config_path

    path = config_path()
    return {} if path is None else _values(path)


@cache  # it is asked for by many options
def _values(path: "Path") -> Mapping[str, Value]:
    from lanchat.storage.files import file_errors
    from lanchat.storage.home import shown_path

    with file_errors(path, "LANCHAT_CONFIG names another file; if it is empty, no file is read."):
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_SIZE + 1)
        except (FileNotFoundError, NotADirectoryError):
            return {}
    if len(data) > MAX_SIZE:
        raise BadSetting(f"{shown_path(path)} has more than {MAX_SIZE // 1024} KiB.", REPAIR)
    try:
        return parse_file(data.decode("utf-8-sig"), shown_path(path))
    except UnicodeDecodeError:
        raise BadSetting(f"{shown_path(path)} is not UTF-8.", REPAIR) from None
