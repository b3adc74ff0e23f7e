"""B1: somebody answers in the place of a host we know: with its id, its title, its address, but never with its key."""

from collections.abc import Callable
from io import StringIO

import msgspec
import pytest

import lanchat
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.client.events import Connected, Disconnected
from lanchat.errors import ConnectionLost, HostKeyChanged
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Card, Said, Told
from lanchat.storage.home import home_folder
from lanchat.storage.rooms import JOINED
from lanchat.terminal.history import show_history
from tests.hostile.attackers import ROOM, Caller, card, let_in
from tests.hostile.siege import HURRY
from tests.support.people import Listener, lose
from tests.support.waiting import PATIENCE, wait_until

# ---- on the way back


def another_version(room: str) -> Card:
    return msgspec.structs.replace(card(room=room), v=0)


POSES: dict[str, Callable[[str], Card | bytes]] = {
    "the same room": lambda room: card(room=room),
    "another room": lambda room: card(),
    "a room with a password": lambda room: card(room=room, password=True),
    "another version": another_version,
    "no lanchat": lambda room: b"HTTP/1.1 200 OK\n",
}


@pytest.mark.parametrize("pose", POSES)
def test_a_twin_at_the_hosts_address_ends_no_conversation(host, evil_host, victim, pose):
    """The host is away for a moment: a restart, the Wi-Fi. Nothing of ours is said to whoever answers meanwhile."""
    room = host("Room B", nick="hal")
    vera = victim(room.port, patience=None)
    vera.join()
    honest = Listener(vera)
    honest.round_trip("before")
    id, port = room.room_id, room.port
    lose(room)
    mallory = evil_host(lambda caller: (caller.establish(), caller.send(POSES[pose](id))), port=port)
    vera.outgoing.say("for the host alone")
    wait_until(lambda: len(mallory.callers) >= 2)
    mallory.close()
    host("Room B", nick="hal", room_id=id, port=port)
    honest.hear_text("for the host alone")
    honest.hear_kind(Connected, again=True)
    assert {caller.plain for caller in mallory.callers} == {b""}
    if pose in ("the same room", "another room"):
        honest.hear(lambda: [item for item in honest.items if isinstance(item, Disconnected) and "key" in item.reason])


def test_a_twin_is_the_error_only_when_patience_is_over(host, evil_host, victim):
    room = host("Room B", nick="hal")
    there = [room.port]
    vera = victim(lambda: there[-1], patience=0.3)
    vera.join()
    mallory = evil_host(lambda caller: (caller.establish(), caller.send(card(room=room.room_id))))
    there.append(mallory.port)  # vera asks only a few times, so the twin is there before the host is gone
    lose(room)
    end = Listener(vera).end()
    assert isinstance(end, HostKeyChanged) and end.exit_code == 5
    assert len(mallory.callers) > 1, "it was asked again"


def test_another_room_of_the_host_in_its_place_is_not_entered(host, victim):
    """It may be the address alone that leads there: another port of the same machine, say."""
    room = host("Room B", nick="hal")
    there = [room.port]
    vera = victim(lambda: there[-1], patience=0.3)
    vera.join()
    other = host("Room C", nick="hal")
    there.append(other.port)
    lose(room)
    honest = Listener(vera)
    end = honest.end()
    assert isinstance(end, ConnectionLost) and 'another room there now ("Room C")' in str(end)
    assert any(isinstance(item, Disconnected) and "Room C" in item.reason for item in honest.items)
    assert other.people == 0


# ---- a room that we host ourselves


def enter(port: int) -> lanchat.JoinedRoom:
    return join_target(Target((Endpoint("127.0.0.1", port),)), "vera", patience=0, timing=HURRY)


def test_a_host_takes_the_id_of_a_room_that_we_host(evil_host, identity, own_world):
    """It stands on our card. What that host says must not get into our history, nor our title out of it."""
    with lanchat.host("Board", nick="vera", port=0, announce=False) as room:
        room.say("we meet at nine", wait=PATIENCE)
        id, me = room.card.room, room.state.me

    def pose(caller: Caller) -> None:
        lies = (
            Said(2**52, 0, "a" * 32, "ann", "1", "we meet at ten"),
            Told("2", 0, "a" * 32, "ann", me, "vera", text="psst"),
        )
        let_in(caller, *lies, room=id, title="Free pizza")

    mallory = evil_host(pose)
    with pytest.raises(HostKeyChanged, match="claims to be a room that you host"), enter(mallory.port):
        pass
    assert mallory.callers[0].plain == b"" and not (home_folder() / JOINED).exists()
    for name in ("Board", id):
        out = StringIO()
        show_history(home_folder(), name, search="", since=0, number=None, as_json=False, out=out, talk=StringIO())
        assert "we meet at nine" in out.getvalue() and "ten" not in out.getvalue() and "psst" not in out.getvalue()


def test_a_room_with_the_title_of_ours_does_not_hide_our_history(evil_host, own_world):
    with lanchat.host("Board", nick="vera", port=0, announce=False) as room:
        room.say("we meet at nine", wait=PATIENCE)
    mallory = evil_host(
        lambda caller: let_in(caller, Said(1, 0, "a" * 32, "ann", "1", "we meet at ten"), title="Board")
    )
    with enter(mallory.port) as joined:
        assert joined.wait_for(lambda said: True, 10).text == "we meet at ten"
    out, talk = StringIO(), StringIO()
    show_history(home_folder(), "Board", search="", since=0, number=None, as_json=False, out=out, talk=talk)
    assert "nine" in out.getvalue() and "ten" not in out.getvalue()
    assert "one that you host" in talk.getvalue() and ROOM in talk.getvalue()


def test_another_key_does_not_take_over_a_room_that_is_hosted_here_even_if_it_was_remembered(own_world, evil_host):
    """A home may hold such a line from before it was refused."""
    with lanchat.host("Board", nick="vera", port=0, announce=False) as room:
        id = room.card.room
    mallory = evil_host(lambda caller: let_in(caller, room=id))
    (own_world / "known_hosts").write_text(f"{id} {'a' * 64} Free pizza\n")
    with pytest.raises(HostKeyChanged, match="you host"), enter(mallory.port):
        pass
