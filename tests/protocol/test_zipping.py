"""A ZIP whose size is known beforehand, judged by Python's own reader."""

import io
import zipfile
import zlib

from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.zipping import ZipEntry, descriptor, directory, header, spans, zip_size

WHEN = (2026, 11, 26, 4, 30, 12)
NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1, max_size=20), unique=True
)


def whole(contents: dict[str, bytes]) -> tuple[bytes, list[ZipEntry]]:
    entries = [ZipEntry(f"top/{name}", len(data), WHEN) for name, data in contents.items()]
    sums = [zlib.crc32(data) for data in contents.values()]
    made = b"".join(
        header(entry) + data + descriptor(entry, checksum)
        for entry, data, checksum in zip(entries, contents.values(), sums, strict=True)
    )
    return made + directory(entries, sums), entries


@given(NAMES, st.data())
def test_every_reader_gets_the_same_files(names, data):
    contents = {name: data.draw(st.binary(max_size=50)) for name in names}
    made, entries = whole(contents)
    assert len(made) == zip_size(entries)
    with zipfile.ZipFile(io.BytesIO(made)) as found:
        assert found.testzip() is None
        assert {info.filename for info in found.infolist()} == {f"top/{name}" for name in names}
        for name, content in contents.items():
            assert found.read(f"top/{name}") == content
            assert found.getinfo(f"top/{name}").date_time == WHEN


def test_an_empty_folder_is_an_empty_zip():
    made, entries = whole({})
    assert (len(made), zip_size(entries)) == (22, 22)
    with zipfile.ZipFile(io.BytesIO(made)) as found:
        assert found.namelist() == []


def test_the_parts_follow_each_other_without_gaps():
    entries = [ZipEntry("a", 0, WHEN), ZipEntry("b/c", 7, (1970, 1, 1, 0, 0, 0))]
    at = 0
    for span in spans(entries):
        assert span.start == at
        at += span.size
    assert at == zip_size(entries)
