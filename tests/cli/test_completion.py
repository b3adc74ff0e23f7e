"""What a shell gets for a Tab."""

import pytest

from lanchat.storage.rooms import joined_folder


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_is_told_how_to_ask(lanchat, shell):
    ended = lanchat.run("completion", shell)
    assert ended.code == 0 and "_LANCHAT_COMPLETE" in ended.out


def test_titles_of_known_rooms_are_completed_and_no_others(lanchat):
    joined_folder(lanchat.home("me"), "1" * 32, "Room A", 1)
    joined_folder(lanchat.home("me"), "2" * 32, "Lab", 1)
    ended = lanchat.run(_LANCHAT_COMPLETE="zsh_complete", COMP_WORDS="lanchat send ro", COMP_CWORD="2")
    assert "Room A" in ended.out and "Lab" not in ended.out


def test_another_shell_is_misused(lanchat):
    assert lanchat.run("completion", "cmd").code == 2
