"""Files for one person against the host that carries them: it can drop them, and nothing else."""

import hashlib
from typing import Any

import msgspec
import pytest

from lanchat.client.events import PrivateFile
from lanchat.errors import ProtocolError
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.file_messages import FileGet, FilePrivate, FileTicket
from lanchat.protocol.messages import Got, Notice
from lanchat.protocol.padding import OFFER_SIZE, OVERHEAD
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.sealed_file import Offer, sealed_size
from lanchat.storage.member_store import DiskStore
from tests.hostile.attackers import ROOM
from tests.hostile.table import Table

FILE, SIZE = "a" * 32, 100


def box(table: Table, by: str, id: str, *, to: Any = None, room: str = ROOM, name: str = "report.pdf") -> bytes:
    """The offer that somebody honest seals for vera, elsewhere."""
    offer = Offer(bytes(32), hashlib.sha256(bytes(SIZE)).hexdigest(), SIZE, name)
    return Sealer(table.others(by).private, room).seal_offer((to or table.me).public, id, offer.pack())[0]


def told(table: Table, by: str, id: str, box: bytes, *, to: str = "", file: str = FILE, **changes: Any) -> FilePrivate:
    fields = {"at": 0, "nick": by, "to_nick": "vera", "size": sealed_size(SIZE), "state": "offered", **changes}
    return FilePrivate(id=id, file=file, by=table.others(by).id, to=to or table.me.id, box=box, **fields)


def files(table: Table) -> list[PrivateFile]:
    """What vera has of all that was said so far."""
    number = sum(isinstance(item, Notice) for item in table.vera.items)
    table.say(Notice("now", ""))
    table.vera.hear(lambda: sum(isinstance(item, Notice) for item in table.vera.items) > number)
    items = [item for item in table.vera.items if isinstance(item, PrivateFile)]
    table.vera.member.confirm(items)
    return items


def test_an_offer_goes_to_nobody_else_under_no_other_name_id_or_room(sit_down, identity):
    table = sit_down()
    eve = identity("eve")
    true = box(table, "ann", "1")
    message = Sealer(identity("ann").private, ROOM).seal(table.me.public, "9", "x" * 100)[0]
    for changed in (
        told(table, "ann", "2", true),
        told(table, "eve", "3", true),
        told(table, "ann", "1", eve.public + true[32:]),
        told(table, "ann", "5", box(table, "ann", "5", to=eve)),
        told(table, "ann", "6", box(table, "ann", "6", to=eve), to=eve.id),
        told(table, "ann", "7", box(table, "ann", "7", room="6" * 32)),
        told(table, "ann", "8", b""),
        told(table, "ann", "9", message),
        told(table, "ann", "10", bytes(OVERHEAD + OFFER_SIZE)),
        told(table, "ann", "11", true[:-1]),
    ):
        table.say(changed)
    assert len(files(table)) == 10 and all(file.problem and not file.name for file in files(table))
    table.say(told(table, "ann", "1", true))
    assert files(table)[-1].name == "report.pdf", "what it made up before does not keep the true one away"


def test_an_offer_that_comes_again_is_told_once_also_to_a_program_that_was_started_again(sit_down, tmp_path):
    disk = {"open_store": lambda card: DiskStore(tmp_path, card, lambda trouble: None)}
    first = sit_down(**disk)
    offer = told(first, "ann", "1", box(first, "ann", "1"))
    first.say(offer, offer, msgspec.structs.replace(offer, at=MAX_NUMBER, nick="eve"))
    assert [file.name for file in files(first)] == ["report.pdf"]
    first.vera.member.close()
    second = sit_down(**disk)
    later = told(second, "ann", "2", box(second, "ann", "2", name="later.pdf"))
    second.say(offer, later)
    assert [file.name for file in files(second)] == ["later.pdf"]
    assert second.heard(Got) == Got(offer.by, "1"), "an honest host would not know yet that it was shown"


def test_a_host_cannot_offer_a_file_in_a_members_name(sit_down, identity):
    """It knows every public key, so it can seal; only ann can sign."""
    table = sit_down()
    own = box(table, "mallory", "1")
    table.say(told(table, "ann", "1", identity("ann").public + own[32:]))
    assert [file.problem for file in files(table)] == ["damaged or forged"]


@pytest.mark.parametrize("name", ["../../etc/passwd", ".bashrc", "evil.lnk", "COM1 .txt", "a/b\\c"])
def test_a_name_that_a_hostile_sender_has_sealed_is_made_safe(sit_down, name):
    table = sit_down()
    table.say(told(table, "ann", "1", box(table, "ann", "1", name=name)))
    [file] = files(table)
    assert "/" not in file.name and "\\" not in file.name and file.name[0] not in ".-~" and file.name != name


def test_a_ticket_for_another_size_fetches_nothing(sit_down, tmp_path):
    table = sit_down()
    table.say(told(table, "ann", "1", box(table, "ann", "1")))
    [file] = files(table)
    fetching = table.vera.member.transfers.fetch(file, tmp_path / "in", lambda transfer: None)
    table.heard(FileGet)  # a ticket that nobody has asked for counts for nothing
    table.say(FileTicket(FILE, bytes(32), SIZE))
    with pytest.raises(ProtocolError, match="another size than it was offered with"):
        fetching.wait(20)
    assert not (tmp_path / "in").exists()
