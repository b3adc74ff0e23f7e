"""`lanchat config`, and what the config file does to the other commands."""

import json
import os

import pytest

from lanchat.cli import options
from lanchat.cli.main import cli
from lanchat.errors import LanchatError
from lanchat.storage.home import config_path, save_nick


@pytest.fixture
def write(lanchat):
    """Write the config file of "me"."""

    def written(text: str) -> None:
        home = lanchat.home("me")
        home.mkdir(parents=True, exist_ok=True)
        (home / "config.toml").write_text(text, encoding="utf-8")

    return written


def rows(text: str) -> dict[str, list[str]]:
    """The words behind each key."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()}


def test_each_value_is_shown_with_where_it_comes_from(lanchat, write):
    write('nick = "ann"\nnotify.bell = false\nhost.port = 5000\n')
    ended = lanchat.run("config", LANCHAT_NICK="bob", LANCHAT_NOTIFY_WORDS="deploy,on call")
    assert (ended.code, ended.err) == (0, "")
    shown = rows(ended.out)
    assert shown["nick"] == ["bob", "LANCHAT_NICK"]
    assert shown["notify.bell"] == ["false", "config", "file"]
    assert shown["host.port"] == ["5000", "config", "file"]
    assert shown["notify.words"] == ["deploy,", "on", "call", "LANCHAT_NOTIFY_WORDS"]
    assert shown["notify.title"] == ["true", "default"]
    assert shown["data"] == ["folder", str(lanchat.home("me"))]


def test_without_a_file_the_nick_is_the_remembered_one(lanchat):
    assert rows(lanchat.run("config").out)["nick"][1:] == ["login", "name"]
    save_nick(lanchat.home("me"), "ann")
    ended = lanchat.run("config")
    assert rows(ended.out)["nick"] == ["ann", "remembered"] and "(not there)" in ended.out


def test_a_broken_file_is_told_beside_what_holds_and_other_help_still_works(lanchat, write):
    write("notify.bel = false\n")
    ended = lanchat.run("config", LANCHAT_NICK="bob")
    assert ended.code == 2 and rows(ended.out)["nick"] == ["bob", "LANCHAT_NICK"]
    assert ended.err.splitlines() == [
        f"lanchat: {lanchat.home('me')}/config.toml, line 1: unknown key notify.bel.",
        "  Did you mean notify.bell?",
    ]
    for words in ("--version", "--help", "join --help", "rooms --help", "help settings", "help join", "config --path"):
        assert lanchat.run(*words.split()).code == 0, words
    assert lanchat.run(_LANCHAT_COMPLETE="bash_complete", COMP_WORDS="lanchat join --n", COMP_CWORD="2").err == ""
    joined = lanchat.run("join", "Room A", who="me")
    assert joined.code == 2 and joined.err == ended.err


def test_option_environment_file_and_default_win_in_this_order(lanchat, write):
    room = lanchat.host("Room A")
    write('nick = "zoe"\n')
    assert lanchat.run("send", room.address, "one").code == 0
    assert lanchat.run("send", room.address, "two", LANCHAT_NICK="bob").code == 0
    assert lanchat.run("send", room.address, "three", "--nick", "cat", who="me", LANCHAT_NICK="bob").code == 0
    assert lanchat.run("send", room.address, "four", LANCHAT_CONFIG="", LANCHAT_NICK="dan").code == 0
    room.wait_out("dan: four")
    assert [line for line in room.lines if ": " in line] == ["zoe: one", "bob: two", "cat: three", "dan: four"]


def test_a_port_of_the_file_is_taken_and_checked(lanchat, write):
    write("host.port = 70000\n")
    refused = lanchat.run("host", "Room A", "--headless", "--no-announce", who="me")
    assert refused.code == 2 and "line 1: host.port has to be a number from 0 to 65535." in refused.err


def test_one_value_is_printed_alone(lanchat, write):
    write("[notify]\nwords = ['a', 'b c']\n")
    assert lanchat.run("config", "notify.words").out == "a, b c\n"
    assert lanchat.run("config", "notify.bell", LANCHAT_BELL="0").out == "false\n"
    wrong = lanchat.run("config", "notify.word")
    assert wrong.code == 2 and "Did you mean notify.words?" in wrong.err


def test_as_json_each_setting_is_an_object(lanchat, write):
    write("notify.bell = false\n")
    found = {one["key"]: one for one in map(json.loads, lanchat.run("config", "--json").lines)}
    assert found["notify.bell"] == {
        "key": "notify.bell",
        "value": False,
        "source": "config file",
        "variable": "LANCHAT_BELL",
        "option": "--bell",
    }
    assert found["notify.words"]["value"] == [] and found["host.port"]["value"] is None


def test_an_editor_gets_a_file_with_all_settings_and_is_told_what_is_wrong(lanchat, tmp_path):
    path = lanchat.home("me") / "config.toml"
    assert lanchat.run("config", "--path").out == f"{path}\n"
    assert lanchat.run("config", "--edit", EDITOR="true").code == 0
    assert "#bell = true" in path.read_text()
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "notify.bell = 7" >"$1"\n')
    editor.chmod(0o700)
    ended = lanchat.run("config", "--edit", VISUAL=str(editor))
    assert ended.code == 2 and "line 1: notify.bell has to be true or false." in ended.err


@pytest.mark.parametrize(
    ("editor", "why"),
    [
        ("none-such -w", "No such file or directory"),
        ("false", "it ended with an error"),
        ('"', "it ended with an error"),
    ],
)
def test_an_editor_that_fails_is_named(editor, why, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)  # a folder there that this user cannot read would be another reason
    monkeypatch.setenv("LANCHAT_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    with pytest.raises(LanchatError) as caught:
        options.run(cli, "lanchat", ["config", "--edit"])
    assert str(caught.value) == f'The editor "{editor}" did not edit the file: {why}.'
    assert "VISUAL or EDITOR" in caught.value.hint


def test_a_key_is_completed(lanchat):
    ended = lanchat.run(_LANCHAT_COMPLETE="bash_complete", COMP_WORDS="lanchat config notify.b", COMP_CWORD="2")
    assert ended.out == "plain,notify.bell\n"


def test_where_the_file_is(monkeypatch, tmp_path):
    monkeypatch.setenv("LANCHAT_HOME", str(tmp_path))
    assert config_path() == tmp_path / "config.toml"
    monkeypatch.setenv("LANCHAT_CONFIG", "")
    assert config_path() is None
    monkeypatch.setenv("LANCHAT_CONFIG", "~/x.toml")
    assert config_path() == (tmp_path.home() / "x.toml").absolute()
    monkeypatch.delenv("LANCHAT_CONFIG")
    monkeypatch.delenv("LANCHAT_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert config_path() == tmp_path / "settings" / "lanchat" / "config.toml"


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1])
def test_a_file_has_an_end(lanchat, write, size):
    write("#" * (size - 1) + "\n")
    assert (lanchat.run("config").code == 0) is (size <= 64 * 1024)


def test_a_folder_in_the_place_of_the_file_is_named(lanchat):
    (lanchat.home("me") / "config.toml").mkdir(parents=True)
    ended = lanchat.run("config")
    assert ended.code == 2 and "config.toml: Is a directory" in ended.err
