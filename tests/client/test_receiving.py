"""The receiving half of a member, which is pure."""

from lanchat.client.receiving import PrivateDedup
from lanchat.protocol.messages import Told


def test_a_private_message_is_new_once():
    private, psst = PrivateDedup(), Told("2", 0, "id-ann", "ann", "id-bob", "bob", "psst")
    assert private.is_new(psst) and not private.is_new(psst)
    assert not private.is_confirmed(psst)
    private.confirm(psst)
    assert private.is_confirmed(psst) and not private.is_new(psst)
