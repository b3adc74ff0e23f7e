"""The negotiation of capabilities."""

from lanchat.protocol.irc.caps import MAX_LIST, OFFERED, Capabilities


def test_registration_waits_for_the_end_of_the_negotiation():
    capabilities = Capabilities()
    [(words, listed)] = capabilities.answer(("LS", "302"), registered=False) or []
    assert (
        words == "LS" and {one.partition("=")[0] for one in listed.split()} == set(OFFERED) and len(listed) <= MAX_LIST
    )
    assert capabilities.negotiating
    assert capabilities.answer(("REQ", "server-time batch"), registered=False) == [("ACK", "server-time batch")]
    assert capabilities.answer(("END",), registered=False) == []
    assert not capabilities.negotiating
    assert capabilities.active == {"server-time", "batch", "cap-notify"}
    assert capabilities.answer(("LIST",), registered=True) == [("LIST", "batch cap-notify server-time")]


def test_a_request_is_done_as_a_whole_or_not_at_all():
    capabilities = Capabilities()
    for wanted in ("batch nonsense", "batch -batch", "-nonsense"):
        assert capabilities.answer(("REQ", wanted), registered=True) == [("NAK", wanted)]
    assert capabilities.active == frozenset()
    assert capabilities.answer(("REQ", "batch"), registered=True) == [("ACK", "batch")]
    assert capabilities.answer(("REQ", "-batch server-time"), registered=True) == [("ACK", "-batch server-time")]
    assert capabilities.active == {"server-time"}
    assert not capabilities.negotiating


def test_what_version_302_implies_cannot_be_given_back():
    capabilities = Capabilities()
    capabilities.answer(("LS", "302"), registered=False)
    assert capabilities.answer(("REQ", "-cap-notify"), registered=False) == [("NAK", "-cap-notify")]


def test_nonsense_has_no_answer():
    assert Capabilities().answer(("NONSENSE",), registered=False) is None
    assert Capabilities().answer((), registered=False) is None
    assert Capabilities().answer(("LS", "9" * 5000), registered=False)
