"""The host's end of a transfer, where what happens at the same moment matters. The rest is in tests/client."""

import pytest

from lanchat.server.doors.bulk import Bulk
from lanchat.storage.blobs import Blob, Blobs
from tests.support.links import open_links


class JustRestarted(Blob):
    """Its sender begins again, right after a reader has seen that there is more."""

    @property
    def have(self) -> int:
        return 0


@pytest.fixture
def links(identity):
    with open_links(identity("hal")) as links:
        yield links


def test_nothing_is_read_of_a_file_whose_sender_has_just_begun_again(links, tmp_path):
    """A read of less than nothing would be one of the whole file."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    link, peer = links.alone()
    bulk = Bulk(Blobs(tmp_path), lambda whole: None)
    bulk._copy(link, JustRestarted(path, 1000, 100), 50, 1)
    assert link.over and peer.recv(1000) == b""
