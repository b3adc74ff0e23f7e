"""Each agent has a key of its own, which is never that of its person."""

from contextlib import closing

import pytest

from lanchat.protocol.nicks import clean_nick
from lanchat.storage.agents import agent_identity
from lanchat.storage.identity import load_identity


def test_an_agent_keeps_its_key_and_has_not_that_of_its_person(tmp_path):
    with closing(agent_identity(tmp_path, "agent")) as agent:
        key = agent.identity.public
    with closing(agent_identity(tmp_path, "Agent")) as again:
        assert again.identity.public == key != load_identity(tmp_path).public


def test_a_second_run_with_the_same_nick_is_somebody_else(tmp_path):
    with closing(agent_identity(tmp_path, "agent")) as one, closing(agent_identity(tmp_path, "agent")) as two:
        assert (one.nick, two.nick) == ("agent", "agent-2")
        assert one.identity.public != two.identity.public


@pytest.mark.parametrize("nick", ["a" * 32, "\U00020000" * 16, "\u5c71" * 21])
def test_the_longest_nick_has_room_for_a_number(tmp_path, nick):
    with closing(agent_identity(tmp_path, nick)) as one, closing(agent_identity(tmp_path, nick)) as two:
        assert one.nick == nick and two.nick == clean_nick(two.nick) != nick
        assert two.nick.endswith("-2") and nick.startswith(two.nick[:-2])


@pytest.mark.parametrize("nick", ["../../up", "a/b", ""])
def test_a_nick_that_is_none_makes_no_folder(tmp_path, nick):
    with pytest.raises(ValueError):
        agent_identity(tmp_path, nick)
    assert not list(tmp_path.iterdir())
