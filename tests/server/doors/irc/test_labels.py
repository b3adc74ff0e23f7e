"""Labels, and what an IRC client learns of others: MONITOR, AWAY, read markers."""

import pytest

from lanchat.protocol.status import Status
from lanchat.server.host import Host
from tests.support.irc import IrcClient, parsed
from tests.support.people import Listener

LABELS = "labeled-response batch echo-message message-tags"


@pytest.fixture
def room(host) -> Host:
    opened: Host = host("Room A", irc_port=0)
    return opened


def labelled(client: IrcClient, line: str) -> list[tuple[str, str, bool]]:
    """Command, label, and whether it is in a batch, of each line that answers."""
    lines = [parsed(answer) for answer in client.answers(f"@label=x1 {line}")]
    return [(line.command, line.tags.get("label", ""), "batch" in line.tags) for line in lines]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PRIVMSG #room-a :hello", [("PRIVMSG", "x1", False)]),
        ("NOTICE #room-a :hello", [("NOTICE", "x1", False)]),
        ("PRIVMSG ann :hello", [("PRIVMSG", "x1", False)]),
        ("PRIVMSG nobody :hello", [("401", "x1", False)]),
        ("PRIVMSG #other :hello", [("403", "x1", False)]),
        (
            "PRIVMSG #room-a,ann :hello",
            [("BATCH", "x1", False), ("PRIVMSG", "", True), ("PRIVMSG", "", True), ("BATCH", "", False)],
        ),
        ("NICK woo", [("NICK", "x1", False)]),
        ("NICK ann", [("433", "x1", False)]),
        ("PING token", [("PONG", "x1", False)]),
        ("PONG token", [("ACK", "x1", False)]),
        ("TAGMSG #room-a", [("ACK", "x1", False)]),
        ("WHO ann", [("BATCH", "x1", False), ("352", "", True), ("315", "", True), ("BATCH", "", False)]),
        ("JOIN #room-a", [("ACK", "x1", False)]),
        ("PART #room-a", [("PART", "x1", False)]),
        ("AWAY :lunch", [("306", "x1", False)]),
        ("CAP LIST", [("CAP", "x1", False)]),
        ("MONITOR + ann", [("730", "x1", False)]),
        ("NONSENSE", [("421", "x1", False)]),
    ],
)
def test_what_answers_a_line_has_its_label(room, join, irc, line, expected):
    join(room, "ann")
    wee = irc(room, "wee", capabilities=LABELS)
    assert labelled(wee, line) == expected


def test_others_do_not_see_a_label(room, join, irc):
    wee, woo = irc(room, "wee", capabilities=LABELS), irc(room, "woo", capabilities=LABELS)
    wee.next("JOIN")
    wee.send("@label=x1 PRIVMSG #room-a :hello", "@label=x2 PRIVMSG woo :hello")
    assert "label" not in parsed(woo.next("PRIVMSG")).tags
    assert "label" not in parsed(woo.next("PRIVMSG")).tags


def test_who_comes_back_has_all_lines_of_it_in_one_batch(room, irc):
    wee = irc(room, "wee", capabilities=LABELS)
    wee.answers("PART #room-a")
    begin, *inside, end = labelled(wee, "JOIN #room-a")
    assert begin == ("BATCH", "x1", False) and end == ("BATCH", "", False)
    assert inside == [(command, "", True) for command in ("JOIN", "332", "353", "366")]


def test_without_the_capability_a_label_is_passed_over(room, irc):
    wee = irc(room, "wee")
    assert labelled(wee, "PONG token") == []
    assert labelled(wee, "WHO nobody") == [("315", "", False)]
    assert labelled(irc(room, "woo", capabilities=LABELS), "PONG x")[0][1] == "x1"


def test_the_order_is_the_same_for_all_with_labels_too(room, irc):
    wee, woo = irc(room, "wee", capabilities=LABELS), irc(room, "woo", capabilities=LABELS)
    wee.next("JOIN")
    for number in range(50):
        wee.send(f"@label=a{number} PRIVMSG #room-a :a{number}")
        woo.send(f"@label=b{number} PRIVMSG #room-a :b{number}")
    heard = [[parsed(client.next("PRIVMSG")).parameters[1] for _ in range(100)] for client in (wee, woo)]
    assert heard[0] == heard[1]


def test_a_client_is_told_when_those_whom_it_watches_come_and_go(room, join, irc):
    wee = irc(room, "wee")
    assert [parsed(line).parameters for line in wee.answers("MONITOR + Ann,woo,woo")] == [("wee", "Ann,woo")]
    ann = join(room, "ann")
    assert parsed(wee.next("730")).parameters[1].startswith("ann!u@")
    ann.close()
    assert parsed(wee.next("731")).parameters == ("wee", "ann")
    woo = irc(room, "woo")
    wee.next("730")
    woo.send("NICK pat")
    assert parsed(wee.next("731")).parameters == ("wee", "woo")
    assert [parsed(line).parameters for line in wee.answers("MONITOR L")] == [
        ("wee", "Ann,woo"),
        ("wee", "End of MONITOR list"),
    ]
    assert wee.numbers("MONITOR - ann", "MONITOR S") == ["731"]
    assert wee.numbers("MONITOR C", "MONITOR L") == ["733"]


def test_the_list_of_watched_nicks_has_an_end(room, irc):
    wee = irc(room, "wee")
    for at in range(0, 120, 30):
        numbers = wee.numbers("MONITOR + " + ",".join(f"n{number}" for number in range(at, at + 30)))
    assert numbers[-1] == "734"
    assert wee.numbers("MONITOR - n1", "MONITOR + n200") == ["731"]


def test_who_is_away_is_seen_on_both_sides(room, join, irc):
    ann = Listener(join(room, "ann"))
    wee, woo = irc(room, "wee", capabilities="away-notify"), irc(room, "woo")
    wee.next("JOIN")
    woo.send("AWAY :for \x02lunch\x02")
    assert parsed(wee.next("AWAY")).parameters == ("for lunch",)
    ann.hear(lambda: any(isinstance(item, Status) and item.away == "for lunch" for item in ann.items))
    assert wee.numbers("PRIVMSG woo :hello") == ["301"]
    assert wee.numbers("WHOIS woo")[0] == "301"
    assert parsed(wee.answers("WHO woo")[0]).parameters[6] == "G"
    assert "woo=-" in wee.answers("USERHOST woo")[0]
    woo.send("AWAY")
    assert parsed(wee.next("AWAY")).parameters == ()


def test_who_is_away_before_registration_comes_in_so(room, irc):
    wee = irc(room)
    wee.send("CAP REQ :draft/pre-away", "AWAY :asleep", "NICK wee", "USER wee 0 * :wee", "CAP END")
    wee.until("366")
    wee.answers("WHO wee")  # the room learns of it right after it has admitted the client
    woo = irc(room, "woo")
    assert woo.numbers("WHOIS wee")[0] == "301"
    wee.answers("PART #room-a", "JOIN #room-a")
    assert "301" in woo.numbers("WHOIS wee")


def test_a_read_marker_only_moves_forward(room, irc):
    wee = irc(room, "wee", capabilities="draft/read-marker")

    def marked(line: str) -> str:
        [answer] = wee.answers(line)
        return parsed(answer).parameters[1]

    assert marked("MARKREAD #room-a") == "*"
    late, early = "timestamp=2024-01-02T03:04:05.678Z", "timestamp=2023-01-02T03:04:05.678Z"
    assert marked(f"MARKREAD #room-a {late}") == late
    assert marked(f"MARKREAD #ROOM-A {early}") == late
    assert marked("MARKREAD ann") == "*"
    wee.answers("PART #room-a")
    assert [parsed(line).command for line in wee.answers("JOIN #room-a")] == ["JOIN", "332", "MARKREAD", "353", "366"]


def test_a_client_keeps_few_markers(room, irc):
    wee = irc(room, "wee")
    stamp = "timestamp=2024-01-02T03:04:05.678Z"
    answers = [wee.numbers(f"MARKREAD n{number} {stamp}") for number in range(101)]
    assert answers == [["MARKREAD"]] * 100 + [["FAIL"]]


def test_names_come_only_if_they_are_wanted(room, irc):
    client = irc(room)
    client.send("CAP REQ :no-implicit-names", "NICK wee", "USER wee 0 * :wee", "CAP END")
    assert [parsed(line).command for line in client.until("332")][-2:] == ["JOIN", "332"]
    assert client.numbers("NAMES") == ["353", "366"]
