"""What IRC clients send one another beside plain messages: pages of several lines, tags, names, and who is outside."""

import pytest

from lanchat.protocol.limits import NO_LIMITS
from lanchat.server.host import Host
from tests.support.irc import IrcClient, command_of, parsed
from tests.support.people import Listener

PAGES = "draft/multiline batch message-tags echo-message labeled-response"


@pytest.fixture
def room(host) -> Host:
    opened: Host = host("Room A", irc_port=0, limits=NO_LIMITS)
    return opened


# ---- several lines


def page(client: IrcClient) -> list[str]:
    """The texts of the next batch of lines, with a mark at those that go on with the line before."""
    client.next("BATCH")
    lines = [parsed(line) for line in client.until("BATCH")[:-1]]
    return [("+" if "draft/multiline-concat" in line.tags else "") + line.parameters[1] for line in lines]


def test_a_page_is_one_message_both_ways(room, join, irc):
    ann, wee, woo = Listener(join(room, "ann")), irc(room, "wee", capabilities=PAGES), irc(room, "woo")
    wee.next("JOIN")
    wee.send(
        "BATCH +1 draft/multiline #Room-A",
        "@batch=1 PRIVMSG #room-a :one",
        "@batch=1;draft/multiline-concat PRIVMSG #room-a : and a half",
        "@batch=1 PRIVMSG #room-a :two",
        "BATCH -1",
    )
    assert ann.hear_text("one and a half\ntwo").nick == "wee"
    assert page(wee) == ["one and a half", "two"]
    assert [parsed(woo.line()).parameters[1] for _ in range(2)] == ["one and a half", "two"]
    ann.member.outgoing.say("three\n\n" + "x" * 600)
    first, blank, long, more = page(wee)
    assert (first, blank, more[:1]) == ("three", "", "+") and long + more[1:] == "x" * 600


def test_a_page_with_a_label_has_it_on_its_batch(room, irc):
    wee = irc(room, "wee", capabilities=PAGES)
    lines = wee.answers(
        "@label=x1 BATCH +1 draft/multiline #room-a",
        "@batch=1 PRIVMSG #room-a :one",
        "@batch=1 PRIVMSG #room-a :two",
        "BATCH -1",
    )
    assert [command_of(line) for line in lines] == ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]
    assert parsed(lines[0]).tags["label"] == "x1" and "msgid" in parsed(lines[0]).tags


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["BATCH +1 netsplit #room-a"], "UNKNOWN_TYPE"),
        (["@batch=1 PRIVMSG #room-a :x"], "MULTILINE_INVALID"),
        (["BATCH -1"], "MULTILINE_INVALID"),
        (["BATCH +1 draft/multiline #room-a", "@batch=2 PRIVMSG #room-a :x"], "MULTILINE_INVALID"),
        (["BATCH +1 draft/multiline #room-a", "BATCH +2 draft/multiline #room-a"], "MULTILINE_INVALID"),
        (["BATCH +1 draft/multiline #room-a", "@batch=1 WHO #room-a"], "MULTILINE_INVALID"),
        (["BATCH +1 draft/multiline #room-a", "@batch=1 PRIVMSG ann :x"], "MULTILINE_INVALID_TARGET"),
        (
            ["BATCH +1 draft/multiline #room-a", "@batch=1;draft/multiline-concat PRIVMSG #room-a :x"],
            "MULTILINE_INVALID",
        ),
        (
            ["BATCH +1 draft/multiline #room-a", *["@batch=1 PRIVMSG #room-a :x"] * 101],
            "MULTILINE_MAX_LINES",
        ),
        (
            ["BATCH +1 draft/multiline #room-a", *["@batch=1 PRIVMSG #room-a :" + "x" * 410] * 10],
            "MULTILINE_MAX_BYTES",
        ),
    ],
)
def test_a_page_that_breaks_the_rules_is_refused_once_and_nothing_of_it_is_said(room, irc, lines, code):
    wee = irc(room, "wee", capabilities=PAGES)
    [failed, hello] = wee.answers(*lines, "@batch=1 PRIVMSG #room-a :more", "PRIVMSG #room-a :hello")[-2:]
    if code != "UNKNOWN_TYPE":
        assert wee.numbers("@batch=1 PRIVMSG #room-a :more") in ([], ["FAIL"])
    assert parsed(failed).command == "FAIL" and parsed(failed).parameters[:2] == ("BATCH", code)
    assert parsed(hello).parameters == ("#room-a", "hello")


# ---- tags


def test_tags_go_to_the_clients_that_know_tags(room, join, irc):
    ann = Listener(join(room, "ann"))
    wee = irc(room, "wee", capabilities="message-tags echo-message")
    woo, bare = irc(room, "woo", capabilities="message-tags"), irc(room, "bare")
    woo.next("JOIN")
    wee.until("JOIN")
    wee.next("JOIN")
    wee.send("@+reply=7;secret=x PRIVMSG #room-a :hi", "@+typing=active TAGMSG #room-a", "@+typing=done TAGMSG woo")
    for client in (wee, woo):
        said, typing, done = (parsed(client.line()) for _ in range(3))
        assert said.tags["+reply"] == "7" and "secret" not in said.tags
        assert (typing.command, typing.parameters, typing.tags["+typing"]) == ("TAGMSG", ("#room-a",), "active")
        assert (done.parameters, done.tags["+typing"]) == (("woo",), "done")
    ann.hear_text("hi")
    assert parsed(bare.line()).parameters == ("#room-a", "hi")
    assert bare.numbers("@+typing=active TAGMSG #room-a") == []
    assert wee.numbers("@+typing=active TAGMSG ann") == []
    assert wee.numbers("@+typing=active TAGMSG nobody") == ["401"]
    assert wee.numbers("@typing=active TAGMSG nobody") == []


# ---- who it is


def test_what_a_client_says_of_its_person_is_shown_to_irc_clients(room, irc):
    wee = irc(room, "wee", capabilities="setname extended-join")
    woo = irc(room)
    woo.send("NICK woo", "USER w\u00f6o!x 0 * :W \x02oo\x02")
    woo.until("366")
    joined = parsed(wee.next("JOIN"))
    assert joined.source.startswith("woo!~wox@") and joined.parameters == ("#room-a", "*", "W oo")
    wee.send("SETNAME :The \x1b[2J real one")
    assert parsed(wee.line()).command == "SETNAME"
    whois = parsed(woo.answers("WHOIS wee")[0])
    assert whois.parameters[2] == "~user" and whois.parameters[5] == r"The \x1b[2J real one"
    assert woo.numbers("SETNAME x") == ["421"]
    assert parsed(wee.answers("SETNAME :")[0]).parameters[:2] == ("SETNAME", "INVALID_REALNAME")


def test_a_client_says_that_it_is_a_program(room, join, irc):
    ann, wee, woo = Listener(join(room, "ann")), irc(room, "wee"), irc(room, "woo", capabilities="message-tags")
    wee.next("JOIN")
    assert wee.numbers("MODE wee +B") == ["MODE"]
    ann.hear(lambda: any(one.nick == "wee" and one.bot for one in room_people(room)))
    assert wee.numbers("MODE wee +B", "MODE wee") == ["221"]
    assert "335" in woo.numbers("WHOIS wee")
    wee.send("PRIVMSG woo :beep", "PRIVMSG #room-a :beep")
    assert all("bot" in parsed(woo.next("PRIVMSG")).tags for _ in range(2))
    wee.answers("MODE wee -B")
    assert "335" not in woo.numbers("WHOIS wee")


def room_people(room: Host) -> list:
    return list(room._hub._room.members)


# ---- outside the channel


def test_who_parts_can_be_written_to_and_asked_about(room, join, irc):
    join(room, "ann")
    wee, woo = irc(room, "wee"), irc(room, "woo")
    wee.next("JOIN")
    wee.answers("MONITOR + woo")
    woo.answers("PART #room-a :see you")
    parted = parsed(wee.line())
    assert (parted.command, parted.parameters) == ("PART", ("#room-a", "see you"))
    assert wee.numbers("WHOIS woo") == ["311", "312", "318"]
    assert parsed(wee.answers("WHO woo")[0]).parameters[1] == "*"
    assert parsed(wee.answers("ISON woo")[0]).parameters[1] == "woo"
    wee.send("PRIVMSG woo :still there?")
    assert parsed(woo.line()).parameters == ("woo", "still there?")
    woo.send("PRIVMSG wee :yes")
    assert parsed(wee.line()).parameters == ("wee", "yes")
    assert woo.numbers("PRIVMSG ann :hello", "PRIVMSG nobody :hello") == ["404", "401"]
    wee.send("INVITE woo #room-a")
    assert parsed(woo.line()).parameters == ("woo", "#room-a")
    assert parsed(wee.line()).command == "341"
    woo.send("NICK boo")
    assert parsed(wee.line()).parameters[1] == "woo"  # 731: it was watched by this nick
    woo.answers("JOIN #room-a")
    assert parsed(wee.line()).source.startswith("boo!")


def test_nobody_takes_the_nick_of_a_client_outside_by_renaming(room, irc):
    wee, woo = irc(room, "wee"), irc(room, "woo")
    wee.answers("PART #room-a")
    woo.answers("PART #room-a")
    assert woo.numbers("NICK Wee") == ["433"]
    assert woo.numbers("NICK boo", "WHOIS boo") == ["NICK", "311", "312", "318"]


def test_who_has_left_is_remembered_for_a_while(room, irc):
    wee, woo = irc(room, "wee"), irc(room, "woo")
    wee.next("JOIN")
    woo.send("NICK boo", "QUIT :bye")
    wee.next("QUIT")
    lines = [parsed(line) for line in wee.answers("WHOWAS boo", "WHOWAS W?o", "WHOWAS pat")]
    assert [line.command for line in lines] == ["314", "312", "369", "314", "312", "369", "406", "369"]
    assert lines[0].parameters[:3] == ("wee", "boo", "~user") and lines[0].parameters[5] == "real name"
    assert wee.numbers("WHOWAS") == ["431"]


def test_a_message_to_oneself_arrives(room, irc):
    wee = irc(room, "wee")
    assert parsed(wee.answers("PRIVMSG wee :a note")[0]).parameters == ("wee", "a note")
