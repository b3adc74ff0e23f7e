"""Unacknowledged messages and the resend window, which are pure."""

from lanchat.client.unacked import WINDOW, ResendWindow, Unacked
from lanchat.protocol.drafts import PrivateDraft
from lanchat.protocol.messages import Receipt, Said, Say


def test_unacknowledged_messages_are_resent():
    unacked = Unacked()
    say, tell = Say("1", "hi"), PrivateDraft("2", "", "bob", "psst")
    unacked.add(say)
    unacked.add(tell)
    unacked.numbered(Said(7, 0, "id-ann", "ann", "1", "hi"))
    assert unacked.acknowledged(9) == ("1",)
    assert unacked.talk == [tell]
    assert unacked.settled(Receipt("2", "here")) and not unacked.settled(Receipt("2", "here"))
    assert unacked.talk == [] and unacked.refused == {}


def test_an_ack_after_a_crash_says_nothing_about_earlier_numbers():
    unacked = Unacked()
    unacked.add(Say("1", "hi"))
    unacked.numbered(Said(7, 0, "id-ann", "ann", "1", "hi"))
    assert unacked.resend() == [Say("1", "hi", again=True)]
    assert unacked.acknowledged(1_000_012) == ()
    unacked.numbered(Said(1_000_013, 0, "id-ann", "ann", "1", "hi"))
    assert unacked.acknowledged(1_000_013) == ("1",)


def test_messages_are_resent_in_a_window():
    window, says = ResendWindow(), [Say(str(number), "hi") for number in range(100)]
    assert window.begin([*says]) == says[:WINDOW]
    assert window.is_behind(new := Say("new", "hi"))
    assert window.answered("0") == [says[WINDOW]] and window.answered("nobody's") == []
    rest = [message for say in says[1:] for message in window.answered(say.id)]
    assert rest == [*says[WINDOW + 1 :], new]
    assert not window.is_behind(Say("later", "hi"))


def test_a_resend_names_the_key_that_the_host_found():
    unacked = Unacked()
    unacked.add(Say("1", "hi"))
    unacked.add(PrivateDraft("2", "", "bob", "psst"))
    assert unacked.draft("2") == PrivateDraft("2", "", "bob", "psst")
    assert unacked.draft("1") is None and unacked.draft("3") is None
    addressed = PrivateDraft("2", "id-bob", "bob", "psst", b"key")
    unacked.replace(addressed)
    assert unacked.resend() == [Say("1", "hi", again=True), addressed]


def test_a_refusal_is_remembered():
    unacked = Unacked()
    for number in range(200):
        unacked.add(PrivateDraft(str(number), "", "bob", "psst"))
        assert unacked.settled(Receipt(str(number), "refused", f"no {number}"))
    assert unacked.refused["199"] == "no 199" and len(unacked.refused) == 100
