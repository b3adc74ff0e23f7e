"""Private messages against the host that carries them: it can drop them, and nothing else."""

import os

import msgspec
import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.dedup import DEDUP_WINDOW
from lanchat.client.events import PrivateMessage
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.errors import LanchatError
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.ids import member_id
from lanchat.protocol.messages import (
    Got,
    Joined,
    Left,
    Notice,
    Ping,
    Present,
    Receipt,
    Renamed,
    Tell,
    Told,
)
from lanchat.protocol.padding import OVERHEAD
from lanchat.protocol.people import Owner, Who
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.text import grouped
from lanchat.storage.member_store import DiskStore
from lanchat.storage.reader import LogReader
from tests.hostile.attackers import ROOM, Caller, let_in
from tests.support.waiting import PATIENCE, wait_until


def shown(messages: list[PrivateMessage]) -> list[tuple[str, str]]:
    return [(message.text, message.problem) for message in messages]


# ---- what arrives


def test_a_box_goes_to_nobody_else_under_no_other_name_id_or_room(sit_down, identity):
    """Everything that a host could do to one box; in the end the box itself."""
    table = sit_down()
    ann, eve = identity("ann"), identity("eve")
    box = table.box("ann", "1", "psst")
    swapped = table.box("eve", "1", "psst")
    for changed in (
        table.told("ann", "2", box),
        table.told("eve", "3", box),
        table.told("ann", "1", eve.public + box[32:]),
        table.told("ann", "1", swapped),
        table.told("eve", "4", box[:32] + swapped[32:]),
        table.told("ann", "5", table.box("ann", "5", "psst", to=eve)),
        table.told("ann", "6", table.box("ann", "6", "psst", to=eve), to=eve.id),
        table.told("ann", "7", table.box("ann", "7", "psst", room="6" * 32)),
        table.told("ann", "8", b""),
        table.told("ann", "9", b"", text="psst"),
        table.told("ann", "10", box[:-1], text="psst"),
        table.told("ann", "11", bytes(OVERHEAD + 64)),
        Told("12", 0, ann.id, "ann", "~1f", "guest", text="psst"),
        Told("13", 0, "~1f", "guest", ann.id, "ann", text="psst"),
    ):
        table.say(changed)
    messages = table.private()
    assert len(messages) == 13 and all(not message.text and message.problem for message in messages)
    table.say(table.told("ann", "1", box))
    assert table.private()[-1].text == "psst", "what it made up before does not keep the true one away"


def test_a_replay_is_shown_once_however_much_comes_between(sit_down):
    table = sit_down()
    told = table.told("ann", "1", table.box("ann", "1", "pay eve"))
    table.say(told, told)
    noise = [table.told("ann", f"n{number}", os.urandom(8)) for number in range(1000)]
    table.say(*noise, *noise, told, msgspec.structs.replace(told, at=MAX_NUMBER, nick="eve"))
    messages = table.private()
    assert [message.text for message in messages if message.text] == ["pay eve"]
    assert len(messages) == 1001, "each of those that cannot be opened is told once, too"


def test_a_replay_to_a_program_that_was_started_again_is_not_shown_again(sit_down, tmp_path):
    """A host could wait for that, and show an old "yes" to a script that asks again."""
    disk = {"open_store": lambda card: DiskStore(tmp_path, card, lambda trouble: None)}
    first = sit_down(**disk)
    yes = first.told("ann", "1", first.box("ann", "1", "yes"))
    first.say(yes)
    assert [message.text for message in first.private()] == ["yes"]
    first.vera.member.close()
    second = sit_down(**disk)
    later = second.told("ann", "2", second.box("ann", "2", "and later"))
    second.say(yes, msgspec.structs.replace(yes, at=MAX_NUMBER), later)
    assert [message.text for message in second.private()] == ["and later"]
    assert second.heard(Got) == Got(yes.by, "1"), "an honest host would not know yet that it was shown"


@pytest.mark.full
@pytest.mark.timeout(300)
def test_a_replay_is_not_shown_after_more_true_messages_than_are_remembered(sit_down, identity, tmp_path):
    """A host can make up senders, and seal by their keys as much as it likes."""
    table = sit_down(open_store=lambda card: DiskStore(tmp_path, card, lambda trouble: None))
    yes = table.told("ann", "1", table.box("ann", "1", "yes"))
    table.say(yes)
    assert [message.text for message in table.private()] == ["yes"]
    eve = Sealer(identity("eve").private, ROOM)
    for number in range(DEDUP_WINDOW + 1):
        id = f"n{number}"
        table.say(table.told("eve", id, eve.seal(table.me.public, id, "noise")[0]))
    table.say(yes)
    assert [message.text for message in table.private() if message.text != "noise"] == ["yes"]


def test_a_host_cannot_have_its_own_words_taken_for_a_members(sit_down, identity):
    """It knows every public key, so it can seal; only ann can sign."""
    table = sit_down()
    mallory, ann = identity("mallory"), identity("ann")
    own = Sealer(mallory.private, ROOM).seal(table.me.public, "1", "send the key to eve")[0]
    table.say(table.told("ann", "1", ann.public + own[32:]), table.told("ann", "2", own))
    assert [message.text for message in table.private()] == ["", ""]
    table.say(table.told("mallory", "1", own))
    assert (table.private()[-1].by, table.private()[-1].text) == (mallory.id, "send the key to eve"), "in its own name"


def test_what_vera_never_said_is_not_shown_as_hers(sit_down, identity):
    """A copy for another session is signed as well, and says for whom it was."""
    table = sit_down()
    bob, eve = identity("bob"), identity("eve")
    box, copy = Sealer(table.me.private, ROOM).seal(bob.public, "1", "hello bob")
    table.say(
        Told("1", 0, table.me.id, "vera", eve.id, "eve", copy),
        Told("2", 0, table.me.id, "vera", bob.id, "bob", copy),
        Told("3", 0, table.me.id, "vera", bob.id, "bob", text="forged"),
        Told("4", 0, table.me.id, "vera", bob.id, "bob", table.box("bob", "4", "forged")),
    )
    assert [message.text for message in table.private()] == [""] * 4
    table.say(Told("1", 0, table.me.id, "vera", bob.id, "bob", copy))
    assert table.private()[-1].text == "hello bob"


def test_what_is_made_up_neither_fills_nor_changes_what_is_stored(sit_down, tmp_path):
    table = sit_down(open_store=lambda card: DiskStore(tmp_path, card, lambda trouble: None))
    true = table.told("ann", "1", table.box("ann", "1", "psst"))
    table.say(true, msgspec.structs.replace(true, box=b""), msgspec.structs.replace(true, box=true.box[:-1]))
    table.say(*(table.told("ann", f"n{number}", os.urandom(242)) for number in range(100)))
    table.say(msgspec.structs.replace(true, box=b"", text="forged"))
    table.private()
    table.vera.member.close()
    assert list(LogReader(tmp_path / "seen" / ROOM / "log.db").private()) == [true]


def test_it_is_confirmed_once_it_is_shown_also_where_it_cannot_be_opened(sit_down, identity):
    table = sit_down()
    table.say(table.told("ann", "1", bytes(OVERHEAD + 64)))
    assert table.private()[0].problem == "sealed by or for somebody else"
    assert table.heard(Got) == Got(identity("ann").id, "1")


# ---- what goes out


def test_a_key_in_the_middle_is_not_used(sit_down, identity):
    """Mallory shows her own key as bob's, at every place where a key comes in. Vera seals nothing to it."""
    bob, mallory = identity("bob"), identity("mallory")
    table = sit_down(Present(bob.id, "bob", key=mallory.public))
    table.say(Joined(1, 0, bob.id, "bobby", key=mallory.public))
    table.vera.member.outgoing.tell("bob", "SECRET", to=bob.id, key=mallory.public)
    assert table.heard(Who) == Who(table.heard(Who).id, bob.id, "bob")
    table.say(Owner(table.heard(Who).id, bob.id, "bob", mallory.public))
    table.vera.hear_kind(Notice, code="refused")
    assert table.vera.member.delivery.wait_acked(PATIENCE)
    assert table.heard_all_without(Tell)


def test_a_nick_that_the_host_gives_to_another_key_shows_that_key(sit_down, identity):
    """The host says whose nick is whose, if nobody had it since vera came. Vera is shown the id that people compare."""
    mallory = identity("mallory")
    table = sit_down()
    id = table.vera.member.outgoing.tell("bob", "psst")
    table.say(Owner(id, mallory.id, "bob", mallory.public))
    tell = table.heard(Tell)
    assert tell.to == mallory.id != identity("bob").id
    assert Sealer(mallory.private, ROOM).open(table.me.id, mallory.id, id, tell.box) == "psst"
    table.vera.hear_kind(Notice, code="key")
    [notice] = [item for item in table.vera.items if isinstance(item, Notice)]
    assert grouped(mallory.id) in notice.text


@pytest.mark.parametrize("swap", ["at a reconnect", "by a rename", "beside the true one"])
def test_a_nick_that_changes_its_key_in_silence_gets_nothing(evil_host, victim, identity, swap):
    """Vera has compared bob's fingerprint. Then the host, to read along, gives bob's nick to its own key."""
    bob, mallory = identity("bob"), identity("mallory")
    true = Present(bob.id, "bob", key=bob.public)
    false = Present(mallory.id, "bob", key=mallory.public)
    hal = Present(mallory.id, "hal", host=True, key=mallory.public)
    callers: list[Caller] = []

    def host(caller: Caller) -> None:
        callers.append(caller)
        here = [true, hal]
        if swap == "beside the true one":
            here = [true, msgspec.structs.replace(false, host=True)]
        elif swap == "at a reconnect" and len(callers) == 2:
            here = [msgspec.structs.replace(false, host=True)]
        let_in(caller, *here, people=len(here))
        if swap == "by a rename":
            caller.send(Left(1, 0, bob.id, "bob"), Renamed(2, 0, mallory.id, "hal", to="bob"))
        elif swap == "at a reconnect" and len(callers) == 1:
            raise ConnectionError("hung up")

    state = RoomState()
    member = victim(evil_host(host).port, queue=EventQueue(follow=state.follow), patience=30.0)
    vera = JoinedRoom(member, member.join(), state)

    def swapped() -> bool:
        list(vera.events(timeout=0.01))
        return (mallory.id, "bob") in [(person.id, person.nick) for person in vera.people]

    wait_until(swapped)
    with pytest.raises(ValueError, match=f"{grouped(bob.id)} , and is  {grouped(mallory.id)}"):
        vera.tell("bob", "SECRET")
    assert not any(b'"tell"' in caller.plain for caller in callers)


def test_a_message_once_meant_for_a_key_is_never_sealed_to_another(sit_down, identity):
    bob, mallory = identity("bob"), identity("mallory")
    table = sit_down()
    id = table.vera.member.outgoing.tell("bob", "psst", to=bob.id)
    table.say(Owner(id, mallory.id, "bob", mallory.public))
    table.vera.hear_kind(Notice, code="refused")
    second = table.vera.member.outgoing.tell("bob", "psst", to=bob.id)
    table.say(Owner(second, bob.id, "bob", bob.public), Owner(second, mallory.id, "bob", mallory.public))
    tell = table.heard(Tell)
    assert (tell.id, tell.to) == (second, bob.id) and tell.box[32:64] == bob.public


def test_answers_to_nothing_do_nothing(sit_down, identity):
    bob = identity("bob")
    table = sit_down()
    table.say(Owner("1", bob.id, "bob", bob.public), Receipt("1", "here"), Receipt("1", "refused", "no"))
    assert table.private() == []


@pytest.mark.parametrize("key", [(1).to_bytes(32, "little"), bytes(32), b"\xff" * 32, (2).to_bytes(32, "little")])
def test_a_key_that_hides_nothing_is_not_sealed_to(sit_down, key):
    """Of small order or no key at all: its id fits, and everybody could read what is sealed to it."""
    table = sit_down(Present(member_id(key), "bob", key=key))
    id = table.vera.member.outgoing.tell("bob", "SECRET", to=member_id(key), key=key)
    table.say(Owner(id, member_id(key), "bob", key))
    table.vera.hear_kind(Notice, code="refused")
    assert table.heard_all_without(Tell)


def test_a_box_that_is_too_long_ends_the_link(sit_down):
    table = sit_down()
    table.say(table.told("ann", "1", bytes(4609)))
    assert isinstance(table.vera.end(), LanchatError)


# ---- a member against the room


def test_what_a_member_says_instead_of_a_sealed_message_reaches_nobody(siege, stranger, identity):
    room = siege()
    bob = room.guest("bob")
    vera = identity("vera")
    eve = stranger(room.room)
    eve.come_in(vera, "vera")
    box, copy = Sealer(vera.private, room.room.room_id).seal(identity("bob").public, "1", "x" * 100)
    short, _ = Sealer(vera.private, room.room.room_id).seal(identity("bob").public, "1", "psst")
    to = identity("bob").id
    for number, tell in enumerate(
        [
            Tell("", to, "bob", text="in the clear"),
            Tell("", to, "bob", box, short),
            Tell("", to, "bob", box[:-1], copy[:-1]),
            Tell("", to, "bob", box, copy, text="and"),
            Tell("", "", "bob", box, copy),
            Tell("", "~1f", "bob", text="nobody"),
        ]
    ):
        eve.send(msgspec.structs.replace(tell, id=str(number)))
        assert eve.hear(Receipt).code == "refused"
    eve.send(
        Ping(),
        Tell("last", to, "bob", *Sealer(vera.private, room.room.room_id).seal(identity("bob").public, "last", "hi")),
    )
    bob.hear(lambda: any(isinstance(item, PrivateMessage) for item in bob.items))
    assert [item.text for item in bob.items if isinstance(item, PrivateMessage)] == ["hi"]
    eve.close()
