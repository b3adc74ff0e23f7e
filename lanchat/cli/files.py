"""The command that fetches files for scripts. `lanchat send --file` is in script.py."""

import sys

import click

from lanchat.cli import options
from lanchat.cli.completion import titles
from lanchat.cli.joining import ROOM, JoinOptions, join_options, joined
from lanchat.cli.usage import ExplainedCommand


@click.command(cls=ExplainedCommand)
@click.argument("room", metavar=ROOM, shell_complete=titles)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.flag("--all", "everything", help="Fetch every file that is complete at the host now.")
@options.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Save them in this folder, not among your downloads. It is made if it is missing.",
)
@join_options
@options.as_json
def get(
    room: str, names: tuple[str, ...], everything: bool, folder: str | None, how: JoinOptions, as_json: bool
) -> int:
    """Fetch files of a ROOM by their names, and print the path of each.

    ROOM is a title, an address HOST[:PORT] or an invite.

    No file is overwritten: a second report.pdf becomes "report (2).pdf". A named file that is not whole yet is waited
    for, also while its sender is away; --timeout limits that. --all passes over those.

    \b
    lanchat get "Room A" report.pdf --dir inbox
    lanchat get "Room A" --all
    """
    from lanchat.terminal.transfer import get_files

    if everything == bool(names):
        raise click.UsageError("Give the names of files, or --all.")
    with joined(room, how, "nothing") as joined_room:
        joined_room.deafen()
        return get_files(
            joined_room,
            names,
            folder,
            everything=everything,
            deadline=how.deadline,
            as_json=as_json,
            out=sys.stdout,
            talk=sys.stderr,
        )
