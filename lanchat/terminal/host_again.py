"""The command with which a room is hosted again, and the sentences that name it. Pure."""

from collections.abc import Sequence

from lanchat.protocol.text import argument, conjunction, last_argument, quoted


def host_command(title: str, engine: str = "") -> str:
    """The command that hosts a room. `engine`: the address of its engine, without its password; "": it has none."""
    if not engine:
        return f"lanchat host {last_argument(title)}"
    if ":PASSWORD@" in engine:  # others can read a command line
        return f"LANCHAT_ENGINE={argument(engine)} lanchat host {last_argument(title)}"
    option = f"--engine {argument(engine)}"
    if title.startswith("-"):
        return f"lanchat host {option} {last_argument(title)}"
    return f"lanchat host {quoted(title)} {option}"


def continues_text(title: str) -> str:
    """The room is closed, and this computer could go on with it."""
    command = host_command(title)
    return f"This computer keeps a copy of the room. To go on with it here, leave and enter: {command}"


def closing_text(title: str, engine: str, hosts: Sequence[str]) -> str:
    """For a person whose program hosts the room and ends.

    Args:
        engine: as for `host_command`.
        hosts: the nicks of those who go on hosting it.
    """
    command = host_command(title, engine)
    if hosts:
        go_on = "go on" if len(hosts) > 1 else "goes on"
        return f"{conjunction(hosts)} {go_on} with {title}. To host it here again: {command}"
    return f"Closing {title}. {command} opens it again, with its history."
