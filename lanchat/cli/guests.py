"""The options of the ports for people without lanchat, and which of them a room with a password may have."""

from typing import TYPE_CHECKING

import click

from lanchat.cli import options

if TYPE_CHECKING:
    from lanchat.api.doors import Doors
    from lanchat.cli.host import HostOptions

OPTIONS = (
    options.option(
        "--plain-port",
        type=options.PORT,
        metavar="PORT",
        help="Also serve netcat and simple socket clients on this port, unencrypted.",
    ),
    options.option(
        "--irc-port",
        setting="host.irc_port",
        type=options.PORT,
        metavar="PORT",
        help="Also serve IRC clients on this port (usually 6667), unencrypted.",
    ),
    options.option(
        "--irc-tls-port",
        setting="host.irc_tls_port",
        type=options.PORT,
        metavar="PORT",
        help="Also serve IRC clients on this port (usually 6697), with TLS.",
    ),
    options.option(
        "--irc-password-file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Let IRC clients in by TLS alone, with the password in FILE, which is not the room's.",
    ),
)


def check(settings: "HostOptions", *, has_password: bool, password: str | None = None) -> str | None:
    """Refuse ports that would let everybody into a room with a password.

    Args:
        has_password: whether the room has a password.
        password: it, if it is known by now.

    Returns:
        The password for IRC clients; None: they need none.

    Raises:
        click.UsageError: these options do not go together.
        LanchatError: the file cannot be read, or the password in it is too short.
    """
    from lanchat.terminal.prompts import file_password

    if has_password and settings.plain_port is not None:
        raise click.UsageError("A room with a password cannot have a --plain-port, which would let everybody in.")
    if has_password and settings.irc_port is not None:
        raise click.UsageError(
            "A room with a password has no --irc-port, which is unencrypted and would let everybody in. "
            "Use --irc-tls-port with --irc-password-file."
        )
    if settings.irc_password_file is None:
        if has_password and settings.irc_tls_port is not None:
            raise click.UsageError(
                "IRC clients need a password of their own: --irc-password-file FILE (not the room's)."
            )
        return None
    if settings.irc_tls_port is None or settings.irc_port is not None:
        raise click.UsageError(
            "The option --irc-password-file needs --irc-tls-port, and no --irc-port, where it would not be encrypted."
        )
    found = file_password(settings.irc_password_file, what_to_do="Choose a longer one.")
    if found == password:
        raise click.UsageError("The password in --irc-password-file must be another one than the room's.")
    return found


def doors(settings: "HostOptions", irc_password: str | None) -> "Doors":
    """The doors that the options of `lanchat host` ask for.

    Args:
        irc_password: what `check` returned.
    """
    return {
        "port": settings.port,
        "plain_port": settings.plain_port,
        "irc_port": settings.irc_port,
        "irc_tls_port": settings.irc_tls_port,
        "irc_password": irc_password,
        "web": settings.web is not None,
        "web_port": settings.web if settings.web is not None and settings.web >= 0 else None,
        "web_names": settings.web_name,
    }
