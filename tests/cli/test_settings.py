"""The table of settings, and what is said about a wrong config file."""

import re

import click
import pytest

from lanchat.cli.help import pages
from lanchat.cli.main import all_commands, cli
from lanchat.cli.settings import BY_KEY, SETTINGS, BadSetting, parse_file, parse_variable, shown, template
from tests.support.cases import cases

OPTIONS = {
    name: option
    for command in all_commands().values()
    for option in command.params
    if isinstance(option, click.Option) and command.name not in ("mcp", "irc")
    for name in option.opts
}


def wrong(text: str) -> str:
    with pytest.raises(BadSetting) as caught:
        parse_file(text, "config.toml")
    assert caught.value.exit_code == 2
    return f"{caught.value} {caught.value.hint}"


@cases("setting", [one for one in SETTINGS if one.option])
def test_a_setting_has_the_variable_of_its_option_which_names_the_setting(setting):
    option = OPTIONS[setting.option]
    assert option.envvar == setting.variable
    record = option.get_help_record(click.Context(cli))
    assert record is not None and record[1].endswith(f"setting: {setting.key}]")


def test_no_two_settings_have_one_variable():
    variables = [setting.variable for setting in SETTINGS]
    assert len(set(variables)) == len(variables)
    others = {option.envvar for name, option in OPTIONS.items() if name not in {one.option for one in SETTINGS}}
    assert others.isdisjoint({one.variable for one in SETTINGS if not one.option})


@cases("setting", SETTINGS)
def test_the_page_has_a_row_for_each_setting(setting):
    ways = ", ".join(filter(None, [setting.option and f"`{setting.option}`", setting.variable]))
    usual = setting.usual or shown(setting.default)
    row = f"| `{setting.key}` | {setting.kind.form} | {usual} | {setting.help}; {ways} |"
    assert row in pages()["settings"].read_text(encoding="utf-8")


def test_the_file_that_an_editor_opens_has_every_setting_and_sets_none():
    assert parse_file(template(), "config.toml") == {}
    found = parse_file(re.sub("(?m)^#(?! )", "", template()), "config.toml")
    assert found.keys() == BY_KEY.keys()


def test_keys_may_stand_with_dots_or_in_tables():
    dotted = parse_file('nick = "ann"\nnotify.bell = false\nnotify.words = ["deploy"]\nwait = 2.5\n', "config.toml")
    assert dotted == {"nick": "ann", "notify.bell": False, "notify.words": ("deploy",), "wait": 2.5}
    assert parse_file("[host]\nport = 5\n[notify]\nbell = true\n", "c") == {"host.port": 5, "notify.bell": True}
    assert parse_file('interface = "eth0"', "c") == {"interface": ("eth0",)}


@cases(
    ("text", "near"),
    [
        ("notify.bel = false", "notify.bell"),
        ("[notify]\nbeep = 1\nbel = false", "notify.bell"),
        ("bell = false", "notify.bell"),
        ("[notifications]\nbell = false", "notify.bell"),
        ("nik = 'ann'", "nick"),
        ("[host]\nprot = 5", "host.port"),
    ],
)
def test_of_an_unknown_key_the_one_is_named_that_was_meant(text, near):
    assert wrong(text.replace("beep = 1\n", "")).endswith(f"Did you mean {near}?")


def test_an_unknown_key_that_looks_like_none_leads_to_the_page():
    assert wrong("frobnicate = 1") == "config.toml, line 1: unknown key frobnicate. All keys: lanchat help settings"


@cases(
    ("text", "line"),
    [
        ("notify.bell = 1", 1),
        ("# a comment\n\n[ notify ]\n  bell = 'no' # bell = true", 4),
        ('nick = "ann"\n"notify" . "bell" = 0', 2),
        ("notify = { bell = 1 }", 1),
        ("[host]\n#bell = 1\n[notify]\ntitle = true\nbell = 1", 5),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_line(text, line):
    said = wrong(text)
    assert said.startswith(f"config.toml, line {line}: notify.bell has to be true or false.")
    assert said.endswith("For example: notify.bell = true")


@cases(
    ("text", "part"),
    [
        ("nick = 5", 'has to be a text in quotes, such as "ann"'),
        ('nick = "a b\\u0007"', "nick does not fit: "),
        ("wait = -1", "has to be a number of seconds"),
        ("wait = nan", "has to be a number of seconds"),
        ("wait = true", "has to be a number of seconds"),
        ("host.port = 65536", "has to be a number from 0 to 65535"),
        ("host.port = true", "has to be a number from 0 to 65535"),
        ('host.port = "80"', "has to be a number from 0 to 65535"),
        ('host.keep = "long"', "host.keep does not fit: "),
        ("notify.words = [1]", "has to be a list of texts"),
        ('notify.words = [""]', "has to be a list of texts"),
        (f'notify.words = ["{"x" * 101}"]', "has room for 50 words"),
        ('notify.popup = "always"', 'has to be "auto", "osc9", "osc99", "osc777" or "off"'),
        ('screen.joins = ["all"]', 'has to be "all", "people" or "none"'),
        ("notify = 1", "unknown key notify"),
        (
            '[host]\nport = 1\nnick = "ann"',
            "line 3: unknown key host.nick. nick stands above the first line in brackets.",
        ),
        ("[[notify]]\nbell = true", "unknown key notify"),
        ("wait = 5\nnick = ?\n", "config.toml is not valid TOML: Invalid value (at line 2"),
        ("a = " + "[" * 5000, "config.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said(text, part):
    assert part in wrong(text)


@cases("text", ['password = "secret"', '[host]\npassword = "secret"'])
def test_a_password_is_sent_elsewhere_and_not_repeated(text):
    said = wrong(text)
    assert "--password-file" in said and "secret" not in said


def test_nothing_of_a_key_acts_on_the_terminal():
    assert "\x1b" not in wrong('"\\u001b]0;x\\u0007" = 1')


@cases(
    ("key", "text", "value"),
    [
        ("notify.bell", "0", False),
        ("notify.title", "No", False),
        ("notify.words", "deploy, on call", ("deploy", "on call")),
        ("wait", "0.5", 0.5),
        ("host.port", "0", 0),
    ],
)
def test_what_a_variable_says(key, text, value):
    assert parse_variable(BY_KEY[key], text) == value


def test_a_wrong_variable_is_named():
    with pytest.raises(BadSetting, match="LANCHAT_NOTIFY_TITLE has to be true or false"):
        parse_variable(BY_KEY["notify.title"], "perhaps")
