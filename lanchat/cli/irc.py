"""The command `lanchat irc`: the rooms around you as an IRC network, for your own IRC client."""

import sys

import click

from lanchat.cli import options
from lanchat.cli.usage import ExplainedCommand
from lanchat.terminal.stdio import put


@click.command(cls=ExplainedCommand)
@options.option(
    "--port",
    type=options.PORT,
    default=6667,
    show_default=True,
    metavar="PORT",
    help="Listen on this port, on this computer only.",
)
@options.interface
def irc(port: int, interface: tuple[str, ...]) -> int:
    """Use rooms from your own IRC client, with your own key: LIST shows them, JOIN enters one.

    The password of a room is the key of its channel: /join #room-a PASSWORD. Ctrl-C ends it.

    \b
    lanchat irc
    lanchat irc --port 6668
    """
    from lanchat.discovery.finder import Finder
    from lanchat.gateway.listener import Gateway
    from lanchat.gateway.network import Network
    from lanchat.gateway.password import gateway_password
    from lanchat.network.addresses import where
    from lanchat.storage.home import home_folder

    on = where(interface)
    password = gateway_password(home_folder())
    with Finder(on) as finder:
        gateway = Gateway(Network(finder, on), password, port)
        try:
            put(sys.stdout, *how_to_connect(gateway.port, password))
            gateway.run()
        finally:
            gateway.close()
    return 0


def how_to_connect(port: int, password: str) -> list[str]:
    """What the person gives their client. The commands stand on lines of their own, which no window of 80 cells breaks:
    people copy them."""
    return [
        f"Your rooms as an IRC network, on this computer only: server 127.0.0.1, port {port}.",
        "In WeeChat 4:",
        f"  /server add lanchat 127.0.0.1/{port} -notls -password={password}",
        "  /connect lanchat",
        "In irssi:",
        f"  /connect 127.0.0.1 {port} {password}",
        "LIST shows the rooms around you. JOIN #room-a enters one, with your own key. Ctrl-C ends it.",
    ]
