"""The receiving half of a member, which is pure."""

import pytest

from lanchat.client.events import HEAVY
from lanchat.client.receiving import CATCH_UP, LATER_LIMIT, Incoming, check_host, check_welcome
from lanchat.errors import ConnectionLost, ProtocolError
from lanchat.protocol.messages import Fetch, Joined, Page, Present, Said, Welcome
from lanchat.protocol.timeline import Timeline, make_seq


@pytest.mark.parametrize("kind", ["present", "joined"])
@pytest.mark.parametrize(
    ("id", "host", "complaint"),
    [
        ("id-hal", True, ""),
        ("id-ann", False, ""),
        ("~1", False, ""),
        ("id-ann", True, "claims to have another key"),
        ("id-hal", False, "somebody else has its key"),
    ],
)
def test_who_hosts_is_the_key_of_the_link(kind, id, host, complaint):
    somebody = Present(id, "hal", host) if kind == "present" else Joined(1, 0, id, "hal", host)
    if not complaint:
        check_host(somebody, "id-hal")
        return
    with pytest.raises(ProtocolError, match=complaint):
        check_host(somebody, "id-hal")


def test_who_we_are_is_our_own_key():
    check_welcome(Welcome("id-ann", "ann", 0, 0, 0), "id-ann")
    with pytest.raises(ProtocolError, match="another key than yours"):
        check_welcome(Welcome("id-bob", "ann", 0, 0, 0), "id-ann")


def past_that_never_comes(incoming: Incoming, text: str) -> int:
    """How many events wait for it, until the host is given up."""
    incoming.seq = 0
    assert incoming.resume(Welcome("i", "vera", 1, 0, 0, since=1000), 0) == Fetch(0)
    for number in range(LATER_LIMIT + 1):
        try:
            assert incoming.take(Said(2000 + number, 0, "e" * 32, "eve", str(number), text)) == []
        except ConnectionLost:
            return number
    raise AssertionError("it waits for ever")


def test_a_host_that_owes_pages_is_given_up_sooner_the_more_waits_for_them():
    assert past_that_never_comes(Incoming(), "x" * 100) == LATER_LIMIT
    page = "\U0001f600" + "\u6f22" * 4095
    assert past_that_never_comes(Incoming(), page) * 4 * len(page) <= LATER_LIMIT * HEAVY + 4 * len(page)


def test_what_waits_is_counted_anew_after_each_reconnect():
    incoming = Incoming()
    for _ in range(3):
        assert past_that_never_comes(incoming, "x") == LATER_LIMIT


# ---- along the timeline: ann hosts (epoch 64), then bob (129) and, apart from him, cat (130)

ANN, BOB, CAT = 64, 129, 130
LATER = 192  # ann again


def says(epoch: int, *numbers: int, text: str = "") -> list[Said]:
    return [Said(make_seq(epoch, n), 0, "id-dan", "dan", text or f"{epoch}.{n}", "hi") for n in numbers]


def seen(incoming: Incoming, events: list[Said]) -> list[str]:
    return [one.id for event in events for one in incoming.take(event) if isinstance(one, Said)]


def welcome(seq: int, since: int = 0) -> Welcome:
    return Welcome("i", "vera", seq, 0, 0, since)


def test_a_newcomer_has_the_terms_before_it_came():
    incoming = Incoming()
    assert incoming.enter(Timeline(BOB, ((ANN, 500),))) == -1
    assert seen(incoming, says(ANN, 499, 500) + says(BOB, 1, 2)) == ["64.499", "64.500", "129.1", "129.2"]
    assert incoming.enter(Timeline(BOB, ((ANN, 500),))) == make_seq(BOB, 2), "and not all that was ever said"


def test_who_looks_back_gets_what_was_before_the_past_that_the_host_sends():
    incoming = Incoming(look_back=100)
    assert incoming.enter(Timeline(BOB, ((ANN, 500),))) == 0
    assert incoming.look_back(welcome(make_seq(BOB, 9), make_seq(BOB, 5))) == Fetch(make_seq(ANN, 405))
    assert seen(incoming, says(BOB, 6, 7)) == []
    assert seen(incoming, says(ANN, 406, 500) + says(BOB, 1, 5)) == ["64.406", "64.500", "129.1", "129.5"]
    fetch, events = incoming.page(Page(make_seq(BOB, 5)))
    assert fetch is None and [event.seq for event in events] == [make_seq(BOB, 6), make_seq(BOB, 7)]
    assert incoming.enter(Timeline(BOB, ((ANN, 500),))) == make_seq(BOB, 7), "and then goes on as others do"


def test_who_looks_back_and_is_cut_off_before_anything_came_asks_again():
    incoming = Incoming(look_back=10)
    after = incoming.enter(None)
    assert (after, incoming.resume(welcome(50, 40), after)) == (0, Fetch(30))
    assert incoming.look_back(welcome(5)) is None, "the host has sent all there is"


def test_what_the_next_host_has_not_is_no_longer_counted_and_what_it_has_comes_once():
    incoming = Incoming()
    incoming.enter(Timeline(ANN))
    assert seen(incoming, says(ANN, 1, 2, 3)) == ["64.1", "64.2", "64.3"]
    bobs = Timeline(BOB, ((ANN, 2),))  # the third was on no other disk
    after = incoming.enter(bobs)
    assert after == make_seq(ANN, 2)
    assert incoming.resume(welcome(make_seq(BOB, 2)), after) is None
    again = says(BOB, 2, text="64.3")  # its author has said it again
    assert seen(incoming, says(BOB, 1) + again + says(BOB, 3)) == ["129.1", "129.3"], "no line stands here twice"
    assert incoming.enter(bobs) == make_seq(BOB, 3)


def test_halves_that_were_apart_get_what_the_other_half_said():
    incoming = Incoming()
    incoming.enter(Timeline(ANN))
    seen(incoming, says(ANN, 1, 2))
    after = incoming.enter(Timeline(CAT, ((ANN, 2),)))
    incoming.resume(welcome(make_seq(ANN, 2)), after)
    assert seen(incoming, says(CAT, 1, 2)) == ["130.1", "130.2"]
    merged = Timeline(192, ((ANN, 2), (BOB, 7)))  # bob's half stayed, and has begun a term above cat's
    after = incoming.enter(merged)
    assert after == make_seq(BOB, 0), "his whole term is missing here, although its numbers are lower than cat's"
    assert incoming.resume(welcome(make_seq(192, 1)), after) is None
    assert seen(incoming, says(BOB, 1, 7) + says(192, 1)) == ["129.1", "129.7", "192.1"]
    assert incoming.enter(merged) == make_seq(192, 1)


def test_a_missing_page_is_asked_for_from_the_last_number_that_both_have():
    incoming = Incoming()
    incoming.enter(Timeline(ANN))
    seen(incoming, says(ANN, 1, 2, 3))
    after = incoming.enter(Timeline(BOB, ((ANN, 2),)))
    assert incoming.resume(welcome(make_seq(BOB, 900), since=make_seq(BOB, 400)), after) == Fetch(make_seq(ANN, 2))


def test_a_host_without_a_timeline_is_asked_from_the_last_number():
    incoming = Incoming()
    assert incoming.enter(None) == -1
    assert seen(incoming, says(0, 1, 2)) == ["0.1", "0.2"]
    assert incoming.enter(None) == 2
    incoming.resume(welcome(1), 2)  # it has lost its log
    assert incoming.seq == 1


def test_a_message_that_its_author_says_again_at_another_host_is_shown_once_and_has_its_new_place_in_the_history():
    incoming = Incoming()
    incoming.enter(Timeline(ANN))
    assert seen(incoming, says(ANN, 1, text="a") + says(ANN, 2, text="b")) == ["a", "b"] and incoming.renumbered == []
    again = says(BOB, 5, text="b")
    assert seen(incoming, again) == [] and incoming.renumbered == again


# ---- the second day


def test_who_was_away_gets_what_was_missed_before_the_last_messages():
    incoming = Incoming()
    incoming.enter(Timeline(ANN))
    incoming.expect({ANN: 10}, Timeline(ANN))
    assert seen(incoming, says(ANN, 250, 251)) == [] and incoming.wanted == Fetch(make_seq(ANN, 10))
    assert seen(incoming, says(ANN, *range(11, 250))) == [f"64.{n}" for n in range(11, 250)]
    fetch, later = incoming.page(Page(make_seq(ANN, 249)))
    assert fetch is None and [event.seq for event in later] == [make_seq(ANN, 250), make_seq(ANN, 251)]
    assert incoming.enter(Timeline(ANN)) == make_seq(ANN, 251)


def test_who_was_not_away_for_long_gets_the_last_messages_as_ever():
    for first in (3, 10, 11):
        incoming = Incoming()
        incoming.expect({ANN: 10}, Timeline(ANN))
        assert seen(incoming, says(ANN, first, 12)) == [f"64.{first}", "64.12"] and incoming.wanted is None


def test_who_was_away_for_years_gets_the_end_of_it():
    incoming = Incoming()
    incoming.expect({ANN: 10}, Timeline(ANN))
    seen(incoming, says(ANN, 90_000))
    assert incoming.wanted == Fetch(make_seq(ANN, 90_000 - 1 - CATCH_UP))


def test_what_was_missed_goes_along_the_timeline():
    """The last thing that the earlier run has seen was said on a half of the room that is gone."""
    for n, after in ((10, 10), (600, 500)):
        incoming = Incoming()
        incoming.expect({ANN: n}, Timeline(BOB, ((ANN, 500),)))
        assert seen(incoming, says(BOB, 80)) == [] and incoming.wanted == Fetch(make_seq(ANN, after))


def test_what_one_half_said_is_fetched_by_who_was_with_the_other_half_last():
    """ann's room goes on; bob's, of which the last run has the higher numbers, has yielded meanwhile."""
    with_bob = Incoming()
    with_bob.enter(Timeline(BOB, ((ANN, 500),)))
    seen(with_bob, says(BOB, 1, 2, 3))
    assert with_bob.positions == {ANN: 500, BOB: 3}
    incoming = Incoming()
    incoming.expect(with_bob.positions, Timeline(LATER, ((ANN, 800),)))
    seen(incoming, says(LATER, 90))
    assert incoming.wanted == Fetch(make_seq(ANN, 500))


def test_who_came_back_from_the_half_that_yielded_goes_on_with_lower_numbers():
    incoming = Incoming()
    incoming.enter(Timeline(BOB, ((ANN, 500),)))
    seen(incoming, says(BOB, 3))
    after = incoming.enter(Timeline(ANN))
    incoming.resume(welcome(make_seq(ANN, 800)), after)
    seen(incoming, says(ANN, 501, 502))
    assert incoming.positions == {ANN: 502}


def test_who_has_caught_up_in_a_term_has_all_of_the_terms_before_it():
    incoming = Incoming()
    host = Timeline(BOB, ((ANN, 500),))
    incoming.enter(host)
    incoming.expect({ANN: 500, BOB: 10}, host)
    seen(incoming, says(BOB, 80))
    seen(incoming, says(BOB, *range(11, 80)))
    incoming.page(Page(make_seq(BOB, 79)))
    assert incoming.enter(Timeline(LATER, ((ANN, 500), (BOB, 80)))) == make_seq(LATER, 0), "nothing comes again"
