from lanchat.discovery.sighting import Listing, State
from lanchat.doctor.nodes import NodeTable
from lanchat.doctor.report import Node
from lanchat.protocol.address import Endpoint

OURS, ANN, ANN_TOO, BOB = "192.168.1.2", "192.168.1.7", "10.0.0.7", "192.168.1.8"


def listing(title: str, *hosts: str, via: tuple[str, ...] = ("mdns",), state: State = "answering") -> Listing:
    return Listing("0" * 32, title, "hal", 1, False, tuple(Endpoint(host) for host in hosts), via, state)


def table() -> NodeTable:
    return NodeTable({OURS})


def test_a_machine_with_two_addresses_is_known_by_its_first():
    nodes = table()
    nodes.add_listing(listing("Room A", ANN, ANN_TOO))
    nodes.add_listing(listing("Room B", ANN_TOO, via=("announce",)))
    assert nodes.nodes() == [
        Node(ANN, f"{ANN}:47474", ("Room A", "Room B"), ("announce", "mdns"), reached=True),
    ]


def test_an_answer_over_udp_is_added_to_the_machine_it_comes_from():
    nodes = table()
    nodes.add_listing(listing("Room A", ANN, ANN_TOO))
    nodes.add_answer(ANN_TOO, {"multicast", "broadcast"}, {"Room A"})
    nodes.add_answer(ANN, {"multicast"}, {"Room A"})
    assert nodes.nodes() == [
        Node(ANN, f"{ANN}:47474", ("Room A",), ("announce", "mdns"), ("broadcast", "multicast"), reached=True)
    ]


def test_a_machine_may_be_known_by_its_answers_alone():
    nodes = table()
    nodes.add_answer(BOB, {"multicast"}, {"Room B", "Room A"})
    assert nodes.nodes() == [Node(BOB, BOB, ("Room A", "Room B"), ("announce",), ("multicast",))]


def test_a_room_that_was_tried_adds_only_a_machine_that_is_not_known():
    nodes = table()
    nodes.add_listing(listing("Room A", ANN, ANN_TOO, state="silent"))
    nodes.add_room(ANN_TOO, f"{ANN_TOO}:5000", "Room A", "typed")
    nodes.add_room(BOB, "bob.lan:5000", "Room B", "typed")
    assert nodes.nodes() == [
        Node(ANN, f"{ANN}:47474", ("Room A",), ("mdns",)),
        Node(BOB, "bob.lan:5000", ("Room B",), ("typed",), reached=True),
    ]


def test_a_machine_is_reached_if_one_of_its_rooms_answers():
    nodes = table()
    nodes.add_listing(listing("Room A", ANN, state="answering"))
    nodes.add_listing(listing("Room B", ANN, state="silent"))
    assert [node.reached for node in nodes.nodes()] == [True]


def test_this_machine_is_left_out():
    nodes = table()
    nodes.add_listing(listing("Mine", OURS))
    nodes.add_answer(OURS, {"multicast"}, {"Mine"})
    nodes.add_room(OURS, f"{OURS}:47474", "Mine", "typed")
    assert nodes.nodes() == []


def test_a_room_at_our_address_and_another_one_is_known_by_the_other():
    nodes = table()
    nodes.add_listing(listing("Room A", OURS, ANN))
    assert [(node.address, node.at) for node in nodes.nodes()] == [(ANN, f"{ANN}:47474")]
