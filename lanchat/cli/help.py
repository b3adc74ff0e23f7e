"""The command help: pages about what has no command of its own, and the help of each command."""

import sys
from typing import TYPE_CHECKING

import click

from lanchat.cli import options
from lanchat.cli.usage import ExplainedCommand, nearest
from lanchat.errors import LanchatError

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem


class NoSuchPage(LanchatError):
    """There is neither a page nor a command with this name."""

    exit_code = 2


def _topics(context: click.Context, parameter: click.Parameter, typed: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    group = context.find_root().command
    commands = group.list_commands(context) if isinstance(group, click.Group) else []
    return [CompletionItem(name) for name in sorted({*pages(), *commands}) if name.startswith(typed)]


@click.command(cls=ExplainedCommand)
@click.argument("topic", required=False, shell_complete=_topics)
@click.pass_context
def help(context: click.Context, topic: str | None) -> int:
    """Show a page about a TOPIC, or the help of a command.

    \b
    lanchat help json
    lanchat help send
    """
    group = context.find_root().command
    assert isinstance(group, click.Group)
    known = pages()
    if topic is None:
        click.echo(group.get_help(context.find_root()))
        click.echo(f"\nMore pages: {', '.join(f'lanchat help {name}' for name in known)}")
    elif topic in known:
        from lanchat.terminal.page import fitted
        from lanchat.terminal.pager import paged
        from lanchat.terminal.stdio import columns_of

        with paged(sys.stdout) as page:
            page.write(fitted(known[topic].read_text(encoding="utf-8"), columns_of(sys.stdout)))
    elif group.get_command(context, topic):
        return options.run(group, "lanchat", [topic, "--help"])
    else:
        near = nearest(topic, [*known, *group.list_commands(context)])
        raise NoSuchPage(
            f'There is no page "{topic}".',
            f"Did you mean lanchat help {near}?" if near else "See them all: lanchat help",
        )
    return 0


def pages() -> "dict[str, Path]":
    """The files of the pages, by their names, in order."""
    from pathlib import Path  # not at the top: every start of the program loads this module

    return {page.stem: page for page in sorted((Path(__file__).parent.parent / "help").glob("*.md"))}
