"""What is said about a misused command. No program is started: the words are made from what went wrong."""

import click
import pytest

from lanchat.cli import options
from lanchat.cli.join import how_willing
from lanchat.cli.main import all_commands, cli
from lanchat.cli.usage import explained
from lanchat.errors import LanchatError
from tests.support.cases import cases

HOST = "Usage: lanchat host [OPTIONS] TITLE (more: lanchat host --help)"


def told(*arguments: str) -> tuple[str, str]:
    """What is wrong with these arguments, and what to do."""
    with pytest.raises(click.ClickException) as caught:
        options.run(cli, "lanchat", list(arguments))
    return explained(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("host A --nik ann", "--nick"),
        ("host A --prot 5", "--port"),
        ("host A --no-bel", "--no-bell"),
        ("join A --interf=lo", "--interface"),
        ("history A --numb 5", "--number"),
        ("tail A --hlp", "--help"),
    ],
)
def test_of_a_misspelt_option_the_one_is_named_that_was_meant(typed, meant):
    wrong, what_to_do = told(*typed.split())
    assert wrong == f"There is no option {typed.split()[2].partition('=')[0]}."
    assert what_to_do == f"Did you mean {meant}? (more: lanchat {typed.split()[0]} --help)"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("log", "history"),
        ("search", "history ROOM --search WORDS"),
        ("follow", "tail ROOM -f"),
        ("whoami", "id"),
        ("web", "host TITLE --web"),
        ("settings", "config"),
    ],
)
def test_another_word_for_a_command_is_answered_with_the_command(typed, meant):
    with pytest.raises(LanchatError, match=f'There is no command "{typed}"') as caught:
        options.run(cli, "lanchat", [typed])
    assert caught.value.hint == f"Did you mean lanchat {meant}?"
    name, *options_there = [word for word in meant.split() if not word.isupper()]
    known = {name for option in all_commands()[name].params for name in option.opts}
    assert known.issuperset(options_there)


def test_where_no_option_is_near_the_usage_is_shown():
    assert told("host", "A", "--frobnicate") == ("There is no option --frobnicate.", HOST)
    assert told("host", "A", "-x") == ("There is no option -x.", HOST)
    assert "no-limits" not in told("host", "A", "--no-limit")[1], "this one is hidden"


def test_an_option_before_its_command_is_told_where_it_stands():
    assert told("--nick", "ann") == (
        "There is no option --nick.",
        "It goes behind a command: lanchat join --nick (more: lanchat --help)",
    )


@pytest.mark.parametrize(("typed", "title"), [("join Room A", "Room A"), ("host --new My own Room", "My own Room")])
def test_a_title_of_several_words_is_shown_in_quotes(typed, title):
    wrong, what_to_do = told(*typed.split())
    assert wrong.startswith("There ") and wrong.endswith(f" too many: {title.partition(' ')[2]}")
    assert what_to_do == f'A title of several words stands in quotes: lanchat {typed.split()[0]} "{title}"'


def test_words_that_are_no_title_are_too_many():
    assert told("id", "me") == (
        "There is one word too many: me",
        "Usage: lanchat id [OPTIONS] (more: lanchat id --help)",
    )


def test_what_is_missing_is_named():
    assert told("host") == ("The title is missing.", 'For example: lanchat host "Room A" (more: lanchat host --help)')
    assert told("completion") == (
        "The shell is missing.",
        "For example: lanchat completion bash (more: lanchat completion --help)",
    )
    assert told("mcp") == (
        "The option --room is missing.",
        "Write lanchat mcp --room ROOM (more: lanchat mcp --help)",
    )
    assert told("send")[1].startswith('For example: lanchat send "Room A" hello (more:')
    assert told("ask", "A") == (
        "The question is missing.",
        "Usage: lanchat ask [OPTIONS] ROOM QUESTION (more: lanchat ask --help)",
    )
    assert told("host", "A", "--port") == (
        "The option --port needs a value.",
        "Write --port PORT (more: lanchat host --help)",
    )
    assert told("--log") == ("The option --log needs a value.", "Write --log FILE (more: lanchat --help)")
    assert told("host", "A", "--new=5") == ("The option --new takes no value.", HOST)


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("host A --port 70000", 'Invalid value for --port: "70000" is not a number from 0 to 65535.'),
        ("host A --irc-port irc", 'Invalid value for --irc-port: "irc" is not a number from 0 to 65535.'),
        ("history A -n 0", 'Invalid value for --number: "0" is not a number of 1 or more.'),
        ("join A --wait -1", 'Invalid value for --wait: "-1" is not a number of seconds.'),
        ("join A --wait nan", 'Invalid value for --wait: "nan" is not a number of seconds.'),
    ],
)
def test_a_wrong_value_is_told_with_what_would_be_right(typed, wrong):
    assert told(*typed.split())[0] == wrong


def test_a_wrong_value_of_the_environment_names_the_variable(monkeypatch):
    monkeypatch.setenv("LANCHAT_PORT", "http")
    assert told("host", "A")[0] == 'Invalid value for LANCHAT_PORT: "http" is not a number from 0 to 65535.'


@cases("name", all_commands())
def test_every_command_explains_its_misuse_and_names_the_values_of_its_options(name):
    command = all_commands()[name]
    assert told(name, "--nope", *("A" for _ in command.params))[0] == "There is no option --nope."
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag and not option.hidden:
            assert option.metavar, f"{name} {option.opts}"


@pytest.mark.parametrize(
    ("option", "screen", "willing"),
    [(None, True, 1), (True, True, 1), (False, True, 0), (None, False, 0), (True, False, 2), (False, False, 0)],
)
def test_a_screen_is_named_by_itself_and_a_script_only_by_the_owner(option, screen, willing):
    assert how_willing(option, screen=screen) == willing
