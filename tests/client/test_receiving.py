"""The receiving half of a member, which is pure."""

import pytest

from lanchat.client.events import HEAVY
from lanchat.client.receiving import LATER_LIMIT, Incoming, PrivateDedup, check_host, check_welcome
from lanchat.errors import ConnectionLost, ProtocolError
from lanchat.protocol.messages import Fetch, Joined, Present, Said, Told, Welcome


def test_a_private_message_is_new_once():
    private, psst = PrivateDedup(), Told("2", 0, "id-ann", "ann", "id-bob", "bob", "psst")
    assert private.is_new(psst) and not private.is_new(psst)
    assert not private.is_confirmed(psst)
    private.confirm(psst)
    assert private.is_confirmed(psst) and not private.is_new(psst)


@pytest.mark.parametrize("kind", ["present", "joined"])
@pytest.mark.parametrize(
    ("id", "host", "complaint"),
    [
        ("id-hal", True, ""),
        ("id-ann", False, ""),
        ("~1", False, ""),
        ("id-ann", True, "claims to have another key"),
        ("id-hal", False, "somebody else has its key"),
    ],
)
def test_who_hosts_is_the_key_of_the_link(kind, id, host, complaint):
    somebody = Present(id, "hal", host) if kind == "present" else Joined(1, 0, id, "hal", host)
    if not complaint:
        check_host(somebody, "id-hal")
        return
    with pytest.raises(ProtocolError, match=complaint):
        check_host(somebody, "id-hal")


def test_who_we_are_is_our_own_key():
    check_welcome(Welcome("id-ann", "ann", 0, 0, 0), "id-ann")
    with pytest.raises(ProtocolError, match="another key than yours"):
        check_welcome(Welcome("id-bob", "ann", 0, 0, 0), "id-ann")


def past_that_never_comes(incoming: Incoming, text: str) -> int:
    """How many events wait for it, until the host is given up."""
    incoming.seq = 0
    assert incoming.resume(Welcome("i", "vera", 1, 0, 0, since=1000)) == Fetch(0)
    for number in range(LATER_LIMIT + 1):
        try:
            assert incoming.take(Said(2000 + number, 0, "e" * 32, "eve", str(number), text)) == []
        except ConnectionLost:
            return number
    raise AssertionError("it waits for ever")


def test_a_host_that_owes_pages_is_given_up_sooner_the_more_waits_for_them():
    assert past_that_never_comes(Incoming(), "x" * 100) == LATER_LIMIT
    page = "\U0001f600" + "\u6f22" * 4095
    assert past_that_never_comes(Incoming(), page) * 4 * len(page) <= LATER_LIMIT * HEAVY + 4 * len(page)


def test_what_waits_is_counted_anew_after_each_reconnect():
    incoming = Incoming()
    for _ in range(3):
        assert past_that_never_comes(incoming, "x") == LATER_LIMIT
