"""The doors for people without lanchat find their place when a room moves."""

from typing import Any

import pytest

from lanchat.api.doors import Doors, Wishes
from lanchat.protocol.places import Rules
from lanchat.server.host import Host
from lanchat.storage.rooms import rooms_called
from tests.support.addresses import quiet_port
from tests.support.irc import IrcClient
from tests.support.moving import Person, Stage, ask, hosts, moves
from tests.support.people import PlainClient
from tests.support.waiting import wait_until


def host_of(person: Person) -> Host:
    room: Any = person.room
    host: Host = room._standby.hosting.host
    return host


def ports(person: Person) -> dict[str, int]:
    return {name: port for name, port in host_of(person).ports.items() if name != "native"}


def with_backup(stage: Stage, **options: Any) -> tuple[Person, Person]:
    """ann hosts, and bob's computer has everything, the newest rules included."""
    ann, bob = stage.host(**options), stage.join("bob")
    wait_until(lambda: stage.sync(ann) > 0, what="a sync standby")
    return ann, bob


def test_guests_read_where_to_go_on_and_find_the_same_doors_there(stage):
    ann, bob = with_backup(stage, plain_port=0, irc_port=0)
    netcat, irc = PlainClient(ports(ann)["plain"]), IrcClient(ports(ann)["irc"], "wee")
    netcat.come_in("nat")
    ann.room.close()
    hosts(bob)
    there = ports(bob)  # others than at ann's, because both computers are one here
    assert there.keys() == {"plain", "irc"}
    assert f"* Go on there: nc 127.0.0.1 {there['plain']}\n".encode() in netcat.rest()
    assert irc.next("010").split(" ", 2)[2] == (
        f"wee 127.0.0.1 {there['irc']} :Go on at 127.0.0.1, port {there['irc']}."
    )
    error = irc.next("ERROR")
    assert "ann has handed the room to bob." in error and f"port {there['irc']}" in error
    again, wee = PlainClient(there["plain"]), IrcClient(there["irc"], "wee")
    again.come_in("nat")
    wee.send("PRIVMSG #room-a :found it")
    again.until(b"wee: found it\n")
    for client in (netcat, irc, again, wee):
        client.socket.close()


def test_who_hosts_next_reads_at_which_ports_guests_come_in(stage):
    ann = stage.host(plain_port=0)
    told: list[str] = []
    bob = stage.join("bob", on_problem=told.append)
    wait_until(lambda: stage.sync(ann) > 0, what="a sync standby")
    ann.room.close()
    hosts(bob)
    port = ports(bob)["plain"]
    assert f"While the room is hosted here, guests with netcat come in on port {port}." in told


def test_irc_clients_are_not_let_in_without_the_password_that_the_owner_wants(stage):
    ann, bob = with_backup(stage, irc_tls_port=0, irc_password="only ann's computer has this")
    ann.room.close()
    hosts(bob)
    assert ports(bob) == {}


def test_the_owner_takes_the_room_back_with_the_doors_that_were_asked_for(stage, tmp_path):
    ann, bob = with_backup(stage, plain_port=0)
    ann.room.close()
    hosts(bob)
    irc = quiet_port()
    wishes = Wishes(Doors(irc_port=irc, web=True, web_port=0), keep="30d", people=300)
    again = stage.join("ann", port=host_of(bob).port, wishes=wishes)
    wait_until(lambda: stage.sync(bob) == 0, what="ann's copy to be complete")
    ask(again, "takeback", until=lambda: again.room.hosting)
    hosts(again)
    assert ports(again).keys() == {"plain", "irc", "web"} and ports(again)["irc"] == irc
    rules = host_of(again).rules.rules
    assert (rules.keep, rules.people, rules.irc, rules.web) == ("30d", 300, irc, True)
    assert rooms_called(tmp_path / "ann", "Room A")[0].keep == "30d", "the next time as well"


def test_a_room_that_goes_away_and_comes_back_has_the_doors_with_which_it_was_opened(stage):
    port = quiet_port()
    ann, bob = with_backup(stage, plain_port=port, irc_tls_port=0, irc_password="only ann's computer has this")
    ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
    assert ports(bob).keys() == {"plain"}
    bob.hear(lambda: moves(bob) == ["bob"] and bob.room.connected, "bob to host")
    wait_until(lambda: stage.sync(bob) == 0, what="ann's copy to be complete")
    ask(ann, "takeback", until=lambda: ann.room.hosting and not bob.room.hosting)
    assert ports(ann).keys() == {"plain", "irc-tls"} and ports(ann)["plain"] == port


@pytest.mark.parametrize("wishes", [Wishes(), Wishes(Doors(web=False), announce=True)])
def test_who_asks_for_nothing_leaves_the_rules_as_they_are(wishes):
    rules = Rules(keep="30d", files=5, people=300, hidden=True, web=True)
    assert wishes.applied(rules) == rules


def test_what_was_asked_for_counts():
    wishes = Wishes(Doors(web_port=0), keep="", files=0, people=400, announce=False)
    assert wishes.applied(Rules(keep="30d", files=5)) == Rules(files=0, people=400, hidden=True, web=True)
