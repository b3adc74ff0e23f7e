import threading

import pytest

from lanchat.discovery.advertise import Advertiser
from lanchat.discovery.sighting import Advertisement
from tests.support.addresses import LOOPBACK

ROOM = "0123456789abcdef" * 2


def test_an_advertiser_that_cannot_start_leaves_no_thread(monkeypatch, udp_port):
    """It fails with its second thread, when the first one runs already."""
    start = threading.Thread.start

    def no_more_threads(thread: threading.Thread) -> None:
        if thread.name == "mdns-register":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", no_more_threads)
    with pytest.raises(RuntimeError):
        Advertiser(Advertisement(ROOM, "Room A", "ann", 47474), LOOPBACK, pytest.fail, port=udp_port)
    assert "announce" not in [thread.name for thread in threading.enumerate()]
