"""What comes again of private messages is recognised."""

from dataclasses import replace

import pytest

from lanchat.client.dedup import DEDUP_WINDOW, PrivateDedup
from lanchat.client.events import PrivateMessage

PSST = PrivateMessage("2", 0, "id-ann", "ann", "id-bob", "bob", "psst")


def test_a_private_message_is_new_once():
    private = PrivateDedup()
    assert private.is_new(PSST) and not private.is_new(PSST)
    assert not private.is_confirmed(PSST)
    private.confirm(PSST)
    assert private.is_confirmed(PSST) and not private.is_new(PSST)


def test_what_cannot_be_opened_neither_hides_a_true_one_nor_has_it_forgotten():
    private = PrivateDedup()
    made_up = replace(PSST, text="", problem="damaged")
    assert private.is_new(made_up) and not private.is_new(made_up)
    assert private.is_new(PSST)
    for number in range(2 * DEDUP_WINDOW):
        private.is_new(replace(made_up, id=str(number)))
    assert not private.is_new(PSST)


def test_what_an_earlier_run_has_shown_is_confirmed_and_not_shown_again():
    private = PrivateDedup()
    private.recall([(PSST.by, PSST.id)])
    assert private.is_confirmed(PSST) and not private.is_new(PSST)
    assert private.is_new(replace(PSST, id="3"))


def test_as_many_are_remembered_as_fit():
    private = PrivateDedup()
    for number in range(DEDUP_WINDOW + 1):
        private.is_new(replace(PSST, id=str(number)))
    private.confirm(replace(PSST, id="0"))
    assert private.is_new(replace(PSST, id="0")), "it was forgotten, and its confirmation brings nothing back"
    assert not private.is_new(replace(PSST, id=str(DEDUP_WINDOW)))


@pytest.mark.parametrize("recalled", [True, False])
def test_what_does_not_fit_is_looked_up_on_the_disk(recalled):
    private, asked = PrivateDedup(), []

    def was_shown(*key: str) -> bool:
        asked.append(key)
        return key == (PSST.by, PSST.id)

    if recalled:
        private.recall([("id-eve", str(number)) for number in range(DEDUP_WINDOW)])
    else:
        for number in range(DEDUP_WINDOW + 1):
            assert private.is_new(replace(PSST, by="id-eve", id=str(number)), was_shown)
        assert not asked, "the disk is left alone as long as all fit"
    assert not private.is_new(PSST, was_shown) and private.is_confirmed(PSST)
    assert private.is_new(replace(PSST, problem="damaged"), was_shown) and len(asked) == 1
