"""Stories of rooms seen, asked and gone. Time is a number in seconds; nothing waits."""

from dataclasses import dataclass, field

from lanchat.discovery.directory import (
    ASK_EVERY,
    ASK_LATEST,
    KEPT_AFTER_GOODBYE,
    MAX_ASKED_A_SECOND,
    MAX_ENDPOINTS,
    MAX_FROM_ONE_SOURCE,
    MAX_ROOMS,
    MAX_TRIED_AT_ONCE,
    SETTLE,
    Answered,
    Closed,
    Directory,
    NoAnswer,
    NoRoom,
    Outcome,
)
from lanchat.discovery.sighting import Listing, Sighting, Vanished
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.messages import VERSION, Card

LAN = Address("eth0", "10.0.0.1", 16)
KEY = "ab" * 32


def room_id(number: int) -> str:
    return f"{number:032x}"


def place(number: int, port: int = 47474) -> Endpoint:
    return Endpoint(f"10.0.1.{number}", port)


def seen(number: int = 1, *places: Endpoint, title: str = "hinted", way: str = "mdns", name: str = "") -> Sighting:
    places = places or (place(number),)
    return Sighting(way, name or f"room {number}", room_id(number), title, "hal", places, source=places[0].host)


def answered(number: int = 1, title: str = "Room A", people: int = 2, locked: bool = False, key: str = KEY) -> Answered:
    return Answered(Card(VERSION, room_id(number), title, "ann", people, locked, b"n" * 32), key)


@dataclass
class World:
    """A directory, and what is found at each place when it is asked. Unknown places do not answer."""

    found: dict[Endpoint, Outcome] = field(default_factory=dict)
    now: float = 100.0
    directory: Directory = field(default_factory=lambda: Directory((LAN,)))
    asked: list[Endpoint] = field(default_factory=list)

    def see(self, sighting: Sighting) -> None:
        self.directory.see(sighting, self.now)

    def goodbye(self, sighting: Sighting) -> None:
        self.directory.vanish(Vanished(sighting.way, sighting.name), self.now)

    def after(self, seconds: float) -> tuple[Listing, ...]:
        """Let so much time pass, asking whoever is due, and give the list."""
        end = self.now + seconds
        while True:
            for endpoint in self.directory.due(self.now, at_most=100):
                self.asked.append(endpoint)
                self.directory.answer(endpoint, self.found.get(endpoint, NoAnswer()), self.now)
            next_at = self.directory.next_at(self.now)
            if next_at is None or max(next_at, self.now + 0.01) > end:
                self.now = end
                return self.directory.listings(end)
            self.now = max(next_at, self.now + 0.01)

    def titles(self, after: float = 0.0) -> list[str]:
        return [listing.title for listing in self.after(after)]


def test_a_room_is_listed_by_what_its_host_says_not_by_the_hint():
    world = World({place(1): answered(title="Room A", people=5, locked=True)})
    world.see(seen(title="hinted"))
    assert world.directory.listings(world.now) == ()  # not before it has answered
    assert world.after(0) == (Listing(room_id(1), "Room A", "ann", 5, True, (place(1),), ("mdns",), "answering", KEY),)


def test_a_place_that_refuses_is_not_listed():
    world = World({place(1): Closed()})
    world.see(seen())
    assert world.after(0) == ()


def test_a_place_where_something_else_listens_is_not_listed():
    world = World({place(1): NoRoom()})
    world.see(seen())
    assert world.after(60) == ()


def test_a_place_where_another_room_is_now_is_not_listed():
    world = World({place(1): answered(2)})
    world.see(seen(1))
    assert world.after(60) == ()


def test_a_room_that_does_not_answer_is_listed_as_silent_by_its_hint():
    world = World()
    world.see(seen(title="Room\x1b[2J"))
    [listing] = world.after(0)
    assert (listing.title, listing.host, listing.people, listing.state) == ("Room\\x1b[2J", "hal", None, "silent")


def test_a_killed_host_leaves_the_list_though_its_record_lives_on():
    world = World({place(1): answered()})
    world.see(seen())
    assert world.titles(ASK_EVERY) == ["Room A"]
    world.found[place(1)] = Closed()
    assert world.titles(ASK_EVERY) == []


def test_a_host_that_is_started_again_comes_back_without_a_new_record():
    world = World({place(1): Closed()})
    world.see(seen())
    assert world.titles(100) == []
    world.found[place(1)] = answered()
    assert world.titles(ASK_LATEST) == ["Room A"]


def test_one_missed_answer_is_forgiven_two_are_not():
    world = World({place(1): answered()})
    world.see(seen())
    world.after(0)
    world.found[place(1)] = NoAnswer()
    assert [listing.state for listing in world.after(ASK_EVERY)] == ["answering"]
    [listing] = world.after(ASK_EVERY)
    assert (listing.title, listing.people, listing.state) == ("Room A", 2, "silent")  # as we knew it


def test_the_number_of_people_follows():
    world = World({place(1): answered(people=1)})
    world.see(seen())
    world.after(0)
    world.found[place(1)] = answered(people=2)
    assert [listing.people for listing in world.after(ASK_EVERY)] == [2]


def test_sightings_of_one_room_are_one_row():
    world = World({place(1): answered(1), place(2): answered(1), place(3): Closed()})
    world.see(seen(1, place(1), place(3)))
    world.see(seen(1, place(2), place(1), way="announce"))
    [listing] = world.after(0)
    assert set(listing.endpoints) == {place(1), place(2)}
    assert listing.ways == ("announce", "mdns")


def test_addresses_that_answer_stand_before_those_that_do_not():
    world = World({place(2): answered(1)})
    world.see(seen(1, place(1), place(2)))
    [listing] = world.after(0)
    assert listing.endpoints == (place(2), place(1))


def test_a_second_key_for_a_room_does_not_get_into_its_row():
    world = World({place(1): answered(1), place(66): answered(1, "Evil", key="66" * 32)})
    world.see(seen(1))
    world.after(0)
    world.see(seen(1, place(66), name="twin"))
    [listing] = world.after(10)
    assert (listing.title, listing.fingerprint, listing.endpoints) == ("Room A", KEY, (place(1),))


def test_after_a_goodbye_the_room_is_kept_for_a_moment():
    world = World({place(1): NoAnswer()})
    world.see(seen())
    assert world.titles() == ["hinted"]
    world.goodbye(seen())
    assert world.titles(KEPT_AFTER_GOODBYE - 0.01) == ["hinted"]
    assert world.titles(0.01) == []


def test_a_host_that_says_goodbye_and_closes_leaves_within_that_moment():
    world = World({place(1): answered()})
    world.see(seen())
    world.after(0)
    world.goodbye(seen())
    assert world.titles() == ["Room A"]  # it says goodbye before it closes
    world.found[place(1)] = Closed()
    assert world.titles(1.0) == []


def test_a_strangers_goodbye_does_not_remove_a_room_that_lives():
    world = World({place(1): answered()})
    world.see(seen())
    world.after(0)
    world.goodbye(seen())
    assert world.titles(600) == ["Room A"]
    world.found[place(1)] = Closed()
    assert world.titles(ASK_EVERY) == []
    world.found[place(1)] = answered()
    assert world.titles(600) == []  # now the goodbye counts


def test_a_room_seen_again_after_its_goodbye_is_there_again():
    world = World()
    world.see(seen())
    world.goodbye(seen())
    world.after(1)
    world.see(seen())
    assert world.titles(60) == ["hinted"]


def test_a_goodbye_of_something_unknown_is_nothing():
    world = World()
    world.goodbye(seen())
    assert world.after(10) == ()


def test_a_frozen_host_that_says_goodbye_is_let_go():
    """Its last answer was given before the goodbye, so it does not count as an answer to it."""
    world = World({place(1): answered()})
    world.see(seen())
    world.after(1)
    world.found[place(1)] = NoAnswer()
    world.goodbye(seen())
    assert world.titles(KEPT_AFTER_GOODBYE) == []


def test_the_order_is_that_of_titles_then_ids():
    world = World({place(n): answered(n, title) for n, title in [(1, "b"), (2, "C"), (3, "a"), (4, "B")]})
    for number in (4, 2, 3, 1):
        world.see(seen(number))
    assert [(listing.title, int(listing.room_id, 16)) for listing in world.after(0)] == [
        ("a", 3),
        ("b", 1),
        ("B", 4),
        ("C", 2),
    ]


def test_addresses_that_must_not_be_dialled_are_not():
    world = World()
    world.see(seen(1, Endpoint("127.0.0.1", 6379), Endpoint("8.8.8.8", 47474), place(1, port=22)))
    assert world.after(10) == () and world.asked == []


def test_only_some_addresses_of_one_sighting_are_dialled():
    world = World()
    world.see(seen(1, *(place(n) for n in range(1, 30))))
    world.after(0)
    assert len(world.asked) == MAX_ENDPOINTS


def test_one_source_does_not_fill_the_list():
    world = World({place(1, 5000 + n): answered(n) for n in range(20)})
    for number in range(20):
        world.see(seen(number, place(1, 5000 + number)))
        world.after(0)
    assert len(world.after(0)) == MAX_FROM_ONE_SOURCE


def test_a_flood_does_not_push_out_rooms_that_answer():
    world = World({place(1): answered()})
    world.see(seen())
    world.after(0)
    for number in range(1000):
        world.see(seen(1000 + number, Endpoint(f"10.0.{2 + number // 250}.{1 + number % 250}")))
    listings = world.after(30)
    assert len(listings) <= MAX_ROOMS
    assert "Room A" in [listing.title for listing in listings]


def test_a_full_list_makes_room_by_letting_go_what_fails():
    world = World({place(200): answered(200)})
    for number in range(1, MAX_ROOMS + 1):
        world.see(seen(number))
    world.see(seen(200))
    assert "Room A" not in world.titles(2)  # nobody knows yet who of the others fails
    world.see(seen(200))
    assert "Room A" in world.titles(2)


def test_nobody_makes_us_ask_more_than_so_much_in_a_second():
    world = World()
    for number in range(1, 60):
        world.see(seen(number, place(number), place(number, 5000), place(number, 5001)))
    world.after(0.9)
    assert len(world.asked) == MAX_ASKED_A_SECOND


def test_a_place_is_asked_by_one_at_a_time():
    world = World()
    world.see(seen())
    assert world.directory.due(world.now, 10) == [place(1)]
    assert world.directory.due(world.now + 60, 10) == []
    world.directory.answer(place(1), NoAnswer(), world.now + 60)
    assert world.directory.due(world.now + 120, 10) == [place(1)]


def test_places_that_keep_failing_wait_behind_new_ones():
    world = World()
    world.see(seen(1))
    world.after(20)
    world.now += 100
    world.see(seen(2))
    assert world.directory.due(world.now, at_most=1) == [place(2)]


def test_an_answer_that_comes_after_the_room_is_forgotten_is_nothing():
    world = World()
    world.see(seen())
    world.directory.due(world.now, 10)
    world.goodbye(seen())
    assert world.after(10) == ()
    world.directory.answer(place(1), answered(), world.now)
    assert world.after(10) == ()


def test_a_record_that_changes_takes_the_place_of_the_one_before():
    world = World({place(1): answered(1), place(2): answered(1)})
    world.see(seen(1, name="x"))
    world.after(0)
    world.see(seen(1, place(2), name="x"))
    [listing] = world.after(0)
    assert listing.endpoints == (place(2),)


def a_try(number: int, *, joined: bool = False, host: str = "") -> Sighting:
    where = Endpoint(host) if host else place(number)
    return Sighting("remembered", str(where), "", "hint", "", (where,), source=where.host, joined=joined)


def test_whatever_room_answers_at_a_place_to_try_is_listed():
    world = World({place(1): answered(7, "Room G")})
    world.see(a_try(1))
    [listing] = world.after(1)
    assert (listing.room_id, listing.title, listing.ways, listing.state) == (
        room_id(7),
        "Room G",
        ("remembered",),
        "answering",
    )
    world.see(seen(7, place(1)))
    assert [listing.ways for listing in world.after(1)] == [("mdns", "remembered")]


def test_a_place_to_try_is_no_silent_room():
    world = World({place(2): Closed(), place(3): NoRoom()})
    for number in (1, 2, 3):
        world.see(a_try(number))
    assert world.after(10) == ()


def test_a_room_that_was_tried_and_falls_silent_is_silent():
    world = World({place(1): answered(7)})
    world.see(a_try(1))
    world.after(1)
    world.found[place(1)] = NoAnswer()
    assert [listing.state for listing in world.after(10)] == ["silent"]


def test_places_to_try_do_not_hold_up_rooms_that_are_announced():
    directory = Directory((LAN,))
    for number in range(1, 31):
        directory.see(a_try(number), 0)
    tried = directory.due(0, at_most=16)
    assert len(tried) == MAX_TRIED_AT_ONCE
    directory.see(seen(99), 0.1)
    assert directory.due(0.1, at_most=8) == [place(99)]
    directory.answer(tried[0], NoAnswer(), 2)
    assert len(directory.due(2, at_most=8)) == 1


def test_where_the_person_was_may_be_behind_a_router():
    world = World({Endpoint("10.9.9.9"): answered(7)})
    world.see(a_try(1, host="10.9.9.9"))
    assert world.after(1) == ()
    world.see(a_try(1, host="10.9.9.9", joined=True))
    assert [listing.room_id for listing in world.after(1)] == [room_id(7)]


def test_another_network_is_looked_at_from_when_we_are_on_it():
    there = Sighting("announce", "x", room_id(7), "", "", (Endpoint("192.168.7.7"),), source="192.168.7.7")
    world = World({Endpoint("192.168.7.7"): answered(7)})
    world.see(there)
    assert world.after(1) == ()
    world.directory.look_on((Address("wlan0", "192.168.7.1", 24),))
    world.see(there)
    assert [listing.room_id for listing in world.after(1)] == [room_id(7)]


def test_an_address_that_holds_on_this_machine_alone_stands_last():
    scoped = Endpoint("fe80::7%eth0")
    world = World({scoped: answered(1), place(1): answered(1)})
    world.see(seen(1, scoped, name="first"))
    world.after(1)
    world.see(seen(1, place(1), name="second"))
    assert [listing.endpoints for listing in world.after(1)] == [(place(1), scoped)]


def test_a_link_local_address_that_answers_first_has_to_wait_for_a_better_one():
    scoped = Endpoint("fe80::7%eth0")
    world = World({scoped: answered(), place(1): answered()})
    world.directory.look_on((LAN, Address("eth0", "fe80::1%eth0", 64)))
    world.see(seen(1, scoped, way="announce"))
    assert world.after(SETTLE / 2) == ()
    world.see(seen(1, place(1)))
    [room] = world.after(0.02)
    assert room.endpoints == (place(1), scoped)


def test_a_link_local_address_alone_is_better_than_none():
    scoped = Endpoint("fe80::7%eth0")
    world = World({scoped: answered()})
    world.directory.look_on((LAN, Address("eth0", "fe80::1%eth0", 64)))
    world.see(seen(1, scoped))
    assert world.after(SETTLE / 2) == ()
    [room] = world.after(SETTLE)
    assert room.endpoints == (scoped,)
