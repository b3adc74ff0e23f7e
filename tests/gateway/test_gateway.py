"""The gateway, with an IRC client on loopback, and rooms that others host."""

import errno
import os
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lanchat.client.events import PrivateMessage
from lanchat.errors import LanchatError
from lanchat.gateway.client import Client
from lanchat.gateway.commands import ATTEMPTS, Commands
from lanchat.gateway.listener import Gateway
from lanchat.gateway.network import Network
from lanchat.gateway.password import gateway_password
from lanchat.network.addresses import where
from lanchat.protocol.ids import is_verified
from lanchat.protocol.irc.line import Line
from lanchat.protocol.messages import Joined, Left, Renamed
from lanchat.protocol.status import Status
from lanchat.protocol.timing import Timing
from tests.gateway.serving import PASSWORD, entered
from tests.support.irc import IrcClient, parsed
from tests.support.people import Listener
from tests.support.waiting import wait_until


def test_rooms_are_listed_and_entered_with_the_persons_own_key(gateway, seen, come, host, join):
    seen.rooms = [host("Room A"), host("Room B", password="the-room-itself")]
    ann = Listener(join(seen.rooms[0], "ann"))
    ann.round_trip("good morning")
    wee = come()
    wee.until("422")
    rows = [parsed(line).parameters[1:] for line in wee.answers("LIST")[1:-1]]
    assert rows == [
        ("#room-a", "1", "Room A, hosted by hal"),
        ("#room-b", "0", "Room B, hosted by hal, with a password"),
    ]
    lines = entered(wee, "#Room-A")
    assert [parsed(line).command for line in lines] == ["JOIN", "332", "353", "366"]
    assert parsed(lines[2]).parameters[3] in ("+ann +wee", "+wee +ann")
    assert parsed(wee.next("PRIVMSG")).parameters[1].endswith("] good morning")
    ann.hear_kind(Joined, nick="wee")
    assert is_verified(next(item.by for item in ann.items if isinstance(item, Joined) and item.nick == "wee"))
    wee.send("PRIVMSG #room-a :hello", "PRIVMSG #room-a :\x01ACTION waves\x01")
    ann.hear_text("hello")
    assert ann.hear_text("waves").action
    ann.member.outgoing.say("welcome")
    assert parsed(wee.next("PRIVMSG")).parameters == ("#room-a", "welcome")  # its own did not come back


def test_several_rooms_at_once_and_one_nick_for_all(gateway, seen, come, host, join):
    seen.rooms = [host("Room A"), host("Room A")]
    people = [Listener(join(room, nick)) for room, nick in zip(seen.rooms, ("ann", "bob"), strict=True)]
    wee = come()
    wee.until("422")
    second = f"#room-a-{seen.rooms[1].room_id[:4]}"
    entered(wee, "#room-a")
    entered(wee, second)
    wee.send(f"PRIVMSG {second} :to the second", "NICK woo")
    people[1].hear_text("to the second")
    for one in people:
        one.hear_kind(Renamed, nick="wee", to="woo")
    people[0].member.outgoing.say("one")
    assert parsed(wee.next("PRIVMSG")).parameters == ("#room-a", "one")
    people[1].member.outgoing.say("two")
    assert parsed(wee.next("PRIVMSG")).parameters == (second, "two")
    assert wee.numbers(f"PART {second} :enough", f"PRIVMSG {second} :x") == ["PART", "404"]
    people[1].hear_kind(Left, nick="woo")


def test_a_locked_room_wants_its_password_as_the_key_of_the_channel(gateway, seen, come, host):
    seen.rooms = [host("Room A", password="the-room-itself")]
    wee = come()
    wee.until("422")
    assert wee.numbers("JOIN #room-a") == ["475"]
    wee.send("JOIN #room-a wrong-password")
    assert "password" in parsed(wee.next("475")).parameters[2]
    entered(wee, "#room-a", "the-room-itself")
    assert seen.rooms[0].people == 1


def test_private_messages_are_sealed(gateway, seen, come, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    wee.send("PRIVMSG ann :psst")
    ann.hear(lambda: any(isinstance(item, PrivateMessage) and item.text == "psst" for item in ann.items))
    told = next(item for item in ann.items if isinstance(item, PrivateMessage))
    assert is_verified(told.by) and not told.problem
    people = {joined.by: joined for joined in ann.items if isinstance(joined, Joined)}
    ann.member.outgoing.tell("wee", "yes?", to=told.by, key=people[told.by].key)
    assert parsed(wee.next("PRIVMSG")).parameters == ("wee", "yes?")
    assert wee.numbers("PRIVMSG nobody :x", "NOTICE nobody :x") == ["401"]


def test_a_taken_nick_gives_way_to_the_free_one_and_the_client_is_told(gateway, seen, come, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "wee"))
    wee = come()
    wee.until("422")
    wee.send("JOIN #room-a")
    assert "Here you are wee" in parsed(wee.next("NOTICE")).parameters[1]
    wee.send("PRIVMSG #room-a :hello")
    assert ann.hear_text("hello").nick.startswith("wee")


def test_a_room_that_closes_is_waited_for_and_said_so(gateway, seen, come, host, join):
    room = host("Room A")
    seen.rooms = [room]
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    room.close("The host has closed the room.")
    line = parsed(wee.line())
    assert line.command in ("NOTICE", "PART") and line.parameters[0] == "#room-a"


def test_without_the_password_nobody_comes_in(gateway, come):
    for password in ("", "wrong", "\u0436"):
        eve = come("eve", password=password)
        assert parsed(eve.next("464")).parameters[1].startswith("The password is wrong. lanchat irc shows")
        assert b"ERROR" in eve.end()


def test_who_guesses_the_password_waits_and_keeps_the_person_out_for_a_moment_only():
    welcomed: list[Client] = []
    network: Any = SimpleNamespace(welcome=welcomed.append)
    commands = Commands(network, PASSWORD, 0.0)

    def told(password: str, now: float) -> bytes:
        lines: list[bytes] = []
        link: Any = SimpleNamespace(send=lines.append, finish=lines.append, within=lambda deadline: None)
        client = Client(link)
        for words in (("PASS", password), ("NICK", "wee"), ("USER", "wee", "0", "*", "wee")):
            commands.carry_out(client, Line(words[0], words[1:]), now)
        return b"".join(lines)

    assert all(b"The password is wrong." in told("wrong", 0.0) for _ in range(ATTEMPTS))
    assert all(b"Too many wrong passwords. Try again in 6 s." in told("wrong", 0.0) for _ in range(1000))
    assert b"Too many" in told(PASSWORD, 5.9) and not welcomed  # else a guess would cost nothing
    assert b" 001 " in told(PASSWORD, 6.1) and len(welcomed) == 1


def test_a_client_that_comes_after_an_error_of_the_system_is_served(gateway, come):
    """While this process has no file descriptor left nobody can be taken; the thread that takes them ended then."""
    listening: socket.socket = gateway._socket

    class Exhausted:
        """The listening socket, which once fails to take a connection."""

        failed = False

        def accept(self) -> tuple[socket.socket, Any]:
            if not self.failed:
                self.failed = True
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return listening.accept()

        def __getattr__(self, name: str) -> Any:
            return getattr(listening, name)

    gateway._socket = Exhausted()
    come("wee").until("422")  # taken by the `accept` that was under way, or by the one after the error
    come("woo").until("422")
    wait_until(lambda: gateway._socket.failed, what="the error")


def test_who_is_away_is_so_in_a_room_that_is_entered_later(gateway, seen, come, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    wee = come()
    wee.until("422")
    wee.send("AWAY :lunch")
    entered(wee, "#room-a")
    ann.hear_kind(Status, nick="wee", away="lunch")


def test_a_person_may_speak_of_http(gateway, seen, come, host, join):
    """Only before a client has registered such a line is that of a web page, see below."""
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    wee.send("PRIVMSG #room-a :it answers HTTP/1.1 421 here")
    ann.hear_text("it answers HTTP/1.1 421 here")


def test_a_new_client_takes_the_place_of_the_old_one_and_is_in_its_rooms(gateway, seen, come, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    first = come()
    first.until("422")
    entered(first, "#room-a")
    ann.round_trip("for both")
    second = come(capabilities="server-time batch")
    assert first.end().endswith(b"ERROR :Another client has come in your place\r\n")
    second.until("366")
    assert parsed(second.next("PRIVMSG")).parameters == ("#room-a", "for both")
    second.close()
    ann.round_trip("nobody reads")
    third = come()
    assert parsed(third.next("PRIVMSG")).parameters[0] == "#room-a"


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("NAMES #room-a", ["353", "366"]),
        ("NAMES #other", ["442"]),
        ("WHO #room-a", ["352", "315"]),
        ("WHO #room-a %tcnuhraf,42", ["354", "315"]),
        ("WHO nobody", ["315"]),
        ("WHOIS wee", ["311", "319", "312", "330", "318"]),
        ("WHOIS", ["401", "318"]),
        ("MODE #room-a", ["324"]),
        ("MODE #room-a b", ["368"]),
        ("MODE wee", ["221"]),
        ("TOPIC #room-a", ["332"]),
        ("TOPIC #room-a :mine", ["482"]),
        ("AWAY :lunch", ["306"]),
        ("AWAY", ["305"]),
        ("JOIN", ["461"]),
        ("JOIN #other", ["403"]),
        ("JOIN #room-a", []),
        ("JOIN 0", ["PART"]),
        ("PART #other", ["442"]),
        ("NICK a[b]", ["432"]),
        ("CAP LIST", ["CAP"]),
        ("CAP NONSENSE", ["410"]),
        ("USER a b c d", ["462"]),
        ("PRIVMSG #other :x", ["404"]),
        ("PRIVMSG #room-a :\x01VERSION\x01", []),
        ("PING " + "x" * 600, ["417"]),
        ("NONSENSE", ["421"]),
    ],
)
def test_what_the_client_asks_is_answered(gateway, seen, come, host, line, numbers):
    seen.rooms = [host("Room A")]
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    assert wee.numbers(line) == numbers


def test_who_has_registered_may_be_silent_and_who_has_not_is_sent_away(seen):
    finder: Any = seen
    gateway = Gateway(Network(finder, where(("127.0.0.1",))), PASSWORD, 0, Timing(sweep=0.05))
    running = threading.Thread(target=gateway.run, name="test-gateway")
    running.start()
    try:
        wee = IrcClient(gateway.port, password=PASSWORD)
        wee.send("NICK wee", "USER wee 0 * :wee")
        wee.until("422")
        gateway._timing = Timing(sweep=0.05, name=0.1)  # for those who come from now on
        late = IrcClient(gateway.port)
        assert late.end() == b""
        assert wee.numbers("LIST") == ["321", "323"]
        wee.close()
        late.close()
    finally:
        gateway.close()
        running.join()


def test_a_web_page_reaches_nothing(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port)) as page:
        page.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nPASS kelp-oven-drama\r\nNICK x\r\nUSER x 0 * :x\r\n")
        assert page.recv(100) == b""


def test_a_taken_port_is_an_error_for_a_person(gateway):
    network: Any = SimpleNamespace()
    with pytest.raises(LanchatError, match="cannot be used"):
        Gateway(network, PASSWORD, gateway.port)


def test_the_password_is_made_once_and_nobody_else_can_read_it(tmp_path: Path):
    home = tmp_path / "home"
    first = gateway_password(home)
    assert len(first.split("-")) == 3 and gateway_password(home) == first
    assert (home / "irc-password").stat().st_mode & 0o777 == 0o600


def test_the_gateway_leaves_its_rooms_when_it_ends(gateway, seen, come, host):
    room = host("Room A")
    seen.rooms = [room]
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    gateway.close()
    assert b"ERROR :The gateway has ended" in wee.end()
    wait_until(lambda: room.people == 0)
