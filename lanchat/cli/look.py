"""The commands that show something: rooms, history, doctor, id, trust."""

import sys
from typing import TYPE_CHECKING

import click

from lanchat.cli import options
from lanchat.cli.completion import titles
from lanchat.cli.config_file import effective, file_values
from lanchat.cli.settings import BY_KEY
from lanchat.cli.usage import ExplainedCommand
from lanchat.errors import LanchatError
from lanchat.terminal.stdio import columns_of, put
from lanchat.threads import now_ms

if TYPE_CHECKING:
    from lanchat.doctor.report import Asked, Diagnosis, Report


@click.command(cls=ExplainedCommand)
@options.as_json
@options.option("--one", metavar="TITLE", help="Print the room with this title alone, as soon as it is seen.")
@options.flag("--watch", help="Keep running and report rooms that open, change and close.")
@options.flag("--scan", help="Also try every address on this network.")
@options.wait(default=2.0, help="Look for this long.")
@options.interface
def rooms(as_json: bool, one: str | None, watch: bool, scan: bool, wait: float, interface: tuple[str, ...]) -> int:
    """List the rooms on this network. Exit code 3: there is none.

    \b
    lanchat rooms
    lanchat rooms --json --wait 5
    until lanchat rooms --one "Room A" >/dev/null; do sleep 5; done
    """
    from lanchat.network.addresses import where
    from lanchat.terminal.rooms import show_one, show_rooms

    if one is not None:
        if watch or scan:
            raise click.UsageError("--one looks for one title, so leave --watch and --scan out.")
        return show_one(where(interface), one, wait=wait, as_json=as_json, out=sys.stdout)
    return show_rooms(
        where(interface), wait=wait, watch=watch, scan=scan, as_json=as_json, out=sys.stdout, talk=sys.stderr
    )


@click.command(cls=ExplainedCommand)
@click.argument("room", shell_complete=titles)
@options.option("--search", default="", metavar="WORDS", help="Only messages with all these words.")
@options.option("--since", metavar="AGE", help="Only the last 30m, 2h or 7d.")
@options.option("-n", "--number", type=options.Number(1), metavar="N", help="Only the last N entries.")
@options.flag("--visits", help="Also show who came and went (as --json does).")
@options.flag("--set-aside", help="Show what was removed from this computer's copy when the room went on without it.")
@options.as_json
def history(
    room: str, search: str, since: str | None, number: int | None, visits: bool, set_aside: bool, as_json: bool
) -> int:
    """Show what was said in ROOM, a title or an id. Works offline.

    \b
    lanchat history "Room A" --since 2h
    lanchat history "Room A" --search "deploy staging"
    """
    from lanchat.storage.home import home_folder

    if set_aside:
        from lanchat.terminal.set_aside import show_set_aside

        return show_set_aside(home_folder(), room, as_json=as_json, out=sys.stdout, talk=sys.stderr)
    from lanchat.storage.retention import parse_age
    from lanchat.terminal.history import show_history

    age = options.checked(parse_age, since, "--since") if since else None
    start = 0 if age is None else now_ms() - age
    words = effective(BY_KEY["notify.words"], file_values()).value
    assert isinstance(words, tuple)
    return show_history(
        home_folder(),
        room,
        search=search,
        since=start,
        number=number,
        as_json=as_json,
        visits=visits or as_json,
        words=words,
        out=sys.stdout,
        talk=sys.stderr,
    )


@click.command(cls=ExplainedCommand)
@click.argument("address", required=False, metavar="[HOST[:PORT] | INVITE]")
@options.flag("-v", "--verbose", help="Also print what was found.")
@options.flag("--json", "as_json", help="Print one JSON object.")
@options.interface
def doctor(address: str | None, verbose: bool, as_json: bool, interface: tuple[str, ...]) -> int:
    """Find out why rooms do not show up, or why one cannot be joined.

    Checks this machine and its networks, and names the likely cause and one thing to try. With the address that a
    host's screen shows, or an invite, it says whether one can join there.

    Exit code 0: chat should work, or the room at the address answers. 1: it does not.

    \b
    lanchat doctor
    lanchat doctor 192.168.1.7:47474
    """
    from lanchat.doctor.checks import run_checks
    from lanchat.doctor.diagnosis import diagnose
    from lanchat.network.addresses import where
    from lanchat.storage.home import home_folder
    from lanchat.terminal.doctor import doctor_json

    asked = None if address is None else _asked(address)
    if not as_json:
        put(sys.stderr, "Checking the network, a few seconds …")
    report = run_checks(where(interface), home_folder(), asked)
    diagnosis = diagnose(report)
    if as_json:
        click.echo(doctor_json(report, diagnosis))
    else:
        _print_diagnosis(report, diagnosis, verbose=verbose)
    return 0 if diagnosis.works else 1


class NoAddress(LanchatError):
    """A person asks about something that is neither an address nor an invite, such as a title."""

    exit_code = 2


def _asked(text: str) -> "Asked":
    from lanchat.doctor.report import Asked
    from lanchat.protocol.address import parse_endpoint
    from lanchat.protocol.invite import is_invite, parse_invite

    if is_invite(text):
        invite = options.checked(parse_invite, text, "INVITE")
        return Asked(text.strip(), invite.endpoints, invite.room_id, invite.fingerprint)
    endpoint = parse_endpoint(text)
    if endpoint is None:
        raise NoAddress(
            f'"{text}" is not an address.',
            "Give the address or the invite that the host's screen shows. For all rooms here: lanchat doctor",
        )
    return Asked(text, (endpoint,))


def _print_diagnosis(report: "Report", diagnosis: "Diagnosis", *, verbose: bool) -> None:
    from lanchat.terminal.cells import Styled
    from lanchat.terminal.colour import put_styled
    from lanchat.terminal.doctor import MORE, detail_lines, verdict_lines
    from lanchat.terminal.stdio import can_write

    put_styled(sys.stdout, verdict_lines(report, diagnosis, marks=can_write(sys.stdout, "✓✗")))
    if verbose:
        put_styled(sys.stdout, [Styled(""), *detail_lines(report)])
    else:
        put(sys.stderr, MORE)


@click.command("id", cls=ExplainedCommand)
def identity() -> int:
    """Show your key's fingerprint, for others to compare.

    \b
    lanchat id
    LANCHAT_HOME=~/work lanchat id
    """
    from lanchat.api.joining import default_nick, my_identity
    from lanchat.protocol.text import grouped

    mine = my_identity()
    put(sys.stdout, f"{default_nick()}·{mine.id[:4]}", grouped(mine.id))
    put(sys.stderr, f"The key is in {mine.key_path}")
    return 0


@click.command(cls=ExplainedCommand)
@click.option("--list", "_list", is_flag=True, help="List the remembered hosts (the default).")
@click.option(
    "--forget",
    metavar="TITLE|ID",
    shell_complete=titles,
    help="Forget the host of a room, so that it may show a new key, and its password.",
)
def trust(_list: bool, forget: str | None) -> int:
    """List remembered hosts and their keys.

    \b
    lanchat trust
    lanchat trust --forget "Room A"
    """
    from lanchat.errors import NoSuchRoom
    from lanchat.storage.home import home_folder
    from lanchat.storage.known_hosts import KnownHosts
    from lanchat.storage.own_settings import own_settings
    from lanchat.terminal.colour import put_rows
    from lanchat.terminal.trust import trust_lines, trust_table

    if forget is None:
        hosts = KnownHosts(home_folder()).all()
        if not (columns := columns_of(sys.stdout)):
            put(sys.stdout, *trust_lines(hosts))
            return 0
        put_rows(sys.stdout, trust_table(hosts, columns))
        if not hosts:
            put(sys.stderr, "No hosts are remembered yet. A host is remembered when you first join its room.")
        return 0
    forgotten = KnownHosts(home_folder()).forget(forget)
    if not forgotten:
        raise NoSuchRoom(f'No host of a room "{forget}" is remembered.', "List them: lanchat trust")
    for known in forgotten:
        own_settings(home_folder(), known.room).change(password="")
        put(sys.stderr, f'Forgot the host of "{known.title}" ({known.room}).')
    return 0
