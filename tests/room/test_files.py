"""Who may send, fetch and remove files, and when they expire."""

from typing import Any

import pytest

from lanchat.protocol.file_messages import (
    FileEnd,
    FileEntry,
    FileEvent,
    FileGet,
    FileList,
    FileOffered,
    FilePrivate,
    FileRefused,
    FileRemove,
    FileRemoved,
    FileSend,
    FileStored,
)
from lanchat.protocol.limits import FileLimits
from lanchat.protocol.messages import Got, numbered
from lanchat.protocol.padding import OFFER_SIZE
from lanchat.room.effects import OpenTicket, Reply, StoreFile
from lanchat.room.files import Files, FileWhole
from tests.support.rooms import admit, box, copy, room_with

HOUR = 3_600_000  # ms
DAY = 24 * HOUR
LIMITS = FileLimits(file=100, total=200, member_share=0.5, number=10, offers_burst=5, offers_rate=0.1)
SUM = "5" * 64


def room_and(*nicks: str, limits: FileLimits | None = LIMITS, **options: Any) -> Any:
    room, *members = room_with(*nicks)
    room.files = Files(limits, **options)
    return room, *members


def send(room: Any, member: Any, id: str, size: int = 10, now: int = 0, name: str = "a.txt") -> Any:
    """What follows from an offer: the events, and the last answer."""
    *events, answer = room.act(member, FileSend(id, name, size), now)
    return events, answer


def store(room: Any, member: Any, id: str, size: int = 10, now: int = 0) -> str:
    """A file that is whole at the host; its id."""
    [*_, offered], _ = send(room, member, id, size, now)
    room.apply(numbered(room.files.finish(FileWhole(offered.file, SUM), now), room.seq + 1))
    return str(offered.file)


def code(answer: Any) -> str:
    assert isinstance(answer, Reply) and isinstance(answer.message, FileRefused)
    return answer.message.code


def test_a_file_that_only_an_earlier_host_has_is_listed_and_not_given():
    room, ann, bob = room_and("ann", "bob")
    file = store(room, ann, "1")
    room.files.elsewhere = {file: "hal"}
    [entry, end] = room.act(bob, FileList())
    assert (entry.message.elsewhere, entry.message.have, end.message) == ("hal", 0, FileEnd())
    [answer] = room.act(bob, FileGet(file))
    assert code(answer) == "elsewhere" and "a.txt is on the computer of hal" in answer.message.text
    for number in range(2, 4):  # the room of the quota is not its own
        send(room, ann, str(number), size=50)
    assert file in room.files.all, "its place is on another disk"
    assert room.act(ann, FileRemove(file)) and file not in room.files.all and not room.files.elsewhere


def test_what_another_host_of_the_room_is_about_to_get_takes_no_place_on_the_disk_of_this_one():
    room, ann, bob = room_and("ann", "bob", free=lambda: 100)
    [offered], _ = send(room, ann, "1", size=90)
    assert code(send(room, bob, "2", size=20)[1]) == "disk"
    room.files.elsewhere = {offered.file: "hal"}
    assert isinstance(send(room, bob, "3", size=100)[1], OpenTicket)


def test_an_offer_is_an_event_for_everybody_and_a_ticket_for_its_sender():
    room, ann = room_and("ann")
    [offered], ticket = send(room, ann, "1", name="../evil.lnk")
    assert offered == FileOffered(offered.seq, 0, "id-ann", "ann", "1", offered.file, "evil.lnk_", 10)
    assert ticket == OpenTicket(offered.file, 10, id="1", up=True)


def test_an_offer_that_comes_again_is_the_same_file():
    room, ann = room_and("ann")
    [offered], _ = send(room, ann, "1")
    events, ticket = send(room, ann, "1")
    assert events == [] and ticket.file == offered.file
    events, answer = send(room, ann, "1", size=11)
    assert events == [] and code(answer) == "size"


def test_a_stored_file_needs_no_ticket():
    room, ann = room_and("ann")
    file = store(room, ann, "1")
    [answer] = room.act(ann, FileSend("1", "a.txt", 10, again=True))
    assert answer == Reply(FileEntry(file, "a.txt", 10, "id-ann", "ann", 0, have=10, sha256=SUM, id="1"))


def test_two_members_with_the_same_id_send_two_files():
    room, ann, bob = room_and("ann", "bob")
    [one], _ = send(room, ann, "1")
    [other], _ = send(room, bob, "1")
    assert one.file != other.file


@pytest.mark.parametrize(
    ("limits", "size", "expected"), [(None, 1, "off"), (LIMITS, 101, "size"), (FileLimits(total=50), 40, "quota")]
)
def test_what_does_not_fit_is_refused_before_a_byte_is_sent(limits, size, expected):
    room, ann = room_and("ann", limits=limits)
    events, answer = send(room, ann, "1", size)
    assert events == [] and code(answer) == expected


def test_the_largest_file_fits():
    room, ann = room_and("ann")
    assert isinstance(send(room, ann, "1", 100)[1], OpenTicket)


def test_a_guest_owns_nothing():
    room, _ = room_and("ann")
    guest = room.come("zoe", "~0000").member
    assert code(send(room, guest, "1")[1]) == "rights"


def test_a_file_that_needs_the_space_of_another_one_removes_it_for_everybody():
    room, ann, bob, eve = room_and("ann", "bob", "eve")
    first, second = store(room, ann, "1", 50), store(room, ann, "2", 50, now=1)
    store(room, bob, "1", 80, now=2)
    events, ticket = send(room, eve, "2", 30, now=2 * HOUR)
    assert [type(event) for event in events] == [FileRemoved, FileOffered] and isinstance(ticket, OpenTicket)
    assert (events[0].file, events[0].reason, events[0].nick) == (first, "quota", "ann")
    assert second in room.files.all and first not in room.files.all


def test_what_was_offered_and_has_not_come_yet_needs_its_space():
    room, ann = room_and("ann", free=lambda: 25)
    assert isinstance(send(room, ann, "1", 20)[1], OpenTicket)
    assert code(send(room, ann, "2", 10)[1]) == "disk"


def test_a_file_is_fetched_with_a_ticket_until_it_is_gone():
    room, ann, bob = room_and("ann", "bob")
    file = store(room, ann, "1")
    assert room.act(bob, FileGet(file)) == [OpenTicket(file, 10)]
    assert code(room.act(bob, FileGet("0" * 32))[0]) == "unknown"


def test_a_browser_gets_an_address_of_a_file_that_is_whole():
    room, ann, bob = room_and("ann", "bob")
    file = store(room, ann, "1")
    [ticket] = room.act(bob, FileGet(file, download=True))
    assert ticket == OpenTicket(file, 10, name=room.files.all[file].name) and ticket.name
    [_, coming] = send(room, ann, "2", 10)
    assert code(room.act(bob, FileGet(coming.file, download=True))[0]) == "unknown"


def test_its_sender_and_the_host_may_remove_a_file():
    room, hal, ann, bob = room_and("hal", "ann", "bob")
    one, other = store(room, ann, "1"), store(room, ann, "2")
    assert code(room.act(bob, FileRemove(one))[0]) == "rights"
    [gone] = room.act(ann, FileRemove(one))
    assert isinstance(gone, FileRemoved) and (gone.nick, gone.reason) == ("ann", "removed")
    assert room.act(hal, FileRemove(other))[0].nick == "hal"
    assert code(room.act(ann, FileRemove(one))[0]) == "unknown"
    assert room.act(ann, FileList()) == [Reply(FileEnd())]


def test_the_list_says_how_far_each_file_is():
    room, ann = room_and("ann", have=lambda file: 7)
    store(room, ann, "1")
    send(room, ann, "2")
    entries = [reply.message for reply in room.act(ann, FileList())]
    assert [(entry.have, entry.sha256) for entry in entries[:-1]] == [(10, SUM), (7, "")]


def test_a_file_goes_after_a_week_and_an_unfinished_one_a_day_after_its_last_byte():
    have: dict[str, int] = {}
    room, ann = room_and("ann", have=lambda file: have.get(file, 0))
    whole = store(room, ann, "1")
    [*_, offered], _ = send(room, ann, "2")
    files = room.files
    assert list(files.expire(0)) == []
    have[offered.file] = 5
    assert list(files.expire(DAY - 1)) == []  # there is progress
    assert list(files.expire(DAY + HOUR)) == []
    [gone] = files.expire(2 * DAY + HOUR)
    assert (gone.file, gone.reason) == (offered.file, "unfinished")
    files.apply(gone)
    [gone] = files.expire(7 * DAY + HOUR)
    assert (gone.file, gone.reason) == (whole, "expired")


def test_a_file_that_was_removed_while_it_came_is_not_stored():
    room, ann = room_and("ann")
    [offered], _ = send(room, ann, "1")
    room.act(ann, FileRemove(offered.file))
    assert room.files.finish(FileWhole(offered.file, SUM), 0) is None


def test_the_files_of_a_room_are_rebuilt_from_its_events():
    room, ann = room_and("ann")
    file = store(room, ann, "1")
    again = Files(LIMITS)
    events: list[FileEvent] = [
        FileOffered(1, 0, "id-ann", "ann", "1", file, "a.txt", 10),
        FileStored(2, 0, "id-ann", "ann", file, SUM),
        FileOffered(3, 0, "id-ann", "ann", "2", "0" * 32, "b.txt", 1),
        FileRemoved(4, 0, "id-ann", "ann", "0" * 32, "removed"),
    ]
    for event in events:
        again.apply(event)
    assert again.all == room.files.all


# ---- for one person


BOX, COPY = box("offer", OFFER_SIZE), copy("offer", OFFER_SIZE)


def send_to(room: Any, member: Any, id: str, nick: str = "bob", size: int = 10, now: int = 0, **changes: Any) -> Any:
    fields = {"name": "", "to": f"id-{nick}", "nick": nick, "box": BOX, "copy": COPY, **changes}
    return room.act(member, FileSend(id, size=size, **fields), now)


def store_for(room: Any, member: Any, id: str, size: int = 10, now: int = 0) -> str:
    [*_, draft, _] = send_to(room, member, id, size=size, now=now)
    room.files.apply(draft)
    room.files.apply(room.files.finish(FileWhole(draft.file, SUM), now))
    return str(draft.file)


def listed(room: Any, member: Any) -> list[str]:
    answers = [reply.message for reply in room.act(member, FileList())]
    return [answer.file for answer in answers if isinstance(answer, FileEntry)]


def test_the_list_is_in_the_order_of_time_also_where_a_log_told_otherwise():
    """A log that was read tells first of the files for everybody."""
    room, ann, bob = room_and("ann", "bob")
    late, early = store(room, ann, "1", now=2), store_for(room, ann, "2", now=1)
    assert listed(room, bob) == [early, late]


def test_an_offer_for_one_person_is_told_to_the_two_and_is_no_event():
    room, ann, bob, eve = room_and("ann", "bob", "eve")
    draft, ticket = send_to(room, ann, "1")
    assert draft == FilePrivate(
        *("1", draft.file, 0, "id-ann", "ann", "id-bob", "bob", 10, "offered"), box=BOX, copy=COPY
    )
    assert ticket == OpenTicket(draft.file, 10, id="1", up=True)
    assert room.seq == 3, "it has no number"
    room.files.apply(draft)
    assert (listed(room, ann), listed(room, bob), listed(room, eve)) == ([draft.file], [draft.file], [])
    stored = room.files.finish(FileWhole(draft.file, SUM), 5)
    assert (stored.state, stored.sha256) == ("stored", SUM)


def test_each_of_the_two_is_listed_the_box_that_they_can_open():
    room, ann, bob = room_and("ann", "bob")
    store_for(room, ann, "1")
    [(of_ann, *_), (of_bob, *_)] = [room.act(member, FileList()) for member in (ann, bob)]
    assert (of_ann.message.box, of_bob.message.box) == (COPY, BOX)
    assert of_bob.message.name == "" and of_bob.message.offer == "1" and of_bob.message.to_nick == "bob"


@pytest.mark.parametrize("command", [FileGet, FileRemove])
def test_others_and_the_host_learn_nothing_of_it(command):
    room, ann, _bob, eve, hal = room_and("ann", "bob", "eve", "hal")
    file = store_for(room, ann, "1")
    for other in (eve, hal):
        [answer] = room.act(other, command(file))
        assert code(answer) == "unknown" and listed(room, other) == []


def test_its_sender_alone_removes_it():
    room, ann, bob = room_and("ann", "bob")
    file = store_for(room, ann, "1")
    [answer] = room.act(bob, FileRemove(file))
    assert code(answer) == "rights" and answer.message.text == "Only ann may remove this file."
    [removed] = room.act(ann, FileRemove(file))
    assert (removed.state, removed.reason) == ("removed", "removed")
    room.files.apply(removed)
    assert room.files.all == {}


def test_the_offer_waits_until_its_recipient_has_got_it():
    room, ann, bob, eve = room_and("ann", "bob", "eve")
    file = store_for(room, ann, "1")
    room.go(bob)
    [waits] = admit(room, "bob").private
    assert isinstance(waits, FilePrivate) and (waits.file, waits.state, waits.seen) == (file, "stored", False)
    assert admit(room, "eve").private == () and room.act(eve, Got("id-ann", "1")) == []
    assert room.act(ann, Got("id-ann", "1")) == []
    assert room.act(bob, Got("id-ann", "1")) == [StoreFile(waits.got())]
    assert room.act(bob, Got("id-ann", "1")) == []
    assert admit(room, "bob").private == ()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"box": b""}, "rights"),
        ({"copy": box("short", 64)}, "rights"),
        ({"name": "report.pdf"}, "rights"),
        ({"to": "", "nick": ""}, "rights"),
        ({"to": "id-zed", "nick": "zed"}, "unknown"),
        ({"to": "id-ann", "nick": "ann"}, "unknown"),
        ({"to": "~1234", "nick": "zoe"}, "rights"),
    ],
    ids=["no box", "a box of another size", "a name", "for everybody", "nobody", "its sender", "a guest"],
)
def test_what_is_not_sealed_for_somebody_is_refused(changes, refusal):
    room, ann, _bob = room_and("ann", "bob")
    admit(room, "zoe", "~1234")
    [answer] = send_to(room, ann, "1", **changes)
    assert code(answer) == refusal and room.files.all == {}


def test_it_counts_against_the_quota_of_its_sender_and_expires_as_others_do():
    room, ann, _bob = room_and("ann", "bob")
    first = store_for(room, ann, "1", size=60)
    [gone, *_] = send_to(room, ann, "2", size=60, now=2 * HOUR)
    assert (gone.file, gone.state, gone.reason) == (first, "removed", "quota")
    [old] = room.files.expire(8 * DAY)
    assert (old.file, old.state, old.reason) == (first, "removed", "expired")


def test_a_room_without_files_takes_none_for_one_person():
    room, ann, _bob = room_and("ann", "bob", limits=None)
    [answer] = send_to(room, ann, "1")
    assert code(answer) == "off"
