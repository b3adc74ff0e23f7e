"""Private messages of a member: drafts are sealed, boxes are opened. The pure part."""

import pytest

from lanchat.client.events import PrivateMessage
from lanchat.client.private import addressed, on_the_wire, opened, opened_again
from lanchat.protocol.drafts import PrivateDraft
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import SEED_SIZE, key_from_seed
from lanchat.protocol.messages import Tell, Told
from lanchat.protocol.people import Owner, Who
from lanchat.protocol.sealed import Sealer

ROOM = "5" * 32
KEYS = {name: key_from_seed(name.encode().ljust(SEED_SIZE)) for name in ("ann", "bob", "eve")}
PUBLIC = {name: key.public_key().public_bytes_raw() for name, key in KEYS.items()}
ID = {name: member_id(public) for name, public in PUBLIC.items()}
ANN, BOB, EVE = (Sealer(key, ROOM) for key in KEYS.values())
SMALL = (1).to_bytes(32, "little")  # a key of small order


def draft(to: str = "", key: bytes = b"") -> PrivateDraft:
    return PrivateDraft("1", to, "bob", "psst", key)


def told(box: bytes, *, by: str = "ann", to: str = "bob", text: str = "") -> Told:
    return Told("1", 7, ID.get(by, by), by, ID.get(to, to), to, box, text)


# ---- out


def test_a_draft_with_a_key_is_sealed_for_it():
    tell = on_the_wire(draft(ID["bob"], PUBLIC["bob"]), ANN)
    assert isinstance(tell, Tell) and (tell.id, tell.to, tell.nick, tell.text) == ("1", ID["bob"], "bob", "")
    assert opened(told(tell.box), BOB).text == opened(told(tell.copy), ANN).text == "psst"


@pytest.mark.parametrize(
    ("to", "key"),
    [("", b""), (ID["bob"], b""), (ID["bob"], PUBLIC["eve"]), ("", PUBLIC["bob"]), (member_id(SMALL), SMALL)],
    ids=["nothing known", "no key", "another's key", "no id", "a key that hides nothing"],
)
def test_without_a_key_that_fits_the_host_is_asked(to, key):
    assert on_the_wire(draft(to, key), ANN) == Who("1", to, "bob")


def test_only_a_guest_is_sent_the_text_as_it_is():
    assert on_the_wire(draft("~1f"), ANN) == Tell("1", "~1f", "bob", text="psst")
    assert on_the_wire(draft("~1f", PUBLIC["bob"]), ANN) == Tell("1", "~1f", "bob", text="psst")


def test_from_the_answer_on_a_draft_is_for_one_key():
    answer = Owner("1", ID["bob"], "rob", PUBLIC["bob"])
    assert addressed(draft(), answer) == addressed(draft(ID["bob"]), answer) == draft(ID["bob"], PUBLIC["bob"])


@pytest.mark.parametrize(
    ("meant", "answer"),
    [
        (ID["bob"], Owner("1", ID["eve"], "bob", PUBLIC["eve"])),
        ("", Owner("1", ID["bob"], "bob", PUBLIC["eve"])),
        ("", Owner("1", ID["bob"], "bob", b"")),
        ("", Owner("1", "~1f", "bob", b"")),
        ("", Owner("1", member_id(SMALL), "bob", SMALL)),
    ],
    ids=["somebody else", "another's key", "no key", "a guest", "a key that hides nothing"],
)
def test_an_answer_that_names_no_key_of_whoever_is_meant_is_not_taken(meant, answer):
    with pytest.raises(ValueError, match="The host does not show a key of bob"):
        addressed(draft(meant), answer)


# ---- in


def test_what_was_opened_says_who_sealed_it():
    box, _ = ANN.seal(PUBLIC["bob"], "1", "psst")
    assert opened(told(box), BOB) == PrivateMessage("1", 7, ID["ann"], "ann", ID["bob"], "bob", "psst")


def test_what_cannot_be_opened_has_no_text():
    box, copy = ANN.seal(PUBLIC["bob"], "1", "psst")
    for wrong in (told(box, by="eve"), told(box, to="eve"), told(copy), told(box[:-1]), told(b"\0" * len(box))):
        message = opened(wrong, BOB)
        assert message.problem and not message.text
    assert opened(told(box), EVE).problem == "sealed for another key of yours"


def test_a_text_beside_a_box_is_not_looked_at():
    box, _ = ANN.seal(PUBLIC["bob"], "1", "psst")
    assert opened(told(box, text="forged"), BOB).text == "psst"
    assert opened(told(b"\0" * 4, text="forged"), BOB).text == ""


def test_what_is_not_sealed_is_believed_of_our_own_guests_alone():
    assert opened(told(b"", by="~1f", text="psst"), BOB).text == "psst"
    assert opened(told(b"", to="~1f", text="psst"), ANN).text == "psst"
    for by, to in (("ann", "bob"), ("bob", "ann"), ("ann", "~1f"), ("~1f", "ann"), ("~1f", "~2f"), ("bob", "bob")):
        forged = opened(told(b"", by=by, to=to, text="psst"), BOB)
        assert (forged.text, forged.problem) == ("", "not sealed, so the host may have written it: psst")


def test_on_our_own_disk_there_are_sealed_ones_and_those_that_never_were():
    box, copy = ANN.seal(PUBLIC["bob"], "1", "psst")
    assert opened_again(told(box), BOB).text == opened_again(told(copy), ANN).text == "psst"
    assert opened_again(told(b"", text="psst"), BOB).text == opened_again(told(b"", text="psst"), None).text == "psst"
    assert opened_again(told(box), None).problem == "your key is not on this machine"
    assert opened_again(told(box, text="forged"), EVE).problem == "sealed for another key of yours"
