"""The command that prints what a shell needs to complete commands, options and titles."""

from typing import TYPE_CHECKING

import click

from lanchat.cli.usage import ExplainedCommand

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Click's own lines for bash insert "Room A" as two words, and take a `*` in a title for names of files.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                [[ ${COMP_WORDS[COMP_CWORD]} == [\\"\\']* ]] || printf -v value %%q "$value"
                COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


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
    click.echo(source(context.find_root().command, shell))
    return 0


def source(command: click.Command, shell: str) -> str:
    """The lines that tell this shell how to ask for completions."""
    from click.shell_completion import BashComplete, get_completion_class

    class Bash(BashComplete):
        source_template = _BASH

    kind = Bash if shell == "bash" else get_completion_class(shell)
    assert kind is not None
    return kind(command, {}, "lanchat", "_LANCHAT_COMPLETE").source()


def titles(context: click.Context, parameter: click.Parameter, typed: str) -> "list[CompletionItem]":
    """The titles of known rooms that begin with what was typed."""
    return _titles(typed)


def hosted_titles(context: click.Context, parameter: click.Parameter, typed: str) -> "list[CompletionItem]":
    """The same of rooms that were hosted here."""
    from lanchat.storage.rooms import HOSTED

    return _titles(typed, HOSTED)


def _titles(typed: str, *kinds: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from lanchat.errors import LanchatError
    from lanchat.protocol.text import safe_text
    from lanchat.storage.home import home_folder
    from lanchat.storage.rooms import known_rooms

    try:
        known = {safe_text(about.title) for about in known_rooms(home_folder(needed=False), *kinds) if about.title}
    except LanchatError:
        return []  # a Tab is no place for errors
    return [CompletionItem(title) for title in sorted(known) if title.casefold().startswith(typed.casefold())]
