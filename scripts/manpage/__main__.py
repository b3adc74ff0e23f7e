"""Writes lanchat.1 from the help of the commands and the pages of help: python -m scripts.manpage [--check]"""

import sys
from inspect import cleandoc
from pathlib import Path

import click

import lanchat
from lanchat.cli.help import pages
from lanchat.cli.main import SECTIONS, cli, command_of
from scripts.manpage.roff import page, plain, tagged, verbatim

PATH = Path(lanchat.__file__).parent / "help" / "lanchat.1"


def manual() -> str:
    """The whole page."""
    group = click.Context(cli, info_name="lanchat", **cli.context_settings)
    lines = [
        '.\\" Made by scripts/man-page from the help of the commands and from lanchat/help. Change those instead.',
        f'.TH LANCHAT 1 "" "lanchat {lanchat.__version__}"',
        ".SH NAME",
        "lanchat \\- chat for the people on one local network",
        ".SH SYNOPSIS",
        "\\fBlanchat\\fR [\\fIoptions\\fR] [\\fIcommand\\fR [\\fIarguments\\fR]]",
        ".SH DESCRIPTION",
        *_help(cli),
        *_options(cli, group),
    ]
    for heading, names in SECTIONS.items():
        lines.append(f".SH {plain(heading.upper())}")
        for name in names:
            lines += _command(command_of(name), group)
    for markdown in pages().values():
        lines += page(markdown.read_text(encoding="utf-8"))
    return "\n".join(lines) + "\n"


def _command(command: click.Command, group: click.Context) -> list[str]:
    context = click.Context(command, info_name=command.name, parent=group)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    return [f".SS {plain(usage)}", *_help(command), *_options(command, context)]


def _help(command: click.Command) -> list[str]:
    lines: list[str] = []
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            lines += verbatim(paragraph[2:].splitlines())
        else:
            lines += [".PP", *map(plain, paragraph.splitlines())]
    return lines


def _options(command: click.Command, context: click.Context) -> list[str]:
    params = command.get_params(context) if context.parent is None else command.params  # --help once
    records = (one.get_help_record(context) for one in params if isinstance(one, click.Option))
    return [line for record in records if record for line in tagged(f"\\fB{plain(record[0])}\\fR", plain(record[1]))]


def main() -> int:
    made = manual()
    if "--check" in sys.argv:
        if PATH.read_text(encoding="utf-8") != made:
            print("lanchat.1 is older than the help. Make it again: scripts/man-page", file=sys.stderr)
            return 1
        return 0
    PATH.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
