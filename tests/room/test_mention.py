import pytest

from lanchat.room.mention import last_word, mentions


@pytest.mark.parametrize(
    "text", ["ann", "Ann: hi", "hi ANN!", "(ann)", "@ann", "ann, bob", "\u4eca\u5929ann\u6765\u5417"]
)
def test_a_nick_that_is_a_word_of_its_own(text):
    assert mentions(text, "ann")


@pytest.mark.parametrize("text", ["", "anna", "joann", "ann-marie", "ann_1", "\u043eann"])
def test_a_nick_inside_another_word(text):
    assert not mentions(text, "ann")


@pytest.mark.parametrize(
    "text",
    [
        "@\u5c0f\u660e \u5728\u5417",
        "\u5c0f\u660e\uff0c\u4f60\u597d",
        "\u5c0f\u660e\u4f60\u597d",
        "\u4eca\u5929\u5c0f\u660e\u6765\u5417\uff1f",
        "\u5c0f\u660e\u3055\u3093\u3001\u4f1a\u8b70\u3067\u3059",
        "ok\u5c0f\u660e",
    ],
)
def test_a_nick_in_a_script_without_spaces(text):
    assert mentions(text, "\u5c0f\u660e")


def test_a_nick_of_one_character_needs_space_around_it():
    assert mentions("@\u660e \u5728\u5417", "\u660e") and not mentions("\u660e\u5929\u89c1", "\u660e")


def test_one_of_several_words():
    assert mentions("Deploy now", "ann", "deploy") and not mentions("redeployed", "ann", "deploy", "")


def test_nobody_is_not_mentioned():
    assert not mentions("hi", "")


def test_what_may_be_the_beginning_of_a_nick():
    assert last_word("hi an") == ["an"] and last_word("ann ") == [] and last_word("a\nb") == ["b"]
    assert last_word("\u4eca\u5929\u5c0f\u660e") == ["\u4eca\u5929\u5c0f\u660e", "\u5929\u5c0f\u660e", "\u5c0f\u660e"]
    assert last_word("\u4eca\u5929an") == ["\u4eca\u5929an", "\u5929an", "an"] and last_word("joann") == ["joann"]
