"""The receiving half of a member, which is pure."""

import pytest

from lanchat.client.receiving import PrivateDedup, check_host, check_welcome
from lanchat.errors import ProtocolError
from lanchat.protocol.messages import Joined, Present, Told, Welcome


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
