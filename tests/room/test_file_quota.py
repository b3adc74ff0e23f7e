"""Whether one more file fits, and which ones go so that it does."""

from lanchat.protocol.limits import FileLimits
from lanchat.room.file_quota import FileQuota, Refusal
from lanchat.room.room_file import RoomFile

HOUR = 3_600_000  # ms
LIMITS = FileLimits(file=100, total=200, member_share=0.5, number=10, offers_burst=5, offers_rate=0.1)


class Space:
    """The files of a room, all of which are whole unless they are still expected."""

    def __init__(self, limits: FileLimits = LIMITS, free: int = 1 << 40) -> None:
        self.free = free
        self.quota = FileQuota(limits, lambda: self.free)
        self.files: dict[str, RoomFile] = {}
        self.expected = 0

    def offer(self, by: str, size: int, now: int = 0) -> list[str] | str:
        """The files that go for this one, which then takes its place; or the code of a refusal."""
        gone = self.quota.make_room(by, size, self.files, self.expected, now)
        if isinstance(gone, Refusal):
            return gone.code
        for one in gone:
            del self.files[one.file]
        file = f"{by} {now}"
        self.files[file] = RoomFile(file, "1", "a.txt", size, by, by, now, sha256="5" * 64)
        return [one.file for one in gone]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


def test_what_is_too_large_for_the_room_or_for_one_member_is_refused():
    assert Space().offer("ann", 101) == "size"
    assert Space().offer("ann", 100) == []
    assert Space(FileLimits(total=50)).offer("ann", 40) == "quota"


def test_a_file_that_has_not_come_yet_needs_its_space_on_the_disk():
    space = Space(free=25)
    assert space.offer("ann", 20) == []
    space.expected = 20
    assert space.offer("ann", 10, now=1) == "disk"
    space.expected, space.free = 0, 5  # it has come
    assert space.offer("ann", 5, now=2) == []


def test_a_file_that_goes_leaves_its_space_on_the_disk():
    space = Space(free=0)
    space.files["old"] = RoomFile("old", "1", "a.txt", 60, "ann", "ann", 0, sha256="5" * 64)
    assert space.offer("ann", 50, now=2 * HOUR) == ["old"]


def test_each_member_has_a_rate_of_offers():
    space = Space()
    assert [space.offer("ann", 1, now) for now in range(6)] == [[]] * 5 + ["many"]
    assert space.offer("bob", 1) == []
    assert space.offer("ann", 1, now=10_000) == []


def test_the_files_of_the_member_with_most_go_first_and_no_young_ones():
    space = Space()
    for by, size, now in (("ann", 50, 0), ("ann", 50, 1), ("bob", 80, 2)):
        space.offer(by, size, now)
    assert space.offer("eve", 30, HOUR - 1) == "quota"  # all are too young to go
    assert space.offer("eve", 30, 2 * HOUR) == ["ann 0"]


def test_a_flood_pushes_out_its_own_files_only():
    space = Space()
    space.offer("ann", 90)
    for number in range(50):
        space.offer("eve", 40, (number + 2) * 2 * HOUR)
    assert "ann 0" in space.files
    assert space.size <= LIMITS.total


def test_a_room_has_so_many_files_at_once():
    space = Space(FileLimits(number=3, offers_burst=100))
    for number in range(9):
        space.offer("ann", 1, number * 2 * HOUR)
    assert len(space.files) == 3
