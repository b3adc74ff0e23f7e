"""The command config: the value of each setting, where it comes from, and the file with a person's own."""

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from lanchat.cli import options
from lanchat.cli.config_file import BUILT_IN, Effective, effective, file_values
from lanchat.cli.settings import BY_KEY, SETTINGS, BadSetting, Setting, Value, near_key, shown, template
from lanchat.cli.usage import ExplainedCommand
from lanchat.errors import LanchatError
from lanchat.terminal.stdio import put_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from lanchat.terminal.cells import Fragments


class _Row(NamedTuple):
    name: str
    value: str
    source: str = ""


def _keys(context: click.Context, parameter: click.Parameter, typed: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(one.key, help=one.help) for one in SETTINGS if one.key.startswith(typed)]


@click.command(cls=ExplainedCommand)
@click.argument("key", required=False, shell_complete=_keys)
@options.flag("--path", help="Print where the config file is, or would be.")
@options.flag("--edit", help="Open the config file in your editor (VISUAL or EDITOR).")
@options.as_json
def config(key: str | None, path: bool, edit: bool, as_json: bool) -> int:
    """Show the settings, and where each comes from; or the value of one KEY.

    An option wins over its environment variable, and that over the config file. `lanchat help settings` tells what
    each of them does.

    Exit code 2: the file or a variable is wrong.

    \b
    lanchat config
    lanchat config notify.bell
    lanchat config --edit
    """
    if (key is not None) + path + edit + as_json > 1:
        raise click.UsageError("Only one of KEY, --path, --edit and --json can be asked for.")
    if path:
        put_path(sys.stdout, str(_file()))
        return 0
    if edit:
        return _edit(_file())
    if key is not None:
        return _show_one(key)
    problems: list[LanchatError] = []
    file: Mapping[str, Value] = {}
    try:
        file = file_values()
    except LanchatError as error:
        problems.append(error)
    found: list[tuple[Setting, Effective]] = []
    for setting in SETTINGS:
        try:
            found.append((setting, _effective(setting, file)))
        except LanchatError as error:
            problems.append(error)
    if as_json:
        import json

        for setting, holds in found:
            values = {"key": setting.key, "value": holds.value, "source": holds.source}
            click.echo(json.dumps({**values, "variable": setting.variable, "option": setting.option or None}))
    else:
        _show_all(found)
    _report(problems)
    return 2 if problems else 0


def _show_one(key: str) -> int:
    setting = BY_KEY.get(key)
    if setting is None:
        near = near_key(key)
        raise BadSetting(f'There is no setting "{key}".', f"Did you mean {near}?" if near else "All: lanchat config")
    value = _effective(setting, file_values()).value
    click.echo("" if value is None else shown(value))
    return 0


def _show_all(found: "Iterable[tuple[Setting, Effective]]") -> None:
    from lanchat.storage.home import config_path, home_folder, shown_path
    from lanchat.terminal.colour import put_rows
    from lanchat.terminal.stdio import columns_of

    path = config_path()
    file = "none" if path is None else shown_path(path) + ("" if path.exists() else " (not there)")
    rows = [_Row("config file", file), _Row("data folder", shown_path(home_folder(needed=False)))]
    rows += [_Row(setting.key, _words(setting, holds.value), holds.source) for setting, holds in found]
    put_rows(sys.stdout, _table(rows, columns_of(sys.stdout)))


def _table(rows: "list[_Row]", width: int) -> "list[Fragments]":
    """The rows, with what does not fit beside its name below it.

    Args:
        width: cells of a row; 0: as many as it takes.
    """
    from lanchat.protocol.text import safe_text
    from lanchat.terminal.cells import cells, fitted
    from lanchat.terminal.wrap import hang

    first = max(cells(row.name) for row in rows) + 2
    second = max(cells(safe_text(row.value)) for row in rows if row.source) + 2
    beside = not width or first + second + max(cells(row.source) for row in rows) <= width
    drawn: list[Fragments] = []
    for row in rows:
        value, faint = safe_text(row.value), "" if row.source in ("", BUILT_IN) else "class:heading"
        name = fitted(row.name, first)
        if beside and row.source:
            drawn.append([("", name), (faint, fitted(value, second)), ("class:dim", row.source)])
        else:
            drawn.append([("", name), (faint, hang(value, width, first))])
            drawn += [[("class:dim", f"{'':{first}}{row.source}")]] if row.source not in ("", BUILT_IN) else []
    return drawn


def _words(setting: Setting, value: Value | None) -> str:
    return setting.usual if value is None or value == () else shown(value)


def _effective(setting: Setting, file: "Mapping[str, Value]") -> Effective:
    """As `effective`; and where the nick is not set, the one that would be used."""
    holds = effective(setting, file)
    if setting.key != "nick" or holds.value is not None:
        return holds
    from lanchat.storage.home import home_folder, login_nick, saved_nick

    kept = saved_nick(home_folder(needed=False))
    return Effective(login_nick(), "login name") if kept is None else Effective(kept, "remembered")


def _file() -> "Path":
    from lanchat.storage.home import config_path

    if (path := config_path()) is None:
        raise LanchatError("There is no config file: LANCHAT_CONFIG is empty.", "Leave it out, or name a file in it.")
    return path


def _edit(path: "Path") -> int:
    """Open the file in the person's editor, made with all settings if it is missing, and say if it is wrong then."""
    from lanchat.storage.files import file_errors, make_folder, write_file
    from lanchat.storage.home import shown_path

    with file_errors(path, "LANCHAT_CONFIG names another file."):
        make_folder(path.parent)
        if not path.exists():
            write_file(path, template().encode(), durable=False, replace=False)
    try:
        click.edit(filename=os.fspath(path))
    except (click.ClickException, ValueError) as error:  # ValueError: an open quote in the name of the editor
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "editor"
        why = error.__cause__.strerror if isinstance(error.__cause__, OSError) else "it ended with an error"
        raise LanchatError(
            f'The editor "{editor}" did not edit the file: {why}.',
            f"Name another in VISUAL or EDITOR, or open {shown_path(path)} yourself.",
        ) from None
    file_values()
    return 0


def _report(problems: "Iterable[LanchatError]") -> None:
    from lanchat.terminal.stdio import put
    from lanchat.terminal.wording import error_text

    for problem in problems:
        put(sys.stderr, *error_text(str(problem), problem.hint))
