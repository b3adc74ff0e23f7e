"""The commands that move files for scripts: send and get."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lanchat.cli import options

if TYPE_CHECKING:
    from lanchat.api.room import JoinedRoom


@dataclass(frozen=True)
class JoinOptions:
    """How a script joins; each field is the option of its name."""

    nick: str | None
    password_file: str | None
    wait: float
    new_host: bool
    interface: tuple[str, ...]
    timeout: float | None


_joining = options.collected(
    "how",
    JoinOptions,
    options.nick,
    options.password_file,
    options.wait(default=5.0, help="Look this long for a TITLE."),
    options.flag(
        "--new-host", help="Join a TITLE on a host you have not met, even if you know another room called so."
    ),
    options.interface,
    options.seconds("--timeout", help="Give up after this many seconds from the start, with exit code 124."),
)


@click.command()
@click.argument("room", metavar="TITLE | HOST[:PORT] | INVITE")
@options.option(
    "--file",
    "files",
    type=click.Path(),
    multiple=True,
    required=True,
    metavar="PATH",
    help="Send this file, or this folder as a ZIP. May be repeated.",
)
@_joining
@options.as_json
def send(room: str, files: tuple[str, ...], how: JoinOptions, as_json: bool) -> int:
    """Send files to a room, for everybody in it and for those who come later.

    Exit code 0: the host has stored all of them. Others can fetch them from then on, and from the first byte.
    """
    from lanchat.terminal.transfer import send_files

    with _joined(room, how) as (joined, deadline):
        return send_files(joined, files, deadline=deadline, as_json=as_json, out=sys.stdout, talk=sys.stderr)


@click.command()
@click.argument("room", metavar="TITLE | HOST[:PORT] | INVITE")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.flag("--all", "everything", help="Fetch every file that is in the room now.")
@options.option(
    "--dir", "folder", type=click.Path(file_okay=False), help="Put them there, and not among your downloads."
)
@_joining
@options.as_json
def get(
    room: str, names: tuple[str, ...], everything: bool, folder: str | None, how: JoinOptions, as_json: bool
) -> int:
    """Fetch files of a room by their names, and print the path of each.

    No file is overwritten: a second report.pdf becomes "report (2).pdf".
    """
    from lanchat.terminal.transfer import get_files

    if everything == bool(names):
        raise click.UsageError("Give the names of files, or --all.")
    with _joined(room, how) as (joined, deadline):
        return get_files(
            joined,
            names,
            folder,
            everything=everything,
            deadline=deadline,
            as_json=as_json,
            out=sys.stdout,
            talk=sys.stderr,
        )


@contextmanager
def _joined(room: str, how: JoinOptions) -> Iterator[tuple["JoinedRoom", float | None]]:
    """The room, joined by a program that hears nothing; and when its time is over."""
    from lanchat.terminal.prompts import choose_nick, given_password, join_by_name

    deadline = None if how.timeout is None else time.monotonic() + how.timeout
    nick, password = choose_nick(how.nick, ask=False), given_password(how.password_file)
    with join_by_name(
        room, nick, password, how.wait, how.interface, _note, ask=False, new_host=how.new_host, deadline=deadline
    ) as joined:
        joined.deafen()
        yield joined, deadline


def _note(text: str) -> None:
    from lanchat.terminal.stdio import put
    from lanchat.terminal.wording import note_text

    put(sys.stderr, note_text(text))
