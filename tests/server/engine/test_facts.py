"""What hosts of a room tell each other about themselves."""

from lanchat.server.engine.facts import HostFacts, read_facts, stored_by_all, write_facts
from lanchat.server.engine.shared_log import Living
from tests.support.cases import cases


def living(*stored):
    return [Living(f"host{n}", n, 4.0, write_facts(HostFacts(seq))) for n, seq in enumerate(stored)]


def test_what_all_hosts_have_in_their_files_may_go_from_the_engine():
    assert read_facts(write_facts(HostFacts(7, "at home"))) == HostFacts(7, "at home")
    assert [stored_by_all(hosts) for hosts in ((), living(9), living(9, 7, 8))] == [0, 9, 7]


@cases("data", [b"", b"\xff", b"[" * 2000, b"{", b'{"stored":-1}', b'{"stored":"x"}'])
def test_a_host_that_tells_nonsense_keeps_everything_there(data):
    assert stored_by_all([*living(9), Living("x", 1, 4.0, data)]) == 0
