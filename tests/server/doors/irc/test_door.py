"""The IRC door of a host, with clients that speak it on loopback, and members beside them."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from types import SimpleNamespace
from typing import Any

import pytest

from lanchat.client.events import PrivateMessage
from lanchat.network.link import Link
from lanchat.protocol.irc.line import Line
from lanchat.protocol.irc.names import names_of
from lanchat.protocol.limits import DEFAULT_LIMITS, NO_LIMITS
from lanchat.protocol.messages import Joined, Left, Renamed, Said
from lanchat.protocol.timing import Timing
from lanchat.room.members import Member, Members
from lanchat.room.room import Room
from lanchat.server.admission import Admission
from lanchat.server.doors.irc.commands import answer
from lanchat.server.doors.irc.conversation import Conversation
from lanchat.server.doors.irc.people import People
from lanchat.server.doors.irc.session import Dialects, IrcSession
from lanchat.server.host import Host
from lanchat.server.items import Answer, Asked, Item, LinkEnded
from lanchat.server.quotas import Quotas
from lanchat.storage.identity import Identity
from lanchat.storage.log import NoLog
from tests.support.hub import HubStage, RecordingLink
from tests.support.irc import parsed
from tests.support.links import open_links
from tests.support.people import Listener, let_pass
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def room(host) -> Host:
    opened: Host = host("Room A", irc_port=0)
    return opened


def test_a_client_registers_and_is_in_the_channel(room, join, irc):
    join(room, "ann")
    client = irc(room)
    client.send("NICK wee", "USER wee 0 * :Wee")
    lines = client.until("366")
    assert [parsed(line).command for line in lines] == [
        *(
            "001",
            "002",
            "003",
            "004",
            "005",
            "005",
            "251",
            "252",
            "254",
            "255",
            "265",
            "266",
            "375",
            "372",
            "372",
            "372",
            "376",
        ),
        *("JOIN", "332", "353", "366"),
    ]
    assert parsed(lines[-4]).source.startswith("wee!~wee@")
    assert parsed(lines[-2]).parameters == ("wee", "=", "#room-a", "+ann wee")
    assert client.numbers("JOIN #Room-A") == []  # it is in already


def test_irc_clients_and_members_talk_with_each_other(room, join, irc):
    ann = Listener(join(room, "ann"))
    wee, woo = irc(room, "wee"), irc(room, "woo")
    assert parsed(wee.next("JOIN")).source.startswith("woo!")
    wee.send("PRIVMSG #room-a :hello \x02from\x02 irc", "PRIVMSG #ROOM-A :\x01ACTION waves\x01", "NOTICE #room-a :psst")
    for text in ("hello from irc", "waves", "psst"):
        assert ann.hear_text(text).nick == "wee"
    assert ann.hear_text("waves").action
    assert ann.hear_text("hello from irc").by.startswith("~")
    assert [parsed(woo.line()).parameters[1] for _ in range(3)] == ["hello from irc", "\x01ACTION waves\x01", "psst"]
    ann.member.outgoing.say("one\n\ntwo")
    assert parsed(wee.next("PRIVMSG")).parameters == ("#room-a", "one")  # nothing of its own came before
    assert parsed(wee.next("PRIVMSG")).parameters == ("#room-a", "two")


def test_a_notice_stays_one_so_that_no_bot_answers(room, irc):
    wee, woo = irc(room, "wee"), irc(room, "woo", capabilities="message-tags")
    wee.send("NOTICE #room-a :to all", "NOTICE woo :to you", "PRIVMSG woo :to you as well")
    lines = [parsed(woo.line()) for _ in range(3)]
    assert [(line.command, *line.parameters) for line in lines] == [
        ("NOTICE", "#room-a", "to all"),
        ("NOTICE", "woo", "to you"),
        ("PRIVMSG", "woo", "to you as well"),
    ]
    assert len({line.tags["msgid"] for line in lines}) == 3


def test_a_real_name_may_be_of_any_charset(room, irc):
    client = irc(room)
    client.socket.sendall(b"NICK wee\r\nUSER wee 0 * :caf\xe9\r\n")
    client.until("366")
    assert irc(room).numbers("NICK woo", "USER wee 0 * :") == ["461"]


def test_who_asks_for_an_echo_gets_it(room, irc):
    wee = irc(room, "wee", capabilities="echo-message")
    assert [parsed(line).parameters for line in wee.answers("PRIVMSG #room-a :hello")] == [("#room-a", "hello")]


def test_a_taken_nick_is_refused_and_the_client_tries_another(room, join, irc):
    join(room, "ann")
    client = irc(room)
    client.send("NICK Ann", "USER wee 0 * :Wee")
    taken = parsed(client.line())
    assert taken.command == "433" and taken.parameters[:2] == ("*", "Ann")
    client.send("NICK wee")
    assert parsed(client.next("001")).parameters[0] == "wee"
    client.until("366")
    assert [parsed(line).command for line in client.answers("NICK ann", "NICK", "NICK a[b]", "NICK wee")] == [
        *("433", "431", "432"),
    ]


def test_of_several_nicks_sent_at_once_each_is_answered_for_itself(room, join, irc):
    join(room, "ann")
    wee = irc(room, "wee")
    answers = [parsed(line) for line in wee.answers("NICK ann", "NICK woo", "NICK Ann")]
    assert [(line.command, *line.parameters[:-1]) for line in answers] == [
        ("433", "wee", "ann"),
        ("NICK",),
        ("433", "woo", "Ann"),
    ]


def test_a_nick_is_changed_for_everybody(room, join, irc):
    ann, wee = Listener(join(room, "ann")), irc(room, "wee")
    assert [parsed(line).parameters for line in wee.answers("NICK woo")] == [("woo",)]
    ann.hear_kind(Renamed, nick="wee", to="woo")


def test_quit_and_a_lost_link_are_leaving(room, join, irc):
    ann, wee, woo = Listener(join(room, "ann")), irc(room, "wee"), irc(room, "woo")
    wee.send("QUIT :so \x02long\x02")
    assert b"ERROR :" in wee.end()
    ann.hear_kind(Left, nick="wee", code="", reason="so long")
    assert parsed(woo.next("QUIT")).parameters == ("so long",)
    woo.close()
    ann.hear_kind(Left, nick="woo", code="lost")


def test_who_parts_is_outside_until_they_come_back(room, join, irc):
    ann, wee = Listener(join(room, "ann")), irc(room, "wee")
    lines = wee.answers("PRIVMSG #room-a :last", "PART #room-a :bye", "PRIVMSG #room-a :lost", "PART #room-a")
    assert [parsed(line).command for line in lines] == ["PART", "404", "442"]
    ann.hear_text("last")
    ann.hear_kind(Left, nick="wee", code="")
    assert wee.numbers("NICK woo", "JOIN #room-a") == ["NICK", "JOIN", "332", "353", "366", "PRIVMSG"]
    ann.hear_kind(Joined, nick="woo")
    assert wee.numbers("JOIN 0") == ["PART"]
    assert "lost" not in ann.texts


def test_a_client_that_parted_is_sent_away_in_time(room, irc):
    wee = irc(room, "wee")
    wee.answers("PART #room-a")
    let_pass(room, Timing().name + 1)
    wee.end()


def test_history_comes_with_the_join(room, join, irc):
    Listener(join(room, "ann")).round_trip("good morning")
    bare = irc(room)
    bare.send("NICK wee", "USER wee 0 * :Wee")
    assert parsed(bare.next("PRIVMSG")).parameters[1].endswith("] good morning")
    tagged = irc(room)
    tagged.send("CAP REQ :server-time batch message-tags", "NICK woo", "USER wee 0 * :Wee", "CAP END")
    tagged.until("366")
    begin, line, end = tagged.line(), parsed(tagged.line()), tagged.line()
    assert begin.endswith("BATCH +past chathistory #room-a") and end.endswith("BATCH -past")
    assert line.parameters == ("#room-a", "good morning")
    assert line.tags.keys() == {"time", "msgid", "batch"}


def test_private_messages_go_both_ways(room, join, irc):
    ann, wee, woo = Listener(join(room, "ann")), irc(room, "wee"), irc(room, "woo")
    wee.send("PRIVMSG ann :psst", "PRIVMSG woo :you too")
    ann.hear(lambda: any(isinstance(item, PrivateMessage) and item.text == "psst" for item in ann.items))
    told = next(item for item in ann.items if isinstance(item, PrivateMessage))
    assert told.by.startswith("~") and told.nick == "wee" and not told.problem
    assert parsed(woo.next("PRIVMSG")).parameters == ("woo", "you too")
    ann.member.outgoing.tell("wee", "yes?", to=told.by)
    assert parsed(wee.next("PRIVMSG")).parameters == ("wee", "yes?")  # its own did not come back
    refused = parsed(wee.answers("PRIVMSG nobody :hello")[0])
    assert refused.command == "401" and refused.parameters[:2] == ("wee", "nobody")


def test_a_private_message_of_a_guest_waits_for_nobody(room, join, irc):
    ann = join(room, "ann")
    wee = irc(room, "wee")
    ann.close()
    wee.next("QUIT")
    [line] = wee.answers("PRIVMSG ann :are you there")
    assert parsed(line).command == "401" and "away" in line


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("PRIVMSG", ["411"]),
        ("PRIVMSG #room-a", ["412"]),
        ("PRIVMSG #other :x", ["403"]),
        ("PRIVMSG a,b,c,d,e :x", ["407"]),
        ("PRIVMSG #room-a :\x01VERSION\x01", []),
        ("PRIVMSG #room-a :  ", []),
        ("NOTICE nobody", []),
        ("NOTICE nobody :x", []),
        ("NOTICE #other :x", []),
        ("NAMES", ["353", "366"]),
        ("NAMES #other", ["366"]),
        ("WHO #room-a", ["352", "352", "315"]),
        ("WHO #room-a %tcnuhraf,42", ["354", "354", "315"]),
        ("WHO ann", ["352", "315"]),
        ("WHO nobody", ["315"]),
        ("WHO A?[n", ["315"]),
        ("WHO A*N", ["352", "315"]),
        ("WHOIS ann", ["311", "319", "312", "330", "318"]),
        ("WHOIS wee wee", ["311", "319", "312", "318"]),
        ("WHOIS nobody", ["401", "318"]),
        ("WHOIS", ["431"]),
        ("WHOWAS bob", ["406", "369"]),
        ("USERHOST ann wee", ["302"]),
        ("ISON ann bob", ["303"]),
        ("LIST", ["321", "322", "323"]),
        ("LIST #other", ["321", "323"]),
        ("MONITOR", ["461"]),
        ("MONITOR + ann", ["730"]),
        ("MONITOR + bob,ann,carl", ["730", "731"]),
        ("MONITOR - ann", []),
        ("MONITOR C", []),
        ("MONITOR L", ["733"]),
        ("MONITOR S", []),
        ("MARKREAD", ["FAIL"]),
        ("MARKREAD #room-a", ["MARKREAD"]),
        ("MARKREAD #room-a nonsense", ["FAIL"]),
        ("CHATHISTORY", ["FAIL"]),
        ("MODE #room-a", ["324", "329"]),
        ("MODE #room-a b", ["368"]),
        ("MODE #room-a +b", ["368"]),
        ("MODE #room-a +o wee", ["482"]),
        ("MODE #other", ["403"]),
        ("MODE wee", ["221"]),
        ("MODE wee +i", []),
        ("MODE ann +i", ["502"]),
        ("MODE bob", ["401"]),
        ("MODE", ["461"]),
        ("TOPIC #room-a", ["332"]),
        ("TOPIC #room-a :mine", ["482"]),
        ("KICK #room-a ann", ["482"]),
        ("INVITE ann #room-a", ["443"]),
        ("OPER a b", ["491"]),
        ("KILL ann :x", ["481"]),
        ("WALLOPS x", ["481"]),
        ("AWAY :lunch", ["306"]),
        ("AWAY", ["305"]),
        ("MOTD", ["375", "372", "372", "372", "376"]),
        ("LUSERS", ["251", "252", "254", "255", "265", "266"]),
        ("VERSION", ["351"]),
        ("TIME", ["391"]),
        ("INFO", ["371", "374"]),
        ("USER a b c d", ["462"]),
        ("PASS secret", ["462"]),
        ("PING", ["461"]),
        ("PING :", ["461"]),
        ("PONG x", []),
        ("JOIN #other", ["403"]),
        ("JOIN", ["461"]),
        ("PART #other", ["403"]),
        ("CAP NONSENSE", ["410"]),
        ("CAP REQ nonsense", ["CAP"]),
        ("NONSENSE", ["421"]),
        ("@+typing=active TAGMSG #room-a", []),
        ("", []),
        ("PING " + "x" * 600, ["417"]),
    ],
)
def test_what_clients_ask_is_answered(room, join, irc, line, numbers):
    join(room, "ann")
    wee = irc(room, "wee")
    assert wee.numbers(line) == numbers


def test_who_asks_for_certain_fields_gets_them_in_order(room, irc):
    wee = irc(room, "wee")
    row, _ = wee.answers("WHO #room-a %tnuhaf,42")
    parameters = parsed(row).parameters
    assert parameters[:3] == ("wee", "42", "~user") and parameters[4:] == ("wee", "H", "0")


@pytest.mark.parametrize("line", ["JOIN :", "WHOIS wee", "PRIVMSG #room-a :x", "MODE #room-a"])
def test_before_registration_nothing_else_works(room, irc, line):
    client = irc(room)
    assert client.numbers(line) == ["451"]


def test_capabilities_change_in_the_room(room, irc):
    wee = irc(room, "wee")
    assert wee.numbers("CAP REQ :echo-message server-time", "PRIVMSG #room-a :x") == ["CAP", "PRIVMSG"]
    [_, line] = wee.answers("CAP REQ :multi-prefix", "PRIVMSG #room-a :y")
    assert "time" in parsed(line).tags


def test_text_that_is_not_utf_8_is_refused_and_the_client_stays(room, irc):
    wee = irc(room, "wee")
    wee.socket.sendall(b"PRIVMSG #room-a :caf\xe9\r\n")
    assert parsed(wee.next("FAIL")).parameters[:2] == ("*", "INVALID_UTF8")
    assert wee.numbers("NAMES") == ["353", "366"]


def test_a_silent_client_is_pinged_and_then_dropped(host, irc):
    room = host(irc_port=0)
    wee = irc(room, "wee")
    wee.answers("WHO wee")  # the client is in for its reader too
    let_pass(room, Timing().irc_ping_after + 1)
    assert parsed(wee.next("PING")).parameters
    let_pass(room, Timing().irc_dead_after + 1)
    wee.end()
    wait_until(lambda: room.people == 0)


def test_who_does_not_register_is_sent_away(room, irc):
    client = irc(room)
    assert client.answers("NICK wee") == []
    let_pass(room, Timing().name - 1)
    assert client.answers("NICK woo") == []
    let_pass(room, Timing().name + 1)
    assert client.end() == b""


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: lan\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: lan\r\n\r\nNICK wee\r\nUSER wee 0 * :wee\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
        b"x" * 20_000,
    ],
)
def test_other_protocols_are_dropped(room, irc, data):
    client = irc(room)
    client.socket.sendall(data)
    assert client.end().startswith(b"ERROR :")
    assert room.people == 0


def test_everybody_is_told_when_the_room_closes(host, irc):
    room = host(irc_port=0, timing=Timing(goodbye=0.1))  # the client does not hang up
    wee = irc(room, "wee")
    room.close("The host has closed the room.")
    assert wee.end().endswith(b"ERROR :The host has closed the room.\r\n")


def test_a_flood_waits_and_loses_nothing(host, join, irc):
    room = host(irc_port=0, limits=DEFAULT_LIMITS)
    ann, wee = Listener(join(room, "ann")), irc(room, "wee")
    wee.send(*(f"PRIVMSG #room-a :{number}" for number in range(105)))
    ann.hear_text("104")
    assert [item.text for item in ann.items if isinstance(item, Said)] == [str(number) for number in range(105)]


# ---- without a host


def session_of(link: Any) -> IrcSession:
    dialects = Dialects(names_of("5" * 32, "Room A", 0), People(lambda: 0))
    return IrcSession(link, dialects.of(frozenset()), echoes=False, own_join=False, dialects=dialects, id="~1")


class CountingMembers(Members):
    """Counts how often somebody goes through them."""

    passes = 0

    def __iter__(self) -> Iterator[Member]:
        self.passes += 1
        return super().__iter__()

    def called(self, nick: str) -> Member | None:
        self.passes += 1
        return super().called(nick)


def test_however_many_nicks_are_asked_for_the_room_is_gone_through_once():
    """One line holds 250 of them, and it costs its sender no more than one message."""
    room = Room("5" * 32, "Room A", "id-hal")
    room.members = members = CountingMembers()
    for nick in ("ann", "bob"):
        room.apply(Joined(room.seq + 1, 0, f"id-{nick}", nick))
    said = answer(session_of(RecordingLink()), Line("ISON", (" ".join(["Ann", *map(str, range(250))]),)), room)
    assert isinstance(said, bytes)
    assert parsed(said.decode().rstrip()).parameters == ("*", "ann")
    assert members.passes == 1


def test_who_quits_gets_all_answers_first(identity):
    """Also where the hub sends them late: here it has made them, and the client's reader comes first."""
    with in_the_room(identity("hal")) as (stage, link, peer):
        peer.sendall(b"NAMES\r\nQUIT\r\n")
        made: list[bytes] = []
        later: list[Item] = []
        while not later:
            taken = stage.hub.inbox.take(PATIENCE)
            before = [*takewhile(lambda item: not isinstance(item, LinkEnded), taken)]
            made += answers(stage, before)
            later += taken[len(before) :]
        while len(later) < 2 and not link._finishing:  # it waits once more, before it ends the link
            later += stage.hub.inbox.take(0.1)
        link.send(b"".join(made))
        while not link._finishing:
            answers(stage, later)
            later = [*stage.hub.inbox.take(0.1)]
        got = b""
        while data := peer.recv(4096):
            got += data
    assert got.index(b" 353 ") < got.rindex(b" 366 ") < got.index(b"ERROR :")
    assert got.count(b" 366 ") == 2  # with the join, and as the answer


def test_the_history_is_read_once_all_that_came_before_has_been_sent(identity):
    """The hub sends, and fills the log, at the end of a batch: the client's reader waits for a later one."""
    with in_the_room(identity("hal")) as (stage, _, peer):
        peer.sendall(b"CHATHISTORY LATEST #other * 1\r\n")
        for _ in range(2):
            while not answers(stage, taken := stage.hub.inbox.take(PATIENCE)):
                assert taken, "it was answered without waiting"
        got = b""
        while b"FAIL" not in got:
            data = peer.recv(4096)
            assert data
            got += data


@contextmanager
def in_the_room(identity: Identity) -> Iterator[tuple[HubStage, Link, socket.socket]]:
    """A stage, the link of a client in its room, whose reader runs, and the client's end of that link."""
    stage = HubStage()
    with open_links(identity) as links:
        link, peer = links.alone()
        session = session_of(link)
        session.wanted = "wee"
        serving: Any = SimpleNamespace(
            inbox=stage.hub.inbox, admission=Admission(NO_LIMITS), timing=Timing(), log=NoLog()
        )
        conversation = Conversation(link, session, Quotas(NO_LIMITS).open(""), serving)
        reader = threading.Thread(target=lambda: list(conversation.run()), name="test-reader")
        reader.start()
        try:
            while not session.inside:
                stage.batch()
            yield stage, link, peer
        finally:
            peer.close()
            reader.join(PATIENCE)


def answers(stage: HubStage, items: Sequence[Item]) -> list[bytes]:
    """Answer what was asked, as the hub does."""
    found = [item.answer(stage.hub._room) for item in items if isinstance(item, Asked)]
    return [one.data if isinstance(one, Answer) else one for one in found]
