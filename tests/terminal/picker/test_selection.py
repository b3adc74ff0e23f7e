"""Keys on a list that changes. Time is a number in seconds."""

from lanchat.discovery.sighting import Listing
from lanchat.terminal.picker.selection import CLOSED_STAYS, TYPING_PAUSE, Selection


def room(title: str, host: str = "ann", key: str = "") -> Listing:
    return Listing(title, title, host, 1, False, (), ("mdns",), "answering", key)


def selection_of(*titles: str) -> Selection:
    selection = Selection()
    selection.update(tuple(map(room, titles)), 0)
    return selection


def chosen(selection: Selection) -> str | None:
    listing = selection.chosen()
    return listing.title if listing else None


def titles(selection: Selection) -> list[str]:
    return [listing.title for listing in selection.shown]


def test_in_an_empty_list_nothing_is_selected():
    selection = selection_of()
    selection.move(1)
    selection.type("x", 0)
    selection.type("x", 0)
    assert (chosen(selection), selection.missed) == (None, "")


def test_arrows_stop_at_the_ends():
    selection = selection_of("a", "b", "c")
    selection.move(-1)
    assert chosen(selection) == "a"
    selection.move(1000)
    assert chosen(selection) == "c"


def test_the_selection_stays_on_its_room_while_others_come_and_go():
    selection = selection_of("b", "d")
    selection.move(1)
    for titles in (["a", "b", "c", "d"], ["d"], ["c", "d", "e"]):
        selection.update(tuple(map(room, titles)), 1)
        assert chosen(selection) == "d"


def test_a_selected_room_that_closes_stays_in_its_place_and_nothing_is_joined_instead():
    selection = selection_of("a", "b", "c")
    selection.move(1)
    for now in (10, 10 + CLOSED_STAYS, 1000):
        selection.update((room("a"), room("c"), room("d")), now)
        assert (titles(selection), selection.index, chosen(selection)) == (["a", "b", "c", "d"], 1, None)
    assert selection.closed == room("b")


def test_a_closed_room_leaves_the_list_when_another_is_selected():
    for by, expected in ((1, "c"), (-1, "a"), (1000, "d")):
        selection = selection_of("a", "b", "c", "d")
        selection.move(1)
        selection.update((room("a"), room("c"), room("d")), 10)
        selection.move(by)
        assert (titles(selection), chosen(selection), selection.closed) == (["a", "c", "d"], expected, None)


def test_a_closed_room_that_opens_again_can_be_joined():
    selection = selection_of("a", "b")
    selection.update((room("b"),), 10)
    selection.update((room("a"), room("b")), 11)
    assert (titles(selection), chosen(selection), selection.closed) == (["a", "b"], "a", None)


def test_the_only_room_that_closes_leaves_after_a_moment():
    selection = selection_of("a")
    selection.update((), 10)
    assert (titles(selection), chosen(selection)) == (["a"], None)
    selection.update((), 10 + CLOSED_STAYS)
    assert (titles(selection), selection.is_empty) == ([], True)
    selection.update((room("b"),), 20)
    assert chosen(selection) == "b"


def test_another_key_that_answers_for_the_selected_room_is_not_selected_in_its_place():
    selection = Selection()
    selection.update((room("a", key="11"),), 0)
    selection.update((room("a", "eve", key="66"), room("a", key="11")), 1)
    listing = selection.chosen()
    assert listing is not None and listing.fingerprint == "11"
    selection.update((room("a", "eve", key="66"),), now=10)
    assert chosen(selection) is None, "Enter was meant for the other"


def test_a_selected_room_that_answers_stays_selected():
    """Before it answers, its key is unknown, or a hint that may be cut."""
    selection = Selection()
    for key in ("", "11", "1122"):
        selection.update((room("A", "eve", key="66"), room("a", key=key)), 1)
        selection.move(1)
        selection.update((room("A", "eve", key="66"), room("a", key="1122")), 2)
        listing = selection.chosen()
        assert listing is not None and listing.fingerprint == "1122"


def test_the_first_room_that_appears_can_be_joined_at_once():
    selection = selection_of()
    selection.update((room("a"),), now=10)
    assert chosen(selection) == "a"


def test_first_letters_choose_by_beginning_then_by_word_then_by_part():
    selection = selection_of("alpha", "beta room", "gamma", "Room")
    for typed, title in [("r", "Room"), ("be", "beta room"), ("mm", "gamma")]:
        selection.cancel(0)
        for letter in typed:
            selection.type(letter, 0)
        assert chosen(selection) == title


def test_accents_and_case_do_not_count():
    selection = selection_of("Alpha", "Ärger & Café", "Zebra")
    selection.type("arg", 0)
    assert chosen(selection) == "Ärger & Café"
    selection.search()
    selection.type("CAFE\u0301", 0)
    assert titles(selection) == ["Ärger & Café"]


def test_letters_that_match_nothing_select_nothing_until_the_person_chooses():
    for choose, expected in (
        (lambda it: it.move(0), "b"),
        (lambda it: it.cancel(99), "b"),
        (lambda it: it.type("a", 99), "a"),
    ):
        selection = selection_of("a", "b")
        selection.move(1)
        selection.type("z", 0)
        selection.type("z", 0)
        selection.update((room("a"), room("b"), room("c")), 50)
        assert (chosen(selection), selection.missed, selection.typed(50)) == (None, "zz", "")
        choose(selection)
        assert (chosen(selection), selection.missed) == (expected, "")


def test_a_letter_that_is_taken_back_counts_no_more():
    selection = selection_of("a", "room")
    for letter in "roz":
        selection.type(letter, 0)
    assert chosen(selection) is None
    selection.erase(0)
    assert (chosen(selection), selection.typed(0)) == ("room", "ro")


def test_a_letter_again_and_again_goes_through_the_rooms_that_begin_with_it():
    selection = selection_of("alpha", "Room A", "room b", "the rest")
    found = []
    for _ in range(4):
        selection.type("r", 0)
        found.append(chosen(selection))
    assert found == ["Room A", "room b", "Room A", "room b"]
    selection = selection_of("aardvark", "apple")
    for letter in "aa":
        selection.type(letter, 0)
    assert chosen(selection) == "aardvark", "a title that begins so comes first"


def test_after_a_pause_typing_begins_again():
    selection = selection_of("abc", "bcd")
    selection.type("a", 0)
    assert selection.is_typing(TYPING_PAUSE - 0.01) and not selection.is_typing(TYPING_PAUSE)
    selection.type("b", TYPING_PAUSE)
    assert chosen(selection) == "bcd"


def test_a_search_narrows_the_list_and_has_no_pause():
    selection = selection_of("hq", "quiet", "lobby")
    selection.search()
    selection.type("q", 0)
    assert titles(selection) == ["hq", "quiet"]
    selection.type("u", 100)
    assert (titles(selection), chosen(selection)) == (["quiet"], "quiet")
    selection.erase(100)
    assert len(selection.shown) == 2
    assert selection.cancel(200)
    assert (len(selection.shown), chosen(selection)) == (3, "quiet")


def test_a_search_also_finds_who_hosts():
    selection = Selection()
    selection.update((room("a", "ann"), room("b", "bob")), 0)
    selection.search()
    selection.type("bo", 0)
    assert titles(selection) == ["b"]


def test_in_a_search_without_matches_nothing_is_selected():
    selection = selection_of("a")
    selection.search()
    selection.type("z", 0)
    assert (selection.shown, chosen(selection)) == ((), None)
    selection.cancel(0)
    assert chosen(selection) == "a"


def test_cancel_says_that_there_was_nothing_to_cancel():
    assert not selection_of("a").cancel(0)
