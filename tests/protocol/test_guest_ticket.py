"""The ticket of a guest link."""

import pytest

from lanchat.protocol.guest_ticket import fits, ticket_from, ticket_proof, ticket_text
from lanchat.protocol.keys import key_from_seed

TICKET = bytes(range(16))
BINDING = bytes.fromhex("7060aa1e5995aadb632da1b30cf30e5ef79fce91df0df0fd64ca57863d9c66cd")
KEY = key_from_seed(b"\x66" * 32).public_key().public_bytes_raw()
PROOF = bytes.fromhex("5f404d919766fcc3b21fa36a781530b93714bde5b2f90cc59c53174fd3557c21")


def test_the_vector():
    assert ticket_proof(TICKET, BINDING, KEY) == PROOF
    assert ticket_text(TICKET) == "AAECAwQFBgcICQoLDA0ODw"


def test_a_proof_fits_one_ticket_link_and_key():
    assert fits(TICKET, PROOF, BINDING, KEY)
    for others in ((bytes(16), BINDING, KEY), (TICKET, bytes(32), KEY), (TICKET, BINDING, bytes(32))):
        assert not fits(others[0], PROOF, *others[1:])
    assert not fits(TICKET, PROOF[:-1], BINDING, KEY) and not fits(TICKET, b"", BINDING, KEY)


def test_a_ticket_is_read_as_it_was_written():
    assert ticket_from(ticket_text(TICKET)) == TICKET


@pytest.mark.parametrize("text", ["", "AAEC", "AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0OD/", "ä" * 22, "A" * 23])
def test_anything_else_is_no_ticket(text):
    with pytest.raises(ValueError, match="no guest link"):
        ticket_from(text)
