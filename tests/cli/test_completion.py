"""What a shell gets for a Tab."""

import shlex
import shutil
import subprocess

import pytest
from click.shell_completion import ShellComplete

from lanchat.cli.completion import source
from lanchat.cli.main import cli
from lanchat.storage.rooms import joined_folder


def completions(words: str) -> list[str]:
    """What a Tab offers behind `lanchat` and these words."""
    *before, typed = words.split()
    return [item.value for item in ShellComplete(cli, {}, "lanchat", "").get_completions(before, typed)]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_is_told_how_to_ask(lanchat, shell):
    ended = lanchat.run("completion", shell)
    assert ended.code == 0 and "_LANCHAT_COMPLETE" in ended.out


def test_titles_of_known_rooms_are_completed_and_no_others(lanchat):
    joined_folder(lanchat.home("me"), "1" * 32, "Room A", 1)
    joined_folder(lanchat.home("me"), "2" * 32, "Lab", 1)
    ended = lanchat.run(_LANCHAT_COMPLETE="zsh_complete", COMP_WORDS="lanchat send ro", COMP_CWORD="2")
    assert "Room A" in ended.out and "Lab" not in ended.out


@pytest.mark.parametrize(
    ("words", "completed"),
    [("history ro", "Room A"), ("trust --forget ro", "Room A"), ("mcp --room ro", "Room A"), ("help fil", "files")],
)
def test_titles_and_pages_are_completed_wherever_one_is_wanted(words, completed, tmp_path, monkeypatch):
    monkeypatch.setenv("LANCHAT_HOME", str(tmp_path))
    joined_folder(tmp_path, "1" * 32, "Room A", 1)
    assert completions(words) == [completed]
    assert completions("host ro") == [], "that one was not hosted here"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [("ro", r"Room\ A\ \*"), (r"Room\ ", r"Room\ A\ \*"), ('"Ro', "Room A *"), ("", r"Room\ A\ \*")],
)
def test_bash_completes_a_title_with_spaces_as_one_word(tmp_path, typed, completed):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho 'plain,Room A *'\n")
    program.chmod(0o755)
    asked = f"""{source(cli, "bash")}
COMP_WORDS=(lanchat join {shlex.quote(typed)}) COMP_CWORD=2
_lanchat_completion {program} && printf '<%s>' "${{COMPREPLY[@]}}"
"""
    ended = subprocess.run(["bash", "--norc", "-c", asked], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ended.stdout == f"<{completed}>" and ended.stderr == ""


def test_another_shell_is_misused(lanchat):
    assert lanchat.run("completion", "cmd").code == 2
