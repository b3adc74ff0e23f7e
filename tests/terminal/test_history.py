"""`lanchat history`, offline."""

import io
import json
import shutil
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lanchat.errors import LogDamaged, NoSuchRoom
from lanchat.protocol.messages import Joined, Left, Record, Said, Told
from lanchat.protocol.sealed import Sealer
from lanchat.storage import reader as reader_module
from lanchat.storage.identity import Identity
from lanchat.storage.repair import open_store
from lanchat.storage.rooms import BESIDE, joined_folder, open_room
from lanchat.terminal.history import show_history
from tests.support.contract import all_parsed, parsed

ANN, HAL = "a" * 64, "f" * 64
NOW = 1_700_000_000_000
DAY = 86_400_000


def said(seq: int, text: str, *, by: str = ANN, id: str = "", at: int = NOW) -> Said:
    return Said(seq, at, by, "ann", id or str(seq), text)


def store(folder: Path, *records: Record) -> None:
    log, _ = open_store(folder / "log.db", durable=False)
    log.add(records)
    log.close()


@pytest.fixture
def home(own_world: Path) -> Path:
    return own_world


@pytest.fixture
def seen(home: Path) -> Path:
    folder = joined_folder(home, "1" * 32, "Room A", NOW)
    store(folder, Joined(1, NOW, ANN, "ann"), said(2, "tea?"), said(3, "more tea", at=NOW + 60_000), said(4, "coffee"))
    return folder


def shown(home: Path, room: str = "Room A", **options: object) -> tuple[list[str], str]:
    """The lines on stdout, and the text on stderr."""
    out, talk = io.StringIO(), io.StringIO()
    options = {"search": "", "since": 0, "number": None, "as_json": False, "now": NOW + DAY, **options}
    assert show_history(home, room, out=out, talk=talk, **options) == 0  # type: ignore[arg-type]
    return out.getvalue().splitlines(), talk.getvalue()


def test_everything_that_was_seen_is_shown_in_order(home, seen):
    lines, talk = shown(home)
    assert talk == ""
    assert lines[0].startswith("-- ") and lines[0].endswith("2023 --")
    assert [line[6:] for line in lines[1:]] == ["-- ann·aaaa joined", "ann tea?", "ann more tea", "ann coffee"]


def test_the_number_a_search_and_the_age_narrow_what_is_shown(home, seen):
    assert [line[6:] for line in shown(home, number=1)[0][1:]] == ["ann coffee"]
    assert [line[6:] for line in shown(home, search="tea")[0][1:]] == ["ann tea?", "ann more tea"]
    assert [line[6:] for line in shown(home, search="tea", number=1)[0][1:]] == ["ann more tea"]
    assert [line[6:] for line in shown(home, since=NOW + 1)[0][1:]] == ["ann more tea"]
    assert shown(home, search="milk") == ([], 'No match in the history of "Room A".\n')


def test_who_came_and_went_is_left_out_if_nobody_asks_for_it(home, seen):
    store(seen, Left(5, NOW, ANN, "ann"), Joined(6, NOW, ANN, "ann"))
    assert [line[6:] for line in shown(home, visits=False)[0][1:]] == ["ann tea?", "ann more tea", "ann coffee"]
    assert [line[6:] for line in shown(home, visits=False, number=1)[0][1:]] == ["ann coffee"]
    assert [line[6:] for line in shown(home, number=1)[0][1:]] == ["-- ann·aaaa joined"]


def test_as_json_each_event_is_an_object(home, seen):
    lines, _ = shown(home, as_json=True)
    assert [line["event"] for line in all_parsed(lines)] == ["joined", "said", "said", "said"]
    assert parsed(lines[1]) == {
        "event": "said",
        "seq": 2,
        "at": NOW,
        "by": ANN,
        "nick": "ann",
        "id": "2",
        "text": "tea?",
        "action": False,
        "late": False,
        "history": True,
        "verified": True,
        "bot": False,
        "mention": False,
        "mine": False,
    }


def test_text_of_strangers_does_nothing_to_the_terminal(home):
    folder = joined_folder(home, "1" * 32, "evil \x1b[2J", NOW)
    store(folder, said(1, "\x1b]52;c;aGk=\x07 \u202e"), said(2, "two\nlines"))
    for line in [*shown(home, "1" * 32)[0], *shown(home, "1" * 32, as_json=True)[0]]:
        assert "\x1b" not in line and "\u202e" not in line and "\x07" not in line
    with pytest.raises(NoSuchRoom) as caught:
        shown(home, "\x1b[2J")
    assert "\x1b" not in str(caught.value) + caught.value.hint


def test_a_room_hosted_here_and_seen_elsewhere_is_shown_once(home):
    """This includes a message that was resent after its host had crashed, and got another number."""
    with open_room(home, "Room A", now=NOW) as room:
        store(room.path, said(1, "one"), said(2, "two"), said(1_000_003, "three", id="3"))
    store(joined_folder(home, room.about.id, "Room A", NOW), said(2, "two"), said(3, "three"), said(4, "only seen"))
    assert [line[6:] for line in shown(home)[0][1:]] == ["ann one", "ann two", "ann three", "ann only seen"]
    assert [line[6:] for line in shown(home, number=2)[0][1:]] == ["ann three", "ann only seen"]


def test_a_room_on_an_engine_is_shown_where_it_is_hosted_beside_its_owner(home, people):
    """Its log has everybody's private messages, of which ours alone are shown."""
    ann, bob, eve = people.values()
    joined_folder(home, "1" * 32, "Room A", NOW)
    folder = home / BESIDE / ("1" * 32)
    folder.mkdir(parents=True)
    sent = private(ann, bob, "1", "for bob"), private(ann, eve, "2", "for eve")
    store(folder, said(1, "one"), *sent, said(2, "two", at=NOW + 60_000))
    assert [line[6:] for line in shown(home)[0][1:]] == ["ann one", "[somebody -> another] for bob", "ann two"]
    assert [line[6:] for line in shown(home, search="two")[0][1:]] == ["ann two"]


def test_the_advice_for_the_damaged_log_of_such_a_room_names_the_engine(home):
    joined_folder(home, "1" * 32, "Room A", NOW)
    folder = home / BESIDE / ("1" * 32)
    folder.mkdir(parents=True)
    (folder / "log.db").write_bytes(b"\xde\xad" * 4096)
    with pytest.raises(LogDamaged) as caught:
        shown(home)
    assert caught.value.hint.endswith('  lanchat host --engine redis://HOST "Room A"')


def test_of_two_rooms_with_one_title_the_one_used_last_is_shown(home, seen):
    store(joined_folder(home, "2" * 32, "Room A", NOW + 5), said(1, "the newer one"))
    lines, talk = shown(home)
    assert lines[1][6:] == "ann the newer one"
    assert '2 rooms are called "Room A".' in talk and "1" * 32 in talk
    assert shown(home, "1" * 32)[0][2][6:] == "ann tea?"


def test_an_unknown_title_says_which_there_are_or_which_was_meant(home, seen):
    with pytest.raises(NoSuchRoom, match='"Standup"') as caught:
        shown(home, "Standup")
    assert caught.value.hint == 'You have: "Room A"'
    with pytest.raises(NoSuchRoom, match='"Rom A"') as caught:
        shown(home, "Rom A")
    assert caught.value.hint == 'Did you mean "Room A"?'
    with pytest.raises(NoSuchRoom) as caught:
        shown(home / "elsewhere")
    assert "first join" in caught.value.hint


def test_a_long_history_is_shown_a_part_at_a_time(home, monkeypatch):
    """A host can fill a hundred megabytes; `lanchat history` must not hold all of it."""
    monkeypatch.setattr(reader_module, "PORTION_SIZE", 100_000)
    page = "x" * 4000
    folder = joined_folder(home, "1" * 32, "Room A", NOW)
    store(folder, *(said(seq, page) for seq in range(1000)))
    with (folder / "shown").open("w", encoding="utf-8") as out:
        tracemalloc.start()
        try:
            options = {"search": "", "since": 0, "number": 900, "as_json": True, "now": NOW}
            assert show_history(home, "Room A", out=out, talk=io.StringIO(), **options) == 0  # type: ignore[arg-type]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (folder / "shown").read_text(encoding="utf-8").count(page) == 900
    assert peak < 1000 * len(page) / 4


def test_private_messages_stand_where_they_were_received(home):
    folder = joined_folder(home, "1" * 32, "Room A", NOW)
    store(
        folder,
        *(said(seq, f"word {seq}", at=NOW + seq) for seq in range(1, 4)),
        *(
            Told(str(number), NOW + at, ANN, "ann", HAL, "hal", text=f"psst {number}")
            for number, at in enumerate((0, 2, 9))
        ),
    )
    texts = [line.split()[-2:] for line in shown(home)[0][1:]]
    assert texts == [[*text.split()] for text in ("psst 0", "word 1", "word 2", "psst 1", "word 3", "psst 2")]
    assert [line.split()[-2:] for line in shown(home, number=2)[0][1:]] == [["word", "3"], ["psst", "2"]]


def test_a_clock_that_was_wrong_moves_no_private_message_but_its_own(home):
    folder = joined_folder(home, "1" * 32, "Room A", NOW)
    wrong = NOW + 1000 * DAY
    store(
        folder,
        *(said(seq, f"word {seq}", at=at) for seq, at in enumerate((NOW + 1, wrong, NOW + 3, NOW + 5), 1)),
        *(Told(str(at), at, ANN, "ann", HAL, "hal", text=f"psst {at - NOW}") for at in (NOW + 2, wrong, NOW + 4)),
    )
    texts = [" ".join(line.split()[-2:]) for line in shown(home)[0] if not line.startswith("-- ")]
    order = ["word 1", "word 2", "psst 2", f"psst {wrong - NOW}", "word 3", "psst 4", "word 4"]
    assert texts == order


def test_a_copy_of_which_nothing_can_be_read_is_an_error(home, seen):
    (seen / "log.db").write_bytes(b"notes" * 1000)
    with pytest.raises(LogDamaged, match="^Cannot read .*: the file is damaged") as caught:
        shown(home)
    assert caught.value.hint.endswith('lanchat join "Room A"')


# As many as may be said at once, and so long that they take many pages of a file.
LINES = "".join(f"a line of {'many ' * 100}words, number {number}\n" for number in range(60))


def test_what_can_be_read_of_a_damaged_copy_is_shown_and_the_advice_repairs_it(lanchat):
    """A person follows the advice here."""
    room = lanchat.host("Room A")
    assert lanchat.run("join", room.address, "--nick", "bob", input=LINES, who="bob").code == 0
    [log] = lanchat.home("bob").glob("seen/*/log.db")
    with open(log, "r+b") as file:
        for at in range(4096, log.stat().st_size, 8192):
            file.seek(at)
            file.write(b"\xde\xad" * 2048)
    damaged = lanchat.run("history", "Room A", who="bob")
    assert damaged.code == 0 and 0 < len(damaged.lines) < 60
    assert f"{log} is damaged." in damaged.err and damaged.err.endswith('lanchat join "Room A"\n')
    searched = lanchat.run("history", "Room A", "--search", "NUMBER", "-n", "3", who="bob")
    assert searched.code == 0 and len(searched.lines) <= 4
    assert lanchat.run("join", room.address, "--nick", "bob", input="after the repair\n", who="bob").code == 0
    repaired = lanchat.run("history", "Room A", who="bob")
    assert repaired.code == 0 and repaired.err == "" and repaired.lines[-1].endswith("after the repair")
    assert len(repaired.lines) > len(damaged.lines) and list(log.parent.glob("log.db.damaged-*"))


def test_the_advice_for_a_damaged_log_of_our_own_room_repairs_it(lanchat):
    assert lanchat.run("host", "Room A", "--linger", "0", input=LINES).code == 0
    [log] = lanchat.home("me").glob("rooms/*/log.db")
    with open(log, "r+b") as file:
        for at in range(8192, log.stat().st_size, 8192):
            file.seek(at)
            file.write(b"\xde\xad" * 2048)
    damaged = lanchat.run("history", "Room A")
    assert damaged.code == 0 and damaged.err.endswith('lanchat host "Room A"\n')
    hosted = lanchat.run("host", "Room A", "--linger", "0", input="after the repair\n")
    assert hosted.code == 0 and "was damaged" in hosted.err
    repaired = lanchat.run("history", "Room A")
    assert repaired.err == "" and any(line.endswith("after the repair") for line in repaired.lines)


# ---- private messages


@pytest.fixture
def people(home: Path, identity: Callable[[str], Identity]) -> dict[str, Identity]:
    """The home is bob's."""
    home.mkdir(exist_ok=True)
    shutil.copy(identity("bob").key_path, home)
    return {name: identity(name) for name in ("ann", "bob", "eve")}


def private(by: Identity, to: Identity, id: str, text: str, *, own: bool = False, at: int = NOW) -> Told:
    """As the recipient gets it, or another session of the sender."""
    box, copy = Sealer(by.private, "1" * 32).seal(to.public, id, text)
    return Told(id, at, by.id, "somebody", to.id, "another", copy if own else box)


def texts(home: Path, **options: Any) -> list[str]:
    return [line.partition("] ")[2] for line in shown(home, **options)[0] if "[" in line]


def test_private_messages_are_opened_where_they_are_ours(home, seen, people):
    ann, bob, eve = people.values()
    store(
        seen,
        private(ann, bob, "1", "tea at five?"),
        private(bob, ann, "2", "c++ (:", own=True),
        private(ann, eve, "3", "not for bob"),
    )
    assert texts(home) == ["tea at five?", "c++ (:"]
    assert texts(home, search="fiv tea") == ["tea at five?"] and texts(home, search="C++") == ["c++ (:"]
    assert texts(home, search="bob") == [], "what cannot be opened is not found"
    quiet = "-- A private message from somebody could not be opened (sealed for another key of yours)."
    assert [line[6:] for line in shown(home)[0] if "could not" in line] == [quiet]
    [line] = [line for line in shown(home, as_json=True)[0] if "another key" in line]
    told = json.loads(line)
    assert (told["event"], told["text"], told["problem"]) == ("told", "", "sealed for another key of yours")


def test_without_the_key_everything_else_is_shown(home, seen, people):
    ann, bob, _ = people.values()
    store(seen, private(ann, bob, "1", "tea at five?"))
    (home / "identity.key").unlink()
    lines, _ = shown(home)
    assert any("ann coffee" in line for line in lines)
    assert any("could not be opened (your key is not on this machine)" in line for line in lines)
    assert not (home / "identity.key").exists(), "looking back makes no identity"


def test_what_waits_in_a_room_hosted_here_is_shown_where_it_is_ours(home, people):
    ann, bob, eve = people.values()
    with closing(open_room(home, "Room B", now=NOW)) as folder:
        sealed = Sealer(ann.private, folder.about.id)
        waiting = [
            Told("1", NOW, ann.id, "ann", bob.id, "bob", sealed.seal(bob.public, "1", "for who hosts")[0]),
            Told("2", NOW, ann.id, "ann", eve.id, "eve", sealed.seal(eve.public, "2", "for eve")[0]),
        ]
        store(folder.path, *waiting)
    assert texts(home, room="Room B") == ["for who hosts"]
    assert not any("could not be opened" in line for line in shown(home, "Room B")[0])


def test_old_ones_in_the_clear_are_still_readable(home, seen, people):
    ann, bob, _ = people.values()
    store(seen, Told("1", NOW, ann.id, "ann", bob.id, "bob", text="before they were sealed"))
    assert texts(home) == ["before they were sealed"] and texts(home, search="sealed") == ["before they were sealed"]


def test_the_last_ones_alone_are_opened_where_few_are_wanted(home, seen, people, monkeypatch):
    ann, bob, _ = people.values()
    store(seen, *(private(ann, bob, str(number), f"line {number}", at=NOW + number) for number in range(20)))
    opened: list[str] = []
    open_box = Sealer.open

    def counted(self: Sealer, by: str, to: str, id: str, box: bytes) -> str:
        opened.append(id)
        return open_box(self, by, to, id, box)

    monkeypatch.setattr(Sealer, "open", counted)
    assert texts(home, number=3)[-1] == "line 19" and set(opened) == {"17", "18", "19"}
