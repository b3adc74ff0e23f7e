"""The commands that show something: rooms, history, id, trust."""

import sys
import time

import click

from lanchat.cli import options


@click.command()
@options.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="One JSON object a line.")
@options.option("--watch", is_flag=True, envvar="LANCHAT_WATCH", help="Go on, and tell what comes and goes.")
@options.option("--scan", is_flag=True, envvar="LANCHAT_SCAN", help="Knock at every address of this network as well.")
@options.wait(default=2.0, help="How long to look.")
@options.interface
def rooms(as_json: bool, watch: bool, scan: bool, wait: float, interface: tuple[str, ...]) -> int:
    """The rooms of this network."""
    from lanchat.network.interfaces import where
    from lanchat.terminal.rooms import show_rooms

    return show_rooms(
        where(interface), wait=wait, watch=watch, scan=scan, as_json=as_json, out=sys.stdout, talk=sys.stderr
    )


@click.command()
@click.argument("room")
@options.option("--search", default="", envvar="LANCHAT_SEARCH", help="Only what was said with all of these words.")
@options.option("--since", metavar="AGE", envvar="LANCHAT_SINCE", help="Only the last 30m, 2h, 7d.")
@options.option("-n", "--number", type=click.IntRange(1), envvar="LANCHAT_NUMBER", help="At most so many, the last.")
@options.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="One JSON object a line.")
def history(room: str, search: str, since: str | None, number: int | None, as_json: bool) -> int:
    """What was said in ROOM, a title or an id. Needs no network."""
    from lanchat.storage.home import home_folder
    from lanchat.storage.retention import parse_age
    from lanchat.terminal.history import show_history

    age = options.usage(parse_age, since, "--since") if since else None
    start = 0 if age is None else time.time_ns() // 1_000_000 - age
    return show_history(
        home_folder(),
        room,
        search=search,
        since=start,
        number=number,
        as_json=as_json,
        out=sys.stdout,
        talk=sys.stderr,
    )


@click.command("id")
def identity() -> int:
    """Who you are to others: the fingerprint of your key, to read aloud and compare."""
    from lanchat.api.joining import default_nick, my_identity
    from lanchat.protocol.text import grouped

    mine = my_identity()
    click.echo(f"{default_nick()}·{mine.id[:4]}")
    click.echo(grouped(mine.id))
    click.echo(f"The key is in {mine.key_path}", err=True)
    return 0


@click.command()
@options.option("--list", "_list", is_flag=True, help="Show the hosts you have met (the default).")
@options.option("--forget", metavar="TITLE|ID", help="Forget a room, so that its host may show a new key.")
def trust(_list: bool, forget: str | None) -> int:
    """The hosts you have met, each with the key its room showed."""
    from lanchat.errors import NoSuchRoom
    from lanchat.protocol.text import grouped, safe_text
    from lanchat.storage.home import home_folder
    from lanchat.storage.known_hosts import KnownHosts

    if forget is None:
        for known in KnownHosts(home_folder()).all():
            click.echo(f"{known.room}  {grouped(known.fingerprint[:32])}  {safe_text(known.title)}")
        return 0
    gone = KnownHosts(home_folder()).forget(forget)
    if not gone:
        raise NoSuchRoom(f'you have met no room "{forget}"', "see them with: lanchat trust --list")
    for known in gone:
        click.echo(f'forgotten: "{safe_text(known.title)}" {known.room}', err=True)
    return 0
