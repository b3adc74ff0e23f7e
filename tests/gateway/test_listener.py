"""The port of the gateway, on a system that gives this process no more threads."""

import socket
from contextlib import suppress

import pytest

from tests.gateway.serving import Seen, serving
from tests.support.refused import NO_THREAD
from tests.support.waiting import PATIENCE


def test_a_gateway_that_gets_no_thread_leaves_nothing_behind(no_thread):
    no_thread("gateway-accept")
    with pytest.raises(RuntimeError, match=NO_THREAD), serving(Seen()):
        pass


def test_a_client_that_gets_no_thread_is_sent_away_and_the_next_one_is_served(gateway, come, no_thread):
    no_thread("gateway-reader")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE) as refused, suppress(ConnectionError):
        assert refused.recv(1) == b""
    no_thread()
    come().until("422")
