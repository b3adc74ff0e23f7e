"""`lanchat doctor`."""

import click

from lanchat.cli import options


@click.command()
@click.argument("address", required=False, metavar="[HOST[:PORT] | INVITE]")
@options.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="One JSON object.")
@options.interface
def doctor(address: str | None, as_json: bool, interface: tuple[str, ...]) -> int:
    """Why nothing is found: what this machine and its networks are like, the likely cause, and what to try.

    With the address that a host's screen shows, it looks at the way there as well.
    Exit code 0: chat should work. 1: it should not.
    """
    from lanchat.doctor.checks import run_checks
    from lanchat.doctor.diagnosis import diagnose
    from lanchat.network.interfaces import where
    from lanchat.protocol.address import parse_endpoint
    from lanchat.protocol.invite import is_invite, parse_invite
    from lanchat.storage.home import home_folder
    from lanchat.terminal.doctor import doctor_json, doctor_lines

    named = None
    if address is not None:
        try:
            named = parse_invite(address).endpoints[0] if is_invite(address) else parse_endpoint(address)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="INVITE") from None
        if named is None:
            raise click.BadParameter("this reads like no address", param_hint="HOST")
    if not as_json:
        click.echo("Looking around, a few seconds ...", err=True)
    report = run_checks(where(interface), home_folder(), named)
    diagnosis = diagnose(report)
    click.echo(doctor_json(report, diagnosis) if as_json else "\n".join(doctor_lines(report, diagnosis)))
    return 0 if diagnosis.works else 1
