"""The command that prints what a shell needs to complete commands, options and titles."""

from typing import TYPE_CHECKING

import click

from lanchat.cli.usage import ExplainedCommand

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@click.command(cls=ExplainedCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print what SHELL needs to complete commands, options and titles with Tab.

    Titles are those of rooms that you have hosted or been in: a Tab asks nobody on the network.

    \b
    bash: eval "$(lanchat completion bash)"       in ~/.bashrc
    zsh:  eval "$(lanchat completion zsh)"        in ~/.zshrc
    fish: lanchat completion fish > ~/.config/fish/completions/lanchat.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "lanchat", "_LANCHAT_COMPLETE").source())
    return 0


def titles(context: click.Context, parameter: click.Parameter, typed: str) -> "list[CompletionItem]":
    """The titles of known rooms that begin with what was typed."""
    from click.shell_completion import CompletionItem

    from lanchat.errors import LanchatError
    from lanchat.protocol.text import safe_text
    from lanchat.storage.home import home_folder
    from lanchat.storage.rooms import known_rooms

    try:
        known = {safe_text(about.title) for about in known_rooms(home_folder(needed=False)) if about.title}
    except LanchatError:
        return []  # a Tab is no place for errors
    return [CompletionItem(title) for title in sorted(known) if title.casefold().startswith(typed.casefold())]
