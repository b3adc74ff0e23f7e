"""What counts as an answer to a question, and what does not."""

from collections.abc import Sequence

import pytest

from lanchat.client.events import PrivateMessage
from lanchat.protocol.messages import Said
from lanchat.terminal.question import NO, Question, new_code
from tests.support.cases import cases

ANN = "a" * 32
BOB = "b" * 32
GUEST = "~1"


def said(text: str, by: str = ANN) -> Said:
    return Said(7, 0, by, "ann", "1", text)


def private(text: str, by: str = ANN, problem: str = "") -> PrivateMessage:
    return PrivateMessage("1", 0, by, "ann", "me", "bot", text, problem)


def code_of(question: Question, message: Said | PrivateMessage) -> int | None:
    answer = question.answer(message)
    return None if answer is None else answer.code


QUESTION = Question("deploy?", "k3", "bot")


@pytest.mark.parametrize(
    "text", ["k3 yes", "K3: Yes.", "[k3] yes!", "bot: yes", "Bot:yes", " k3\tYES ", "@bot yes", "@Bot: yes", "bot, yes"]
)
def test_yes_behind_the_code_or_the_nick(text):
    assert code_of(QUESTION, said(text)) == 0


@cases(
    "text",
    [
        "yes",
        "k3",
        "k33 yes",
        "k4 yes",
        "k3 yes please",
        "k3 yesterday",
        "ok k3 yes",
        "bob: yes",
        "@bob yes",
        "@bots yes",
        "bot yes",
        "@bot",
        "",
    ],
)
def test_other_texts_are_no_answers(text):
    assert code_of(QUESTION, said(text)) is None


def test_a_nick_of_several_words_is_addressed_as_any_other():
    question = Question("deploy?", "k3", "build of ann")
    assert [code_of(question, said(text)) for text in ("@build of ann yes", "build of ann: yes", "@build yes")] == [
        0,
        0,
        None,
    ]


def test_no_has_a_code_of_its_own():
    assert code_of(QUESTION, said("k3 no")) == NO == 7


def test_a_private_message_needs_no_code():
    assert code_of(QUESTION, private("yes")) == 0
    assert code_of(QUESTION, private("k3 no")) == NO
    assert code_of(QUESTION, private("yes", problem="it is damaged")) is None


def test_who_is_waited_for_needs_no_code_and_nobody_else_counts():
    question = Question("deploy?", "k3", "bot", by=frozenset([ANN]))
    assert code_of(question, said("yes")) == 0
    assert code_of(question, said("let me see")) is None
    assert code_of(question, said("k3 yes", by=BOB)) is None
    assert code_of(question, private("k3 yes", by=BOB)) is None


def test_a_guest_counts_only_where_guests_may_answer():
    assert code_of(QUESTION, said("k3 yes", by=GUEST)) is None
    assert code_of(Question("deploy?", "k3", "bot", plain=True), said("k3 yes", by=GUEST)) == 0


def test_only_the_first_choice_goes_on():
    question = Question("deploy?", "k3", "bot", choices=("go", "hold", "stop"))
    assert [code_of(question, said(f"k3 {word}")) for word in ("go", "hold", "stop", "yes")] == [0, NO, NO, None]


def test_an_open_question_takes_what_is_said_to_it():
    question = Question("which port?", "k3", "bot", choices=(), by=frozenset([ANN]))
    answer = question.answer(said("k3 8080 or 8081"))
    assert answer is not None and answer.text == "8080 or 8081" and answer.code == 0
    assert question.answer(said("good morning")) is None


def test_a_code_that_was_seen_is_not_taken():
    seen: list[str] = []

    def first(codes: Sequence[str]) -> str:
        seen.extend(codes)
        return codes[0]

    assert new_code(first, ["[a2] restart?", "A3 yes"]) == "a4"
    assert "a2" not in seen and "a3" not in seen and "z9" in seen
