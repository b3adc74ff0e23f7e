"""The chat screen with keys from a pipe, in a real room over loopback."""

import math
import re
import threading
import time

import pytest
from prompt_toolkit.input import create_pipe_input

import lanchat
from lanchat.client.events import PrivateMessage
from lanchat.errors import ConnectionLost, LanchatError
from lanchat.protocol.messages import Renamed, Said, Say
from lanchat.protocol.standby import Heartbeat
from lanchat.protocol.status import Status
from lanchat.storage.member_store import NoStore
from lanchat.storage.own_settings import OwnSettings
from lanchat.terminal.chat.chat import Chat, ChatEnd
from lanchat.terminal.chat.status import bar_text
from tests.support.chat import CTRL_C, CTRL_D, CTRL_U, TAB, Recorder, RunningChat
from tests.support.people import Listener, PlainClient, link_of
from tests.support.waiting import PATIENCE, wait_until

NEW_LINE = "\x1b\r"


class Old(NoStore):
    """A store with messages that a run of yesterday could not send."""

    held = True
    unsent: tuple[Say, ...] = ()

    def __init__(self, *unsent: Say) -> None:
        self.unsent = unsent

    def remove_unsent(self, ids) -> None:
        self.unsent = tuple(say for say in self.unsent if say.id not in ids)


def texts(items):
    return [item.text for item in items if isinstance(item, Said)]


def heard(member, number=1):
    """The next texts that this member hears, at least this many."""
    found: list[str] = []

    def enough():
        found.extend(texts(member.queue.take(0.05)))
        return len(found) >= number

    wait_until(enough)
    return found


def test_what_is_typed_is_said_and_what_is_said_is_shown(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press("hello bob\r")
        assert heard(bob) == ["hello bob"]
        ann.shows("ann hello bob")
        bob.outgoing.say("hello ann")
        ann.shows("bob hello ann")


def test_a_newcomer_sees_what_was_said_before(host, join, talk):
    room = host()
    bob = join(room, "bob")
    bob.outgoing.say("are you there?")
    heard(bob)
    with talk(room) as ann:
        ann.shows("bob are you there?")


def test_notes_from_before_the_start_stand_below_the_history_and_the_greeting(host, join, talk):
    room = host()
    bob = join(room, "bob")
    bob.outgoing.say("are you there?")
    heard(bob)
    with talk(room, "First time with this host.") as ann:
        ann.shows("bob are you there?")
        parts = ("bob are you there?", "You are in Room A", "First time with this host.", "you joined")
        assert sorted(parts, key=ann.text.index) == [*parts]


def test_a_second_screen_of_one_person_greets_them_and_answers(host, join, talk):
    """Nobody joins then, so nothing ends the history."""
    room = host()
    first = join(room, "ann")
    first.outgoing.say("from my other screen")
    heard(first)
    with talk(room, "First time with this host.", begun="First time with this host.") as ann:
        parts = ("ann from my other screen", "You are in Room A", "First time with this host.")
        assert sorted(parts, key=ann.text.index) == [*parts]
        ann.press("/who\r")
        ann.shows("(you")


def test_a_pasted_page_is_one_message(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press("\x1b[200~one\r\n  two\rthree\x1b[201~\r")
        assert heard(bob) == ["one\n  two\nthree"]


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D, "/quit\r", "\x1a"], ids=["Ctrl-C", "Ctrl-D", "/quit", "Ctrl-Z"])
def test_a_host_is_asked_before_others_lose_the_room(own_world, monkeypatch, key):
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as hal, create_pipe_input() as keys:
        chat = Chat(hal, input=keys, output=(terminal := Recorder()))
        with RunningChat(chat, keys, terminal) as screen:
            screen.shows("you opened the room")
            monkeypatch.setenv("LANCHAT_HOME", f"{own_world}/bob")
            with lanchat.join(f"127.0.0.1:{hal.host.port}", nick="bob"):
                screen.shows("joined")
                screen.press(key)
                screen.shows("close the room for 1 person")
                screen.shows("enter /quit again.")  # a "y" would be said to everybody
                assert hal.connected
                screen.press(CTRL_D)  # within the time in which this is the answer
                assert screen.end() == ChatEnd()


def test_a_host_alone_in_the_room_is_not_asked(own_world):
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as hal, create_pipe_input() as keys:
        with RunningChat(Chat(hal, input=keys, output=(terminal := Recorder())), keys, terminal) as screen:
            screen.shows("you opened the room")
            screen.press(CTRL_C)
            assert screen.end() == ChatEnd()


def test_alt_enter_makes_a_new_line(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press(f"one{NEW_LINE}two\r")
        assert heard(bob) == ["one\ntwo"]


def test_a_text_that_is_too_long_is_not_sent_and_stays_in_the_line(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press(f"\x1b[200~{'x' * 4097}\x1b[201~\r")  # pasted: as many keys take seconds
        ann.shows("at most 4096 bytes")
        ann.press("\x7f\r")  # one less
        assert heard(bob) == ["x" * 4096]


def test_an_unknown_command_is_not_sent_and_stays_in_the_line(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press("/mgs bob hello\r")
        ann.shows("No command /mgs; did you mean /msg?")
        ann.has_typed("/mgs bob hello")
        ann.press(f"{CTRL_U}fine\r")
        assert heard(bob) == ["fine"]


def test_a_search_is_refused_with_the_command_that_searches(host, talk):
    with talk(host()) as ann:
        ann.press("/search staging\r")
        ann.shows("lanchat history --search WORDS")


@pytest.mark.parametrize("typed", ["/who am i", "/msg bob", "/verify nobody", "/get 7", "/cancel 7", "/ignore nobody"])
def test_a_command_that_cannot_be_carried_out_stays_in_the_line_to_be_corrected(host, talk, typed):
    with talk(host()) as ann:
        ann.press(f"{typed}\r")
        ann.has_typed(typed)
        ann.press(f"{CTRL_U}fine\r")
        ann.shows("ann fine")


@pytest.mark.parametrize("typed", ["/kick bob", "/files", "/help", "/close"])
def test_a_command_that_no_correction_would_help_leaves_the_line(host, talk, typed):
    with talk(host()) as ann:
        ann.press(f"{typed}\rfine\r")
        ann.shows("ann fine")


def test_enter_again_and_again_says_once_what_is_wrong(host, talk):
    with talk(host()) as ann:
        ann.press("/nick\r\r\r\r")
        ann.shows("usage: /nick NICK")
        ann.press(f"{CTRL_U}between\r")
        ann.shows("ann between")
        assert ann.text.count("usage: /nick NICK") == 1
        ann.press("/nick\r")
        wait_until(lambda: ann.text.count("usage: /nick NICK") == 2, what="the same again, below what came between")


@pytest.mark.parametrize("typed", ["/send ~nobody-here/report.pdf", f"/send ~nobody-here/{TAB}"])
def test_the_home_of_a_user_that_is_none_is_a_path_that_is_not_there(host, talk, typed):
    with talk(host()) as ann:
        ann.press(f"{typed}\r")
        ann.press(f"{CTRL_U}fine\r")
        ann.shows("ann fine")


def test_help_and_who_are_answered_on_this_screen(host, join, talk):
    room = host()
    join(room, "bob")
    with talk(room) as ann:
        ann.press("/help\r/who\r")
        ann.shows("/nick NICK")
        ann.shows("2 people: ann·")


def test_me_says_an_action(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press("/me waves\r")
        assert heard(bob) == ["waves"]
        ann.shows("* ann waves")


def test_a_new_nick_is_saved_when_the_host_has_agreed(host, join, talk):
    room = host()
    bob = join(room, "bob")
    own = OwnSettings()
    with talk(room, own=own) as ann:
        ann.press("/nick bob\r")
        ann.shows("bob2")  # which the host suggests instead
        ann.press("/nick a!\r")
        ann.has_typed("/nick a!")
        assert own.nick == ""
        ann.press(f"{CTRL_U}/nick anna\r")
        ann.shows("you are now anna")
        wait_until(lambda: any(isinstance(item, Renamed) for item in bob.queue.take(0.05)))
    assert own.nick == "anna"


def test_a_nick_that_cannot_be_saved_is_reported_and_no_more(host, talk):
    class Full(OwnSettings):
        def keep_nick(self, nick: str, *, everywhere: bool = True) -> None:
            raise OSError("no space left")

    with talk(host(), own=Full()) as ann:
        ann.press("/nick anna\r")
        ann.shows("could not be saved for next time: no space left")


def test_a_private_message_and_the_reply(host, join, talk, monkeypatch):
    room = host()
    bob, eve = join(room, "bob"), join(room, "eve")
    with talk(room) as ann:
        ann.press("/r hello?\r")
        ann.shows("You have no private message to reply to.")
        ann.press(f"{CTRL_U}/msg BOB psst\r")
        ann.shows("[you -> bob] psst")
        wait_until(lambda: any(isinstance(item, PrivateMessage) for item in bob.queue.take(0.05)))
        bob.outgoing.tell("ann", "what is it?")
        ann.shows("[bob -> you] what is it?")
        ann.press("/r a secret\r")
        ann.shows("[you -> bob] a secret")
        eve.outgoing.tell("ann", "me too")
        ann.shows("[eve -> you] me too")
        ann.press("/r begun for bob\r")
        ann.shows("eve has just written to you privately. Press Enter again")
        ann.has_typed("/r begun for bob")
        monkeypatch.setattr("lanchat.terminal.chat.private.REPLY_PAUSE", 0.0)
        ann.press(f"{CTRL_U}/r for eve\r")
        ann.shows("[you -> eve] for eve")
        ann.press("/msg nobody hello\r")
        ann.shows("called nobody")
        ann.press("/ignore eve\r")
        ann.shows("eve is ignored. /unignore eve undoes it.")
        eve.outgoing.tell("ann", "unseen")
        bob.outgoing.tell("ann", "seen")
        ann.shows("[bob -> you] seen")
        assert "unseen" not in ann.text


def test_the_topic_is_shown_and_only_the_host_sets_it(host, talk):
    with talk(host()) as ann:
        ann.press("/topic\r")
        ann.shows("There is no topic.")
        ann.press("/topic mine\r")
        ann.shows("Only the host may set the topic.")
    with lanchat.host("Room B", nick="hal", port=0, announce=False) as hal:
        hal.moderate("topic", text="Deploy at 5")
        hal.say("first things first", wait=PATIENCE)  # the topic has come before it
        with talk(hal.host) as ann:
            ann.shows("-- Topic: Deploy at 5")
            hal.moderate("topic", text="")
            ann.shows("hal removed the topic")


def test_who_is_away_says_so_and_who_writes_to_them_is_told_once(host, join, talk):
    room = host()
    bob = Listener(join(room, "bob"))
    with talk(room) as ann:
        ann.press("/away lunch\r")
        ann.shows("You are away.")
        bob.hear_kind(Status, nick="ann", away="lunch")
        ann.shows("connected · away")
        bob.member.outgoing.away("in a meeting")
        bob.hear_kind(Status, nick="bob", away="in a meeting")
        wait_until(lambda: any(person.away for person in ann.chat._room.people if person.nick == "bob"))
        ann.press("/msg bob one\r")
        ann.shows("bob is away: in a meeting")
        ann.press("/msg bob two\r/back\r")
        ann.shows("[you -> bob] two")
        ann.shows("You are back.")
        assert ann.text.count("bob is away: in a meeting") == 1
        bob.hear_kind(Status, nick="ann", away="")


def test_what_needs_the_host_is_refused_while_it_is_away(host, talk):
    """It would be lost, since only messages wait."""
    room = host()
    with talk(room, reopening=True) as ann:
        room.close()
        ann.shows("closed the room.")
        for typed in ("/nick anna", "/topic mine"):
            ann.press(f"{CTRL_U}{typed}\r")
            ann.has_typed(typed)
        ann.shows("You are not connected at the moment.")
        ann.press(f"{CTRL_U}hello\r")
        ann.has_typed("")


def test_the_bar_tells_of_a_host_that_is_silent(host, talk, monkeypatch):
    bars: list[str] = []

    def drawn(*args):
        bars.append(bar_text(*args))
        return bars[-1]

    def counted():
        """For how many s the host has not answered, as the bars of until now say."""
        return [int(found[1]) for bar in bars if (found := re.search(r" · no answer for (\d+) s$", bar))]

    monkeypatch.setattr("lanchat.terminal.chat.chat.bar_text", drawn)
    with talk(host()) as ann:
        member = ann.chat._room._member
        link = link_of(member)
        link.keepalive.ping = b""  # its answer would be a sign of life
        link.keepalive.heard_at -= 20
        member.follower.cluster.hear(Heartbeat(0, 0, beat=60_000))  # a sign of life each minute is promised
        link.keepalive.silence = math.inf
        ann.press("x")
        wait_until(counted, what="the silence in the bar")
        first = counted()[0]
        assert first >= 20
        wait_until(lambda: counted()[-1] > first, what="the bar to go on, though nothing but time has passed")
        link.keepalive.received(time.monotonic())
        wait_until(lambda: bars[-1].endswith(" · connected"), what="the usual bar")


def test_who_is_ignored_is_known_by_key_listed_and_shown_again_when_away(host, join, talk):
    room = host()
    bob, cat = join(room, "bob"), join(room, "cat")
    own = OwnSettings()
    with talk(room, own=own) as ann:
        ann.press("/ignore\r")
        ann.shows("You ignore nobody in this room.")
        ann.press("/ignore cat\r")
        ann.shows("cat is ignored.")
        cat.outgoing.rename("kitty")
        ann.shows("cat is now kitty")
        cat.outgoing.say("unseen")
        bob.outgoing.say("seen")
        ann.shows("bob seen")
        assert "unseen" not in ann.text and list(own.ignored.values()) == ["cat"]
    with talk(room, own=own) as ann:
        ann.press("/ignore\r")
        ann.shows("You ignore cat in this room.")
        cat.close()
        ann.shows("kitty left")
        ann.press("/unignore bob\r")
        ann.shows("bob is not ignored.")
        ann.press(f"{CTRL_U}/unignore cat\r")
        ann.shows("cat is no longer ignored.")
    assert not own.ignored


def test_before_the_first_private_message_to_a_guest_the_person_is_asked(host, join, talk):
    room = host(plain_port=0)
    pat = PlainClient(room.ports["plain"])
    join(room, "bob")
    with talk(room) as ann:
        pat.send(b"pat\n")
        ann.shows("~pat joined")
        ann.press("/msg ~pat psst\r")
        ann.shows("~pat is a guest without a key: the host can read what you send")
        ann.shows("Press Enter again to send it.")
        ann.has_typed("/msg ~pat psst")
        ann.press("\r")
        ann.shows("[you -> ~pat] psst")
        ann.press("/msg pat once more\r")
        ann.shows("[you -> ~pat] once more")
        assert pat.until(b"more\n").endswith(b"[ann -> you] psst\n[ann -> you] once more\n")
        ann.press("/verify pat\r")
        ann.shows("Private messages to ~pat are not sealed: the host can read them.")
        ann.press("/verify bob\r")
        ann.shows("Private messages to bob are sealed to this key: the host cannot read them.")
    pat.socket.close()


def test_a_private_message_to_somebody_away_says_so(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        bob.close()
        ann.shows("bob left")
        ann.press("/msg bob psst\r")
        ann.shows("-- (host): bob is away")


def test_tab_completes_nicks_and_commands(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press(f"b{TAB}")
        ann.has_typed("bob: ")
        ann.press("hi\r")
        assert heard(bob) == ["bob: hi"]
        ann.press(f"/me{TAB}")
        ann.has_typed("/me ")
        ann.press("waves\r")
        assert heard(bob) == ["waves"]


@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D, "/quit\r", "half a line" + CTRL_C + CTRL_C])
def test_a_person_can_leave(host, talk, keys):
    with talk(host()) as ann:
        ann.press(keys)
        assert ann.end() == ChatEnd()


def test_the_end_of_the_room_is_shown_and_what_was_typed_is_not_lost(host, talk):
    room = host()
    with talk(room) as ann:
        ann.press("half a line")
        ann.shows("half a line")
        room.close()
        ann.shows("closed the room.")
        ann.shows("You are not in this room any more. Ctrl-C leaves.")
        ann.press(" and its end\r")  # which reaches no shell
        ann.has_typed("half a line and its end")
        ann.press(CTRL_C)
        ann.has_typed("")
        ann.press(CTRL_C)
        assert isinstance(ann.end().error, ConnectionLost)


def test_what_is_typed_while_a_closed_room_waits_is_said_when_it_opens_again(host, join, talk):
    room = host(room_id="5" * 32)
    with talk(lambda: room, reopening=True) as ann:
        closed, room = room, None
        closed.close()
        ann.shows("closed the room. Waiting in case it opens again;")
        ann.shows("closed, waiting")
        ann.press("still here\r")
        wait_until(lambda: ann.chat._room.unacked == 1)
        room = host(room_id="5" * 32)
        ann.shows("Connected again.")
        assert heard(join(room, "bob")) == ["still here"]


class Full(NoStore):
    """A store in which too many messages wait already."""

    def add_unsent(self, message) -> None:
        raise LanchatError("Not sent: 10000 messages are waiting already.", "Wait until the room can be reached again.")


def test_a_message_too_many_stays_in_the_line_and_the_chat_goes_on(host, talk):
    with talk(host(), store=Full()) as ann:
        ann.press("hello\r")
        ann.shows("Not sent: 10000 messages are waiting already.")
        ann.has_typed("hello")
        ann.press(f"{CTRL_U}/who\r")
        ann.shows("(you")


def test_old_messages_are_sent_only_if_their_author_says_so(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room, store=Old(Say("1", "restart the server now"), Say("2", "now!"))) as ann:
        ann.press("hello\r")
        assert heard(bob) == ["hello"]
        ann.press("/resend\r")
        ann.shows("Sending 2 messages.")
        assert heard(bob, 2) == ["restart the server now", "now!"]
    with talk(room, store=(store := Old(Say("3", "much too late")))) as ann:
        ann.press("/discard\r")
        ann.shows("1 message dropped.")
        ann.press("/discard\r")
        ann.shows("Nothing waits to be sent.")
        ann.press("/resend\r")
        ann.shows("Nothing is held back.")
        assert store.unsent == ()
        ann.press("hello again\r")
        assert heard(bob) == ["hello again"]


def test_what_waits_for_a_lost_host_can_be_dropped(host, join, talk):
    room = host(room_id="5" * 32)
    with talk(lambda: room, reopening=True) as ann:
        closed, room = room, None
        closed.close()
        ann.shows("Waiting in case")
        ann.press("out of place\r/discard\r")
        ann.shows("1 message dropped.")
        room = host(room_id="5" * 32)
        ann.shows("Connected again.")
        bob = join(room, "bob")
        ann.press("in place\r")
        assert heard(bob) == ["in place"]


def test_a_note_from_another_thread_is_shown(host, talk):
    with talk(host()) as ann:
        thread = threading.Thread(target=ann.chat.note, args=("announced on this network\x1b[2J",))
        thread.start()
        thread.join()
        ann.shows("-- announced on this network\\x1b[2J")


def test_a_burst_is_painted_completely_and_in_order(host, join, talk):
    room = host()
    bob = join(room, "bob")
    with talk(room) as ann:
        ann.press("half a line")
        for number in range(3000):
            bob.outgoing.say(f"number {number:04}.")
            if number % 500 == 499:
                bob.delivery.wait_acked(PATIENCE)
        ann.shows("number 2999.")
        shown = [line.split()[-1] for line in ann.text.splitlines() if " bob number " in line]
        assert shown == [f"{number:04}." for number in range(3000)]
        ann.press("\r")
        ann.shows("ann half a line")


def test_a_bug_in_a_callback_is_raised_from_run(host, talk):
    class Broken(OwnSettings):
        def keep_nick(self, nick: str, *, everywhere: bool = True) -> None:
            raise ZeroDivisionError("of our own")

    with talk(host(), own=Broken()) as ann:
        ann.press("/nick anna\r")
        with pytest.raises(ZeroDivisionError):
            ann.end()
