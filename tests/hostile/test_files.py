"""A host that lies about files while somebody fetches them: it ends in words, and only what is whole gets a name."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanchat.client.download import Damaged, Download
from lanchat.client.host_link import HostLink
from lanchat.client.questions import MOST, FileQuestions
from lanchat.errors import ConnectionLost, LanchatError, ProtocolError, Refused
from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FileEnd, FileEntry, FileList, FileTicket, Go, Sum
from lanchat.protocol.framing import TransferLine, encode
from lanchat.protocol.timing import Timing
from lanchat.storage.downloads import part_path
from tests.support.files import digest
from tests.support.links import open_links

FILE, DATA = "f" * 32, b"what is in it"
NOTHING: Callable[[int], None] = lambda done: None  # noqa: E731


class Fetching:
    """A download of DATA from a host that is played: each call of `attempt` is one link."""

    def __init__(self, links: object, folder: Path, name: str = "report.pdf", size: int = len(DATA)) -> None:
        self._links, self.folder = links, folder
        self.download = Download(FILE, name, size, folder, Timing())
        self.size = size

    def attempt(self, *said: TransferLine | bytes, size: int | None = None) -> None:
        """The host says all this, and hangs up."""
        link, peer = self._links.alone()  # type: ignore[attr-defined]
        peer.sendall(b"".join(line if isinstance(line, bytes) else encode(line) for line in said))
        peer.shutdown(1)  # nothing more
        try:
            size = self.size if size is None else size
            self.download.run(link, FileTicket(FILE, bytes(32), size, size), NOTHING)
        finally:
            link.close()
            peer.close()

    @property
    def named(self) -> list[str]:
        """What a person sees in the folder."""
        return [name for name in os.listdir(self.folder) if not name.startswith(".")]

    @property
    def part(self) -> bytes:
        return part_path(self.folder, FILE).read_bytes()


@pytest.fixture
def fetching(identity, tmp_path: Path) -> Iterator[Callable[..., Fetching]]:
    with open_links(identity("eve")) as links:
        yield lambda **options: Fetching(links, tmp_path / "in", **options)


def sum_of(data: bytes, folder: Path) -> Sum:
    (folder / "told").write_bytes(data)
    return Sum(digest(folder / "told"))


@pytest.mark.parametrize("more", [b"x", b"x" * 100_000, encode(Go(0)) + DATA], ids=["a byte", "many", "once more"])
def test_more_than_the_file_has_is_not_taken(fetching, more):
    bob = fetching()
    with pytest.raises((ProtocolError, ConnectionLost)):
        bob.attempt(Go(0, 1), DATA, more)
    assert bob.part == DATA and bob.named == []


def test_a_wrong_sum_leaves_nothing_and_the_right_bytes_come_the_next_time(fetching, tmp_path):
    bob = fetching()
    with pytest.raises(Damaged, match="arrived damaged"):
        bob.attempt(Go(0, 1), DATA, Sum("0" * 64))
    assert bob.part == b"" and bob.named == []
    bob.attempt(Go(0, 1), DATA, sum_of(DATA, tmp_path))
    assert (bob.folder / "report.pdf").read_bytes() == DATA and bob.named == ["report.pdf"]


def test_another_take_begins_with_the_first_byte(fetching, tmp_path):
    """What came of the older one would not fit."""
    bob = fetching()
    with pytest.raises(ConnectionLost):
        bob.attempt(Go(0, 1), b"another w")
    bob.attempt(Go(0, 2), DATA, sum_of(DATA, tmp_path))
    assert (bob.folder / "report.pdf").read_bytes() == DATA


@pytest.mark.parametrize(
    "said",
    [
        [Go(5, 1), DATA],  # neither the beginning nor what bob has
        [Sum("0" * 64)],  # before a byte
        [b"{" * 2000],
        [b"\xff\n"],
        [b'{"t":"go","at":-1}\n'],
        [],
    ],
    ids=["elsewhere", "a sum first", "a long line", "no text", "below zero", "nothing"],
)
def test_what_is_no_transfer_ends_in_words(fetching, said):
    bob = fetching()
    with pytest.raises(LanchatError):
        bob.attempt(*said)
    assert bob.named == []


def test_a_ticket_for_another_size_fetches_nothing(fetching):
    bob = fetching()
    with pytest.raises(ProtocolError, match="another size"):
        bob.attempt(Go(0, 1), DATA * 2, size=2 * len(DATA))
    assert not bob.folder.exists()


@pytest.mark.parametrize("name", ["re\0port.pdf", "../re/\0\0", "\0" * 300, "\x1b]0;title\a.pdf"], ids=repr)
def test_a_name_with_control_characters_becomes_a_harmless_one(fetching, tmp_path, name):
    bob = fetching(name=name)
    bob.attempt(Go(0, 1), DATA, sum_of(DATA, tmp_path))
    [named] = bob.named
    assert named.isprintable() and "/" not in named and (bob.folder / named).read_bytes() == DATA


def test_a_refusal_is_told_as_it_is(fetching):
    bob = fetching()
    with pytest.raises(Refused, match="not there"):
        bob.attempt(wire.Refused("unknown", "It is not there."))
    assert bob.named == []


def test_a_list_without_end_takes_bounded_memory():
    """The host lists a hundred times as many files as a room holds."""
    asked: list[object] = []

    def hear(message: object) -> None:
        asked.append(message)
        for number in range(20 * MOST):
            questions.receive(FileEntry(f"{number:032x}", "a", 1, "0" * 32, "ann", 0, 1))
        questions.receive(FileEnd())

    link = HostLink(hear)
    questions = FileQuestions(link)
    link.begin(b"k" * 32, 1000)
    listed = questions.list(10.0)
    assert asked == [FileList()] and len(listed) == MOST
    questions.close()
