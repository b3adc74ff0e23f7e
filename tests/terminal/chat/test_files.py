"""Files on the screen: numbers, the list, lines of transfers, completion."""

import pytest

from lanchat.protocol.file_messages import FileEntry, FileOffered
from lanchat.terminal.cells import cells
from lanchat.terminal.chat.files import KnownFiles, Rate, list_text, transfer_line

ONE, OTHER = "1" * 32, "2" * 32


def offered(file: str, name: str = "a.txt") -> FileOffered:
    return FileOffered(1, 0, "id-ann", "ann", "1", file, name, 10)


def test_a_file_keeps_its_number():
    files = KnownFiles()
    assert [files.see(offered(file)).number for file in (ONE, OTHER, ONE)] == [1, 2, 1]


def test_a_person_means_a_file_by_its_number_or_its_name():
    files = KnownFiles()
    files.see(offered(ONE))
    files.see(offered(OTHER, "b.txt"))
    assert files.numbered("2").file == files.numbered("b.txt").file == OTHER
    files.see(offered("3" * 32, "b.txt"))
    with pytest.raises(ValueError, match="2 files are called b.txt"):
        files.numbered("b.txt")
    with pytest.raises(ValueError, match="No file 7"):
        files.numbered("7")


def test_the_list_is_a_table():
    files = KnownFiles()
    entries = [
        FileEntry(ONE, "report.pdf", 2_200_000, "a", "ann", 0, 2_200_000, "5" * 64),
        FileEntry(OTHER, "photos\x1b.zip", 310 << 20, "e", "eve", 0, 190 << 20),
    ]
    assert list_text((files.see(entry), entry, "11:40") for entry in entries).split("\n") == [
        "1  report.pdf      2.1 MB  ann  11:40  stored",
        "2  photos\\x1b.zip  310 MB  eve  11:40  sending, 61 %",
    ]
    times = ["Wednesday 17:02", "11:40"]
    assert list_text((files.see(entry), entry, at) for entry, at in zip(entries, times, strict=True)).split("\n") == [
        "1  report.pdf      2.1 MB  ann  Wednesday 17:02  stored",
        "2  photos\\x1b.zip  310 MB  eve  11:40            sending, 61 %",
    ]
    assert "No files" in list_text([])


def test_a_long_name_leaves_the_list_a_table_and_keeps_its_ending():
    files = KnownFiles()
    names = ["a very long name of a report about the year.pdf", "写真" * 20 + ".zip", "short"]
    entries = [FileEntry(str(n) * 32, name, 10, "a", "ann", 0, 10, "5" * 64) for n, name in enumerate(names)]
    rows = list_text((files.see(entry), entry, "11:40") for entry in entries).split("\n")
    assert rows[0] == "1  a very long name of a…year.pdf  10 bytes  ann  11:40  stored"
    assert len({cells(row) for row in rows}) == 1 and ".zip " in rows[1]


def test_a_transfer_is_a_line():
    line = transfer_line(name="a.pdf", up=True, done=43, size=100, rate=11 << 20, remark="", width=80)
    assert line == "↑ a.pdf 43 %  11 MB/s  0:00"
    assert transfer_line(name="a", up=False, done=0, size=9, rate=0, remark="", width=80) == "↓ a 0 %"
    waits = transfer_line(name="a", up=False, done=0, size=9, rate=5, remark="The disk is full.", width=80)
    assert waits == "↓ a 0 %  The disk is full."
    long = transfer_line(name="a" * 200 + ".pdf", up=True, done=43, size=100, rate=11 << 20, remark="", width=40)
    assert long == "↑ aaaaaaaaa…aaaa.pdf 43 %  11 MB/s  0:00"


def test_a_rate_is_that_of_the_last_seconds():
    rate = Rate()
    assert rate.per_second(0, 0.0) == 0
    assert rate.per_second(1000, 1.0) == 1000
    assert not rate.stalled
    assert rate.per_second(1000, 5.0) == 0
    assert rate.per_second(1000, 8.0) == 0 and rate.stalled
