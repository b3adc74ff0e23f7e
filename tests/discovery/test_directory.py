"""Stories of rooms that are seen, probed and gone. Time is a number in seconds; nothing waits."""

from dataclasses import dataclass, field, replace

from lanchat.discovery.directory import (
    KEPT_AFTER_GOODBYE,
    MAX_ENDPOINTS,
    MAX_GUESSES_AT_ONCE,
    MAX_PROBES_A_SECOND,
    MAX_ROOMS,
    PROBE_EVERY,
    PROBE_LATEST,
    Directory,
)
from lanchat.discovery.rows import BETTER_ADDRESS_WAIT
from lanchat.discovery.share import MAX_OF_ONE_MACHINE
from lanchat.discovery.sighting import (
    Answered,
    ConnectionRefused,
    Listing,
    NotARoom,
    Outcome,
    Sighting,
    Silent,
    Unreachable,
    Vanished,
)
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.messages import VERSION, Card

LAN = Address("eth0", "10.0.0.1", 16)
KEY, EVIL = "ab" * 32, "66" * 32


def room_id(number: int) -> str:
    return f"{number:032x}"


def at(number: int, port: int = 47474) -> Endpoint:
    return Endpoint(f"10.0.1.{number}", port)


def seen(number: int = 1, *endpoints: Endpoint, title: str = "hinted", via: str = "mdns", name: str = "") -> Sighting:
    endpoints = endpoints or (at(number),)
    return Sighting(via, name or f"room {number}", room_id(number), title, "hal", endpoints, machine=endpoints[0].host)


def answered(
    number: int = 1, title: str = "Room A", people: int = 2, password: bool = False, key: str = KEY
) -> Answered:
    return Answered(Card(VERSION, room_id(number), title, "ann", people, password, b"n" * 32), key)


def known(answer: Answered) -> Answered:
    """The same, of a room that this person knows."""
    return replace(answer, key_status="known")


@dataclass
class World:
    """A directory, and what a probe of each address finds. Addresses that are not named here are silent."""

    found: dict[Endpoint, Outcome] = field(default_factory=dict)
    now: float = 100.0
    directory: Directory = field(default_factory=lambda: Directory((LAN,)))
    probed: list[Endpoint] = field(default_factory=list)

    def see(self, sighting: Sighting) -> None:
        self.directory.see(sighting, self.now)

    def goodbye(self, sighting: Sighting) -> None:
        self.directory.vanish(Vanished(sighting.via, sighting.name), self.now)

    def after(self, seconds: float) -> tuple[Listing, ...]:
        """Let this time pass, with all probes that are due in it, and return the list."""
        end = self.now + seconds
        while True:
            for endpoint in self.directory.due(self.now, at_most=100):
                self.probed.append(endpoint)
                self.directory.probed(endpoint, self.found.get(endpoint, Silent()), self.now)
            next_at = self.directory.next_at(self.now)
            if next_at is None or max(next_at, self.now + 0.01) > end:
                self.now = end
                return self.directory.listings(end)
            self.now = max(next_at, self.now + 0.01)

    def titles(self, after: float = 0.0) -> list[str]:
        return [listing.title for listing in self.after(after)]


def test_a_room_is_listed_as_its_host_describes_it_not_as_the_hint_does():
    world = World({at(1): answered(title="Room A", people=5, password=True)})
    world.see(seen(title="hinted"))
    assert world.directory.listings(world.now) == ()  # not before it has answered
    assert world.after(0) == (Listing(room_id(1), "Room A", "ann", 5, True, (at(1),), ("mdns",), "answering", KEY),)


def test_an_address_that_refuses_is_not_listed():
    world = World({at(1): ConnectionRefused()})
    world.see(seen())
    assert world.after(0) == ()


def test_an_address_where_something_else_listens_is_not_listed():
    world = World({at(1): NotARoom()})
    world.see(seen())
    assert world.after(60) == ()


def test_an_address_where_another_room_answers_is_not_listed():
    world = World({at(1): answered(2)})
    world.see(seen(1))
    assert world.after(60) == ()


def test_a_room_that_does_not_answer_is_listed_as_silent_with_its_hint():
    world = World()
    world.see(seen(title="Room\x1b[2J"))
    [listing] = world.after(0)
    assert (listing.title, listing.host, listing.people, listing.state) == ("Room\\x1b[2J", "hal", None, "silent")


def test_a_room_that_cannot_be_reached_is_listed_as_silent():
    world = World({at(1): Unreachable()})
    world.see(seen())
    assert [listing.state for listing in world.after(0)] == ["silent"]


def test_a_killed_host_leaves_the_list_though_its_record_lives_on():
    world = World({at(1): answered()})
    world.see(seen())
    assert world.titles(PROBE_EVERY) == ["Room A"]
    world.found[at(1)] = ConnectionRefused()
    assert world.titles(PROBE_EVERY) == []


def test_a_host_that_is_started_again_comes_back_without_a_new_record():
    world = World({at(1): ConnectionRefused()})
    world.see(seen())
    assert world.titles(100) == []
    world.found[at(1)] = answered()
    assert world.titles(PROBE_LATEST) == ["Room A"]


def test_one_missed_answer_is_forgiven_but_two_are_not():
    world = World({at(1): answered()})
    world.see(seen())
    world.after(0)
    world.found[at(1)] = Silent()
    assert [listing.state for listing in world.after(PROBE_EVERY)] == ["answering"]
    [listing] = world.after(PROBE_EVERY)
    assert (listing.title, listing.people, listing.state) == ("Room A", 2, "silent")  # as we knew it last


def test_the_number_of_people_is_kept_up_to_date():
    world = World({at(1): answered(people=1)})
    world.see(seen())
    world.after(0)
    world.found[at(1)] = answered(people=2)
    assert [listing.people for listing in world.after(PROBE_EVERY)] == [2]


def test_sightings_of_one_room_are_one_row():
    world = World({at(1): answered(1), at(2): answered(1), at(3): ConnectionRefused()})
    world.see(seen(1, at(1), at(3)))
    world.see(seen(1, at(2), at(1), via="announce"))
    [listing] = world.after(0)
    assert set(listing.endpoints) == {at(1), at(2)}
    assert listing.via == ("announce", "mdns")


def test_addresses_that_answer_come_before_those_that_do_not():
    world = World({at(2): answered(1)})
    world.see(seen(1, at(1), at(2)))
    [listing] = world.after(0)
    assert listing.endpoints == (at(2), at(1))


def test_a_second_key_for_a_room_has_a_row_of_its_own():
    """Nobody's answer hides another key's, whoever came first, and no address gets into another key's row."""
    world = World({at(1): answered(1), at(66): answered(1, key=EVIL)})
    world.see(seen(1, at(66), name="twin", via="announce"))
    assert [listing.fingerprint for listing in world.after(0)] == [EVIL]
    world.see(seen(1))
    rows = [(listing.fingerprint, listing.endpoints, listing.via) for listing in world.after(10)]
    assert sorted(rows) == [(EVIL, (at(66),), ("announce",)), (KEY, (at(1),), ("mdns",))]


def test_the_key_that_is_known_comes_first():
    for evil in ("00" * 32, "ff" * 32):
        world = World({at(1): known(answered(1)), at(66): answered(1, key=evil)})
        world.see(seen(1, at(66), at(1)))
        assert [listing.fingerprint for listing in world.after(0)] == [KEY, evil]


def test_an_address_where_another_key_has_answered_is_not_the_hosts():
    world = World({at(1): known(answered(1)), at(66): answered(1, key=EVIL)})
    world.see(seen(1, at(1), at(66), at(3)))
    world.after(0)
    world.found[at(66)] = Silent()
    [listing] = world.after(2 * PROBE_EVERY)
    assert listing.endpoints == (at(1), at(3)), "nobody has answered at the last one: it may be the host's"
    world.found[at(1)] = Silent()
    [listing] = world.after(3 * PROBE_EVERY)
    assert (listing.state, listing.fingerprint, listing.endpoints) == ("silent", KEY, (at(1), at(3)))


def test_a_known_room_is_not_pushed_out_by_rooms_that_answer():
    world = World({at(1): known(answered(1))})
    world.found |= {at(number): answered(number, "False") for number in range(2, 2 + MAX_ROOMS)}
    for number in range(2, 2 + MAX_ROOMS):
        world.see(seen(number))
    world.see(seen(1, via="recent"))
    listings = world.after(5)
    assert len(listings) == MAX_ROOMS and "Room A" in [listing.title for listing in listings]


def test_after_a_goodbye_the_room_is_kept_for_a_moment():
    world = World({at(1): Silent()})
    world.see(seen())
    assert world.titles() == ["hinted"]
    world.goodbye(seen())
    assert world.titles(KEPT_AFTER_GOODBYE - 0.01) == ["hinted"]
    assert world.titles(0.01) == []


def test_a_host_that_says_goodbye_and_closes_leaves_within_that_moment():
    world = World({at(1): answered()})
    world.see(seen())
    world.after(0)
    world.goodbye(seen())
    assert world.titles() == ["Room A"]  # a host says goodbye before it closes
    world.found[at(1)] = ConnectionRefused()
    assert world.titles(1.0) == []


def test_a_strangers_goodbye_does_not_remove_a_room_that_lives():
    world = World({at(1): answered()})
    world.see(seen())
    world.after(0)
    world.goodbye(seen())
    assert world.titles(600) == ["Room A"]
    world.found[at(1)] = ConnectionRefused()
    assert world.titles(PROBE_EVERY) == []
    world.found[at(1)] = answered()
    assert world.titles(600) == []  # now the goodbye counts


def test_a_room_seen_again_after_its_goodbye_is_there_again():
    world = World()
    world.see(seen())
    world.goodbye(seen())
    world.after(1)
    world.see(seen())
    assert world.titles(60) == ["hinted"]


def test_a_goodbye_of_something_unknown_is_ignored():
    world = World()
    world.goodbye(seen())
    assert world.after(10) == ()


def test_a_frozen_host_that_says_goodbye_leaves_the_list():
    """Its last answer was given before the goodbye, so it does not count as an answer to it."""
    world = World({at(1): answered()})
    world.see(seen())
    world.after(1)
    world.found[at(1)] = Silent()
    world.goodbye(seen())
    assert world.titles(KEPT_AFTER_GOODBYE) == []


def test_rooms_are_sorted_by_title_and_then_by_id():
    world = World({at(n): answered(n, title) for n, title in [(1, "b"), (2, "C"), (3, "a"), (4, "B")]})
    for number in (4, 2, 3, 1):
        world.see(seen(number))
    assert [(listing.title, int(listing.room_id, 16)) for listing in world.after(0)] == [
        ("a", 3),
        ("b", 1),
        ("B", 4),
        ("C", 2),
    ]


def test_addresses_that_must_not_be_dialled_are_not_probed():
    world = World()
    world.see(seen(1, Endpoint("127.0.0.1", 6379), Endpoint("8.8.8.8", 47474), at(1, port=22)))
    assert world.after(10) == () and world.probed == []


def test_only_some_addresses_of_one_sighting_are_probed():
    world = World()
    world.see(seen(1, *(at(n) for n in range(1, 30))))
    world.after(0)
    assert len(world.probed) == MAX_ENDPOINTS


def test_one_machine_does_not_fill_the_list():
    world = World({at(1, 5000 + n): answered(n) for n in range(20)})
    for number in range(20):
        world.see(seen(number, at(1, 5000 + number)))
        world.after(0)
    assert len(world.after(0)) == MAX_OF_ONE_MACHINE


def test_a_flood_does_not_push_out_rooms_that_answer():
    world = World({at(1): answered()})
    world.see(seen())
    world.after(0)
    for number in range(1000):
        world.see(seen(1000 + number, Endpoint(f"10.0.{2 + number // 250}.{1 + number % 250}")))
    listings = world.after(30)
    assert len(listings) <= MAX_ROOMS
    assert "Room A" in [listing.title for listing in listings]


def test_a_full_list_makes_space_by_dropping_what_fails():
    world = World({at(200): answered(200)})
    for number in range(1, MAX_ROOMS + 1):
        world.see(seen(number))
    world.see(seen(200))
    assert "Room A" not in world.titles(2)  # nobody knows yet who of the others fails
    world.see(seen(200))
    assert "Room A" in world.titles(2)


def test_the_number_of_probes_in_a_second_is_limited():
    world = World()
    for number in range(1, 60):
        world.see(seen(number, at(number), at(number, 5000), at(number, 5001)))
    world.after(0.9)
    assert len(world.probed) == MAX_PROBES_A_SECOND


def test_an_address_is_probed_by_one_thread_at_a_time():
    world = World()
    world.see(seen())
    assert world.directory.due(world.now, 10) == [at(1)]
    assert world.directory.due(world.now + 60, 10) == []
    world.directory.probed(at(1), Silent(), world.now + 60)
    assert world.directory.due(world.now + 120, 10) == [at(1)]


def test_addresses_that_keep_failing_wait_behind_new_ones():
    world = World()
    world.see(seen(1))
    world.after(20)
    world.now += 100
    world.see(seen(2))
    assert world.directory.due(world.now, at_most=1) == [at(2)]


def test_an_answer_that_comes_after_the_room_is_forgotten_is_ignored():
    world = World()
    world.see(seen())
    world.directory.due(world.now, 10)
    world.goodbye(seen())
    assert world.after(10) == ()
    world.directory.probed(at(1), answered(), world.now)
    assert world.after(10) == ()


def test_a_changed_record_replaces_the_one_before():
    world = World({at(1): answered(1), at(2): answered(1)})
    world.see(seen(1, name="x"))
    world.after(0)
    world.see(seen(1, at(2), name="x"))
    [listing] = world.after(0)
    assert listing.endpoints == (at(2),)


def a_guess(number: int, *, joined: bool = False, host: str = "") -> Sighting:
    where = Endpoint(host) if host else at(number)
    return Sighting("recent", str(where), "", "hint", "", (where,), machine=where.host, joined=joined)


def test_any_room_that_answers_at_a_recent_address_is_listed():
    world = World({at(1): answered(7, "Room G")})
    world.see(a_guess(1))
    [listing] = world.after(1)
    assert (listing.room_id, listing.title, listing.via, listing.state) == (
        room_id(7),
        "Room G",
        ("recent",),
        "answering",
    )
    world.see(seen(7, at(1)))
    assert [listing.via for listing in world.after(1)] == [("mdns", "recent")]


def test_a_recent_address_that_does_not_answer_is_not_listed():
    world = World({at(2): ConnectionRefused(), at(3): NotARoom()})
    for number in (1, 2, 3):
        world.see(a_guess(number))
    assert world.after(10) == ()


def test_a_room_at_a_recent_address_that_stops_answering_is_silent():
    world = World({at(1): answered(7)})
    world.see(a_guess(1))
    world.after(1)
    world.found[at(1)] = Silent()
    assert [listing.state for listing in world.after(10)] == ["silent"]


def test_guesses_do_not_hold_up_rooms_that_are_announced():
    directory = Directory((LAN,))
    for number in range(1, 31):
        directory.see(a_guess(number), 0)
    guessed = directory.due(0, at_most=16)
    assert len(guessed) == MAX_GUESSES_AT_ONCE
    directory.see(seen(99), 0.1)
    assert directory.due(0.1, at_most=8) == [at(99)]
    directory.probed(guessed[0], Silent(), 2)
    assert len(directory.due(2, at_most=8)) == 1


def test_a_room_that_was_joined_may_be_behind_a_router():
    world = World({Endpoint("10.9.9.9"): answered(7)})
    world.see(a_guess(1, host="10.9.9.9"))
    assert world.after(1) == ()
    world.see(a_guess(1, host="10.9.9.9", joined=True))
    assert [listing.room_id for listing in world.after(1)] == [room_id(7)]


def test_another_network_is_searched_as_soon_as_we_are_on_it():
    there = Sighting("announce", "x", room_id(7), "", "", (Endpoint("192.168.7.7"),), machine="192.168.7.7")
    world = World({Endpoint("192.168.7.7"): answered(7)})
    world.see(there)
    assert world.after(1) == ()
    world.directory.set_addresses((Address("wlan0", "192.168.7.1", 24),))
    world.see(there)
    assert [listing.room_id for listing in world.after(1)] == [room_id(7)]


def test_an_address_that_is_valid_on_this_machine_alone_comes_last():
    scoped = Endpoint("fe80::7%eth0")
    world = World({scoped: answered(1), at(1): answered(1)})
    world.see(seen(1, scoped, name="first"))
    world.after(1)
    world.see(seen(1, at(1), name="second"))
    assert [listing.endpoints for listing in world.after(1)] == [(at(1), scoped)]


def test_a_link_local_address_that_answers_first_waits_for_a_better_one():
    scoped = Endpoint("fe80::7%eth0")
    world = World({scoped: answered(), at(1): answered()})
    world.directory.set_addresses((LAN, Address("eth0", "fe80::1%eth0", 64)))
    world.see(seen(1, scoped, via="announce"))
    assert world.after(BETTER_ADDRESS_WAIT / 2) == ()
    world.see(seen(1, at(1)))
    [room] = world.after(0.02)
    assert room.endpoints == (at(1), scoped)


def test_a_link_local_address_alone_is_better_than_none():
    scoped = Endpoint("fe80::7%eth0")
    world = World({scoped: answered()})
    world.directory.set_addresses((LAN, Address("eth0", "fe80::1%eth0", 64)))
    world.see(seen(1, scoped))
    assert world.after(BETTER_ADDRESS_WAIT / 2) == ()
    [room] = world.after(BETTER_ADDRESS_WAIT)
    assert room.endpoints == (scoped,)


def test_a_room_that_moves_to_another_computer_is_one_row_all_the_time():
    """The key of a row is that of the room's owner, whoever hosts the room."""
    world = World({at(1): answered()})
    world.see(seen())
    assert world.titles() == ["Room A"]
    world.found[at(2)] = answered()
    world.see(seen(1, at(2), name="the record of the next host"))
    assert world.titles(after=0.2) == ["Room A"], "while both answer"
    world.found[at(1)] = ConnectionRefused()
    assert all(world.titles(after=0.5) == ["Room A"] for _ in range(100))
    [row] = world.after(0)
    assert row.endpoints == (at(2),)
