"""The IRC door under attack. After each attack an honest newcomer is in and heard."""

import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.client.events import PrivateMessage
from lanchat.protocol.limits import DEFAULT_LIMITS, NO_LIMITS
from lanchat.protocol.messages import Joined, Left, Renamed, Said
from tests.hostile.siege import FEW, HURRY
from tests.support.irc import IrcClient, parsed
from tests.support.waiting import wait_until

COMMANDS = (
    "AWAY CAP CHATHISTORY INFO INVITE ISON JOIN KICK KILL LIST LUSERS MARKREAD MODE MONITOR MOTD NAMES NICK NOTICE "
    "OPER PART PASS PING PONG PRIVMSG TIME TOPIC USER USERHOST VERSION WALLOPS WHO WHOIS WHOWAS NONSENSE"
).split()
WORDS = (
    *("LATEST", "BETWEEN", "TARGETS", "AROUND", "timestamp=2020-01-01T00:00:00.000Z", "msgid=x-1", "10"),
    *("#room-a", "#ROOM-A", "#other", "ann", "eve", "", ":", "*", "0", "+", "-", "%", "%tcuihsnfdlaor,1", "%,", ","),
    *(
        "a,b,c,d,e,f",
        "#",
        "+b",
        "-o",
        "LS",
        "302",
        "REQ",
        "END",
        "LIST",
        "\x01ACTION\x01",
        "\x01ACTION ",
        "\x01",
        "ж" * 40,
    ),
    *("@", "!", "\x1b[2J", "\u202e", "\x00", "\x03", "\x04", "=", "999999999999999999999", "\u0661", "~", "x" * 300),
)


@pytest.fixture
def irc(attackers: ExitStack) -> Callable[..., IrcClient]:
    """`irc(attacked, "eve")`: an IRC client from another machine."""

    def come(attacked: Any, nick: str = "", source: str = "127.0.0.66") -> IrcClient:
        return attackers.enter_context(closing(IrcClient(attacked.room.ports["irc"], nick, source=source)))

    return come


def test_nothing_that_a_client_may_send_harms_the_room(siege, irc):
    """An error that nobody has foreseen would end her link or the host. Without limits, so that much can be tried."""
    attacked = siege(irc_port=0, limits=NO_LIMITS)
    chance = random.Random(17)
    for began in (False, True):
        eve = irc(attacked, "eve" if began else "")
        if began:
            eve.send("CAP REQ :labeled-response batch echo-message draft/chathistory draft/event-playback")
        lines = [
            " ".join(
                (
                    *chance.sample(("@a=b;c", "@=;;=", "@label=1", ":src"), chance.randint(0, 1)),
                    chance.choice(COMMANDS),
                    *chance.choices(WORDS, k=chance.randint(0, 4)),
                )
            )
            for _ in range(300)
        ]
        eve.send(*lines)
        if not began:
            eve.send("CAP END", "NICK eve", "USER eve 0 * :eve", "JOIN #room-a")
        eve.answers("PING over", "NICK eve1")
        eve.close()
    attacked.ann.round_trip("after")


def loop(eve: IrcClient, command: str) -> None:
    """Send this with number after number until the host takes no more."""
    eve.socket.setblocking(False)
    data = "".join(f"{command.format(number)}\r\n" for number in range(1000)).encode()
    sent = 0
    with pytest.raises((BlockingIOError, ConnectionError)):
        while sent < 32 * 1024 * 1024:
            sent += eve.socket.send(data)


@pytest.mark.parametrize(
    ("command", "heard"),
    [("NICK eve-of-the-loop-{}", Renamed), ("PRIVMSG #room-a :{}", Said), ("PRIVMSG ann :{}", PrivateMessage)],
)
def test_a_loop_waits_in_its_own_reader(siege, irc, command, heard):
    """The others hear what may be said at once and a little more, and talk on. (Shorter lines would be too many for one
    read, and cut off.)"""
    limits = replace(DEFAULT_LIMITS, message_rate=0.1, rename_burst=10**6)
    attacked = siege(irc_port=0, limits=limits)
    eve = irc(attacked, "eve")

    def of_eve() -> int:
        return sum(isinstance(item, heard) and item.nick.startswith("eve") for item in attacked.ann.items)

    loop(eve, command)
    attacked.ann.hear(lambda: of_eve() >= limits.message_burst - FEW)
    for number in range(5):
        attacked.ann.round_trip(f"still here {number}")
    assert of_eve() <= limits.message_burst + FEW
    eve.close()


@pytest.mark.parametrize(
    "command",
    ["AWAY :{}", "WHO #room-a", "NAMES", "LIST", "JOIN #{}", "CHATHISTORY LATEST #room-a * 1000", "MONITOR + n{}"],
)
def test_the_others_talk_on_beside_a_loop_of_which_they_hear_nothing(siege, irc, command):
    attacked = siege(irc_port=0)
    eve = irc(attacked, "eve")
    loop(eve, command)
    attacked.ann.round_trip("still here")
    eve.close()


def test_part_and_join_in_a_loop_wait_as_well(siege, irc):
    attacked = siege(irc_port=0)
    eve = irc(attacked, "eve")
    eve.send(*["PART #room-a", "JOIN #room-a"] * 500)
    attacked.ann.round_trip("still here")
    eve.close()
    wait_until(lambda: attacked.room.people == 1)
    attacked.ann.round_trip("after")
    comings = [item for item in attacked.ann.items if isinstance(item, Joined | Left) and item.nick == "eve"]
    assert len(comings) < 400


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 30_000,
        b"@" + b"a" * 30_000,
        b"PRIVMSG #room-a :" + b"x" * 9000,
    ],
)
def test_a_line_without_end_ends_the_link_or_is_refused(siege, irc, data):
    attacked = siege(irc_port=0, timing=replace(HURRY, line=0.3))
    eve = irc(attacked, "eve")
    eve.socket.sendall(data)
    assert eve.end()
    attacked.ann.round_trip("after")


def test_control_characters_reach_nobody_as_such(siege, irc):
    attacked = siege(irc_port=0)
    pat = irc(attacked, "pat", "127.0.0.77")
    eve = irc(attacked, "eve")
    pat.next("JOIN")
    eve.send("PRIVMSG #room-a :a\rQUIT\x01b\x1b[2Jc\u202ed", "QUIT :\x1b[2J\u202eout")
    attacked.ann.hear_kind(Left, nick="eve")
    said, left = parsed(pat.line()), parsed(pat.line())
    assert (said.command, left.command) == ("PRIVMSG", "QUIT")
    for text in (said.parameters[1], left.parameters[0]):
        assert not {"\r", "\x01", "\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize("nick", ["ann", "Ann", "\u0430nn", "a!b", "x.lanchat!", "@ann", "#ann", "\x1b[2J", "n" * 99])
def test_nobody_takes_a_nick_that_belongs_to_somebody(siege, irc, nick):
    attacked = siege(irc_port=0)
    before = len(attacked.ann.items)
    eve = irc(attacked)
    eve.send(f"NICK {nick}", "USER eve 0 * :eve")
    assert parsed(eve.line()).command in ("432", "433")
    eve.send("NICK eve")
    eve.until("366")
    attacked.ann.round_trip("after")
    assert [item.nick for item in attacked.ann.items[before:] if isinstance(item, Joined)] == ["eve"]
    assert not any(isinstance(item, Renamed) for item in attacked.ann.items)
    eve.close()


def test_who_reads_nothing_is_dropped_and_nobody_else_notices(siege, irc):
    """Eve is sent more than an outbox holds. Until she is gone, ann waits for nobody."""
    attacked = siege(
        irc_port=0,
        timing=replace(HURRY, stall=3600),
        limits=replace(DEFAULT_LIMITS, message_rate=1e6, message_burst=10**6, byte_rate=1e9, room_byte_rate=1e9),
    )
    irc(attacked, "eve")
    page, number = "x" * 4000, 0
    while attacked.room.people > 1:
        for _ in range(10):
            number += 1
            attacked.ann.member.outgoing.say(f"{number} {page}")
        attacked.ann.round_trip(f"after {number}")
        assert number < 5000, "she was not dropped"
    attacked.ann.hear_kind(Left, nick="eve")
    [left] = (item for item in attacked.ann.items if isinstance(item, Left) and item.nick == "eve")
    # On a busy machine the kernel may be the first to lose its patience (TCP_USER_TIMEOUT).
    assert left.code == "slow" or "timed out" in left.reason
    assert attacked.ann.notices == []
    attacked.ann.items.clear()
