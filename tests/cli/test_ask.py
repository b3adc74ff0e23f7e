"""`lanchat ask`, as a process: the exit code is the answer."""

import json
import re
import signal
from collections.abc import Callable

import pytest

from lanchat.client.member import Member
from lanchat.server.host import Host
from tests.support.people import Listener


@pytest.fixture
def room(host: Callable[..., Host]) -> Host:
    return host("Room A")


@pytest.fixture
def ann(room: Host, join: Callable[..., Member]) -> Listener:
    return Listener(join(room, "ann"))


@pytest.fixture
def asked(lanchat, room, ann):
    """`asked("--json")`: bot, who asks, and the code of the question, which ann has heard."""

    def ask(*options: str):
        bot = lanchat.start("ask", f"127.0.0.1:{room.port}", "deploy 1.4?", "--nick", "bot", *options)
        ann.hear(lambda: any("deploy" in text for text in ann.texts))
        found = re.match(r"\[(\w\d)\] deploy 1.4\?  \(answer: ", ann.texts[-1])
        assert found is not None, ann.texts
        return bot, found[1]

    return ask


@pytest.mark.parametrize(("word", "code"), [("yes", 0), ("no", 7)])
def test_the_exit_code_is_the_answer(asked, ann, word, code):
    bot, question = asked()
    ann.member.outgoing.say(f"{question} {word}")
    ended = bot.wait()
    assert (ended.code, ended.lines) == (code, [word])
    ann.hear_text(f"[{question}] {word}, by ann")


def test_json_names_who_has_answered(asked, ann):
    bot, question = asked("--json")
    ann.member.outgoing.say(f"{question} yes")
    answer = json.loads(bot.wait().out)
    assert answer == {"event": "answer", "text": "yes", "by": answer["by"], "nick": "ann", "private": False}
    assert len(answer["by"]) == 32


@pytest.mark.timeout(120)  # on a busy machine it asks for 42 s in all
def test_nobody_answers(lanchat, room, ann):
    """The time begins with the program. On a busy machine it may be over before the question: then there is more."""
    for seconds in (2, 8, 32):
        ended = lanchat.run("ask", f"127.0.0.1:{room.port}", "deploy?", "--nick", "bot", "--timeout", str(seconds))
        assert ended.code == 124
        ann.round_trip(f"after {seconds} s")
        if asked := [text for text in ann.texts if "deploy?" in text]:
            break
    question = asked[0].partition(" ")[0]
    assert f"{question} no answer within {seconds} s; not waiting any more" in ann.texts


def test_an_interrupt_withdraws_the_question(asked, ann):
    bot, question = asked()
    assert bot.stop(signal.SIGINT).code == 130
    ann.hear_text(f"[{question}] withdrawn")


def test_only_the_one_who_is_named_may_answer(asked, ann, room, join):
    bob = Listener(join(room, "bob"))
    bot, question = asked("--from", "ann")
    bob.round_trip(f"{question} no")
    ann.member.outgoing.say("yes")
    assert bot.wait().code == 0


def test_who_is_named_has_to_be_there(lanchat, room, ann):
    ended = lanchat.run("ask", f"127.0.0.1:{room.port}", "deploy?", "--from", "zoe", "--nick", "bot")
    assert ended.code == 4
    ann.round_trip("afterwards")
    assert ann.texts == ["afterwards"], "nothing was asked"


def test_an_answer_from_before_the_question_does_not_count(lanchat, room, ann):
    ann.round_trip("bot: yes")
    bot = lanchat.start("ask", f"127.0.0.1:{room.port}", "deploy?", "--nick", "bot")
    ann.hear(lambda: any("deploy" in text for text in ann.texts))
    ann.member.outgoing.say("bot: no")
    assert bot.wait().code == 7


def test_a_private_question_is_for_one_alone(lanchat, room, ann):
    bot = lanchat.start("ask", f"127.0.0.1:{room.port}", "deploy?", "--private", "ann", "--nick", "bot")
    ann.hear(lambda: "deploy?" in str(ann.items))
    assert ann.texts == []
    ann.member.outgoing.say("yes")
    assert bot.wait().code == 0


@pytest.mark.parametrize("words", [["--open", "--choice", "a,b"], ["--choice", "a,,b"], ["--choice", "a,a"]])
def test_choices_that_are_none(lanchat, words):
    assert lanchat.run("ask", "127.0.0.1:1", "deploy?", "--nick", "bot", *words).code == 2


@pytest.mark.parametrize(
    ("question", "to", "why"),
    [
        ("deploy?", ["--private", "bot"], "is you"),
        ("?" * 4090, [], "too many for one message|at most 4096 bytes"),
    ],
    ids=["to oneself", "too long with its code"],
)
def test_a_question_that_cannot_be_said_is_refused_in_words(lanchat, room, question, to, why):
    ended = lanchat.run("ask", f"127.0.0.1:{room.port}", question, "--nick", "bot", *to)
    assert ended.code == 4
    assert re.search(why, ended.err), ended.err
    assert "Traceback" not in ended.err


def test_who_is_not_here_cannot_be_asked_and_keeps_the_letters_of_the_nick(lanchat, room, ann):
    ended = lanchat.run("ask", f"127.0.0.1:{room.port}", "deploy?", "--from", "bob")
    assert (ended.code, ended.said[-2]) == (4, 'lanchat: Nobody with a key is called "bob" here.')
    assert re.fullmatch("  People with a key here: ann,? .*", ended.said[-1])
