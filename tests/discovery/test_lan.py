"""Rooms are found on real networks, by whatever source is left; and if none is left, the doctor says why.

Each test is a lab of network namespaces with real multicast on a bridge.
"""

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Running
from tests.support.lab import Lab, Node
from tests.support.namespaces import require_namespaces
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until
from tests.support.watch import LONG, Watch

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

NO_MDNS = "add rule inet lab input udp dport 5353 drop"


@pytest.fixture
def lab(own_world: Path) -> Iterator[Lab]:
    require_namespaces()
    with Lab(own_world) as made:
        yield made


def rooms(node: Node, *options: str, wait: float = 1.5, who: str = "me") -> list[dict[str, Any]]:
    """What `lanchat rooms` lists on this node."""
    listed = node.lanchat.run("rooms", "--json", "--wait", str(wait), *options, who=who)
    assert listed.code == (0 if listed.out else 3), listed.err
    return [json.loads(line) for line in listed.lines]


def seen(node: Node, *options: str, who: str = "me") -> list[tuple[str, list[str]]]:
    """The titles that `lanchat rooms` lists on this node, each with the sources that see the room."""
    return sorted((row["title"], row["via"]) for row in rooms(node, *options, who=who))


def wait_seen(node: Node, *expected: tuple[str, list[str]], who: str = "me") -> None:
    """Wait until `lanchat rooms` lists exactly these rooms on this node."""
    wait_until(lambda: seen(node, who=who) == sorted(expected), LONG, f"{expected} to be seen")


def doctor(node: Node, *arguments: str, who: str = "me") -> tuple[int, dict[str, Any]]:
    """The exit code of `lanchat doctor` on this node, and its report."""
    ended = node.lanchat.run("doctor", "--json", *arguments, who=who, timeout=40)
    return ended.code, json.loads(ended.out)


def invite(host: Running) -> str:
    return next(str(line).split("'")[1] for line in host.err.splitlines() if "lanchat://" in line)


def drop_to_all(lab: Lab) -> None:
    """The switch drops multicast and broadcast, except ARP, without which nobody could talk at all."""
    lab.switch.call(
        "nft",
        "-f",
        "-",
        input="add table bridge lab\n"
        "add chain bridge lab forward { type filter hook forward priority 0; policy accept; }\n"
        "add rule bridge lab forward meta pkttype { multicast, broadcast } ether type ip drop\n"
        "add rule bridge lab forward ether type ip6 ip6 daddr ff00::/8 udp dport { 5353, 47474 } drop\n",
    )


def isolate_clients(lab: Lab) -> None:
    """The switch isolates its clients, as an access point may: each port talks to the router alone (here is none)."""
    for line in lab.switch.ip("-o", "link").splitlines():
        if (port := line.split()[1].partition("@")[0]).startswith("port"):
            lab.switch.call("bridge", "link", "set", "dev", port, "isolated", "on")


@pytest.mark.full
def test_a_room_is_found_over_udp_and_mdns(lab):
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    wait_until(lambda: [row["via"] for row in watch.rows.values()] == [["announce", "mdns"]], LONG)
    [row] = watch.rows.values()
    assert (row["title"], row["host"], row["state"], row["addresses"][0]) == (
        "Room A",
        "hal",
        "answering",
        room.address,
    )
    code, said = doctor(b)
    assert (code, said["command"]) == (0, "lanchat join")
    assert said["cause"] == f'All is well: the room "Room A" at {a.address} is visible and answers.'
    [node] = said["nodes"]
    assert (node["reached"], node["reaches_us"], node["hears"]) == (
        True,
        True,
        ["broadcast", "local multicast", "multicast"],
    )
    assert node["echo"] > 0


def test_a_room_is_found_over_udp_where_mdns_is_dropped(lab):
    a, b = lab.node("a"), lab.node("b")
    b.nft(NO_MDNS)
    a.lanchat.host("Room A", announce=True)
    wait_seen(b, ("Room A", ["announce"]))
    assert b.lanchat.run("join", "Room A", "--wait", f"{PATIENCE}", "--nick", "bob", input="hello\n").code == 0


@pytest.mark.full
def test_where_nothing_to_everybody_gets_through_an_invite_and_recent_rooms_work(lab):
    a, b = lab.node("a"), lab.node("b")
    drop_to_all(lab)
    room = a.lanchat.host("Room A", announce=True)
    assert rooms(b) == []

    code, said = doctor(b)
    assert (code, said["command"]) == (0, "lanchat doctor ADDRESS    (the address that the host's screen shows)")
    code, said = doctor(b, room.address)
    assert (code, said["command"]) == (0, f"lanchat join {room.address}")
    assert said["cause"] == f'The room "Room A" answers at {room.address}.'
    assert said["remark"] == "It does not show up in the list: this network drops multicast, broadcast and mDNS."

    joined = b.lanchat.run("join", invite(room), "--nick", "bob", input="hello\n")
    assert joined.code == 0, joined.err
    wait_seen(b, ("Room A", ["recent"]), who="bob")
    assert b.lanchat.run("join", "Room A", "--nick", "bob", input="hello again\n").code == 0


@pytest.mark.full
def test_a_scan_finds_what_nothing_else_does(lab):
    a, b = lab.node("a"), lab.node("b")
    drop_to_all(lab)
    one = a.lanchat.start("host", "Room A", "--nick", "hal")
    one.wait_err("hal joined")
    two = a.lanchat.start("host", "Room B", "--nick", "hans")
    two.wait_err("hans joined")
    wait_until(lambda: seen(b, "--scan") == [("Room A", ["scan"]), ("Room B", ["scan"])], LONG)


@pytest.mark.full
def test_an_invite_with_another_key_is_refused(lab):
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A")
    text = invite(room)
    whole, _, key = text.partition("#")
    wrong = f"{whole}#{'0' * len(key)}"
    ended = b.lanchat.run("join", wrong, "--nick", "bob", input="secret\n")
    assert ended.code == 5
    assert "secret" not in room.out
    assert b.lanchat.run("join", whole, "--nick", "bob", input="x\n").code == 2


@pytest.mark.full
def test_a_firewall_of_this_machine_is_named(lab):
    b = lab.node("b")
    b.nft("add rule inet lab input udp dport { 5353, 47474 } drop")
    code, said = doctor(b)
    assert code == 1
    assert said["cause"] == (
        "This machine does not even hear its own multicast, broadcast and mDNS: a firewall on it drops them."
    )
    assert said["command"] == "sudo nft list ruleset"


@pytest.mark.full
def test_client_isolation_is_named(lab):
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    isolate_clients(lab)
    assert rooms(b) == []
    code, said = doctor(b, room.address)
    assert code == 1
    assert said["cause"].startswith(f"{room.address} is on your network but does not answer: ")
    assert "the Wi-Fi isolates its clients" in said["cause"]


@pytest.mark.full
def test_a_firewall_of_the_other_machine_is_named(lab):
    a, b = lab.node("a"), lab.node("b")
    a.nft("add rule inet lab input tcp dport 1024-65535 drop")
    a.lanchat.host("Room A", announce=True)
    code, said = doctor(b)
    assert code == 1
    assert said["cause"] == (
        f"{a.address} announces a room, but connections to it do not get through: "
        "a firewall on that machine blocks them."
    )


@pytest.mark.full
def test_a_dead_network_does_not_harm_the_other_one(lab):
    a, b = lab.node("a", on=("lan", "other")), lab.node("b")
    a.cut("eth1")
    room = a.lanchat.host("Room A", announce=True)
    for node in (a, b):
        Watch(node).wait_address(room.address)


@pytest.mark.full
def test_a_member_on_two_networks_sees_the_rooms_of_both(lab):
    a, b = lab.node("a", on=("lan",)), lab.node("b", on=("other",))
    member = lab.node("m", on=("lan", "other"))
    a.lanchat.host("Room A", nick="hal", announce=True)
    b.lanchat.host("Room B", nick="hans", announce=True)
    Watch(member).wait_titles("Room A", "Room B")
    Watch(a).wait_titles("Room A")
    assert member.lanchat.run("join", "Room B", "--nick", "ann", input="hello\n").code == 0


@pytest.mark.full
def test_three_hosts_on_one_machine_are_three_rooms(lab):
    a, b = lab.node("a"), lab.node("b")
    for title in ("One", "Two", "Three"):
        a.lanchat.host(title, nick=title.lower(), announce=True)
    for node in (a, b):
        Watch(node).wait_titles("One", "Two", "Three")


@pytest.mark.full
def test_a_room_is_found_on_a_link_with_ipv6_alone(lab):
    a, b = lab.node("a"), lab.node("b")
    for node in (a, b):
        node.lose(node.address)
    room = a.lanchat.start("host", "Room A", "--nick", "hal")
    room.wait_err("hal joined")
    watch = Watch(b)
    watch.wait_titles("Room A")
    address = next(iter(watch.rows.values()))["addresses"][0]
    assert address.startswith("[fe80::") and address.endswith("%eth0]:47474")
    assert b.lanchat.run("join", "Room A", "--nick", "bob", input="hello\n").code == 0
    assert b.lanchat.run("join", address, "--nick", "bob", input="hello\n").code == 0


@pytest.mark.parametrize("who_moves", ["host", pytest.param("member", marks=pytest.mark.full)])
def test_a_machine_that_moves_is_found_again(lab, who_moves):
    """Another Wi-Fi: both get new addresses in another network, the one under test later than the other."""
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(a.address)
    host, port = a.address, room.port
    first, later = (b, a) if who_moves == "host" else (a, b)
    for node in (first, later):
        old = node.address
        node.give(old.replace("10.99.0.", "10.77.0.") + "/24")
        node.lose(old)
    watch.wait_address(f"{host.replace('10.99.0.', '10.77.0.')}:{port}")


@pytest.mark.full
def test_mdns_alone_follows_a_new_address(lab):
    a, b = lab.node("a"), lab.node("b")
    for node in (a, b):
        node.nft("add rule inet lab input udp dport 47474 drop")
        node.nft("add rule inet lab input udp sport 47474 drop")
    a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(a.address)
    for node in (a, b):
        old = node.address
        node.give(old.replace("10.99.0.", "10.77.0.") + "/24")
        node.lose(old)
    watch.wait_address(a.address)


@pytest.mark.full
def test_a_network_that_comes_later_is_used(lab):
    a, b = lab.node("a", on=()), lab.node("b")
    a.lanchat.start("host", "Room A", "--nick", "hal").wait_err("hal joined")
    watch = Watch(b)
    lab.connect(a, "lan")
    watch.wait_address(a.address)


@pytest.mark.full
def test_a_host_works_beside_avahi(lab, tmp_path):
    """Another mDNS responder has port 5353 already, as on most Linux desktops."""
    if shutil.which("avahi-daemon") is None:
        pytest.skip("avahi-daemon is not installed")
    a, b = lab.node("a"), lab.node("b")
    with avahi(a, tmp_path):
        a.lanchat.host("Room A", announce=True)
        b.nft("add rule inet lab input udp dport 47474 drop")
        b.nft("add rule inet lab input udp sport 47474 drop")
        wait_seen(b, ("Room A", ["mdns"]))


@contextmanager
def avahi(node: Node, folder: Path) -> Iterator[None]:
    """avahi-daemon on a node, without D-Bus."""
    configuration = folder / "avahi.conf"
    configuration.write_text("[server]\nenable-dbus=no\nhost-name=other\n[publish]\n[wide-area]\n[reflector]\n")
    own_run = "mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon"  # where its process id goes
    begin = f"exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f '{configuration}'"
    argv = [*node.prefix, "unshare", "--mount", "sh", "-c", f"{own_run} && {begin}"]
    with Program(argv, folder / "avahi") as daemon:
        daemon.wait_err("Server startup complete")
        yield


def silently_own(node: Node, *addresses: str) -> None:
    """Let a node send from addresses at which nobody answers, not even when asked for the hardware address."""
    node.call("sysctl", "-q", "-w", "net.ipv4.conf.all.arp_ignore=1")
    node.call("ip", "-batch", "-", input="".join(f"address add {address}/32 dev lo\n" for address in addresses))


FLOOD = """
import secrets, socket, sys, time
from lanchat.discovery.udp.packets import Gone, Here, encode
ours, room, spoof = sys.argv[1], sys.argv[2], sys.argv[3] == "spoof"
def sock(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ours))
    s.bind((address, 0))
    return s
sockets = [sock(f"10.99.0.{n}") for n in range(50, 250)] if spoof else [sock(ours)]
count = 0
print("flooding", flush=True)
while True:
    s = sockets[count % len(sockets)]
    s.sendto(encode(Here(secrets.token_hex(16), f"False {count}", "eve", 47474 + count % 90)), ("239.255.47.74", 47474))
    if count % 10 == 0:
        s.sendto(encode(Gone(room)), ("239.255.47.74", 47474))
    count += 1
    time.sleep(0.005)
"""


@pytest.mark.full
@pytest.mark.parametrize("how", ["own", "spoof"])
def test_two_hundred_false_announcements_a_second_do_not_hide_a_room(lab, how, tmp_path):
    """The flood goes on until the room is found."""
    a, b, eve = lab.node("a"), lab.node("b"), lab.node("eve")
    if how == "spoof":
        silently_own(eve, *(f"10.99.0.{n}" for n in range(50, 250)))
    argv = [*eve.prefix, sys.executable, "-c", FLOOD, eve.address, "0" * 32, how]
    with Program(argv, tmp_path / "flood") as flood:
        assert flood.next_line() == "flooding"
        watch = Watch(b)
        wait_until(lambda: watch.rows or how == "own", LONG)
        room = a.lanchat.host("Room A", announce=True)
        watch.wait_address(room.address)
        assert flood.process.poll() is None, "the flood has not ended before"
        assert len(watch.rows) <= 64


SAY = """
import socket, sys
from lanchat.discovery.udp.packets import Gone, Here, encode
sender, word, room = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.bind((sender, 0))
    packet = Gone(room) if word == "gone" else Here(room, "Control", "eve", 40000)
    for _ in range(50):
        sock.sendto(encode(packet), ("10.99.0.255", 47474))
"""


@pytest.mark.full
def test_goodbyes_of_a_stranger_touch_neither_list_nor_talk(lab):
    """A second room, which never answers, says goodbye after the false goodbyes: when it has left, they have failed."""
    a, b, eve = lab.node("a"), lab.node("b"), lab.node("eve")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(room.address)
    [id] = watch.rows
    ann = b.lanchat.start("join", room.address, "--nick", "ann", stdin="pipe")
    ann.wait_err("ann joined")

    def say(sender: str, word: str, room_id: str) -> None:
        eve.call(sys.executable, "-c", SAY, sender, word, room_id)

    control = "c" * 32
    eve.nft("add rule inet lab input tcp dport 40000 drop")
    say(eve.address, "here", control)
    wait_until(lambda: control in watch.rows, LONG)
    silently_own(eve, a.address)
    for sender in (eve.address, a.address):  # in its own name, and in the name of the host
        say(sender, "gone", id)
    say(eve.address, "gone", control)
    wait_until(lambda: control not in watch.rows, LONG)
    assert list(watch.rows) == [id]
    ann.say("still here\n")
    room.wait_out("ann: still here")


TWIN = """
import sys
from pathlib import Path
from lanchat.discovery.sighting import Advertisement
from lanchat.discovery.advertise import Advertiser
from lanchat.network.addresses import OwnAddresses
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage.identity import load_identity
host = Host("Room A", load_identity(Path(sys.argv[1])), nick="hal", room_id=sys.argv[2], doors=[native_door(0)])
host.start()
with host, Advertiser(Advertisement(host.room_id, "Room A", "hal", host.port), OwnAddresses(), print):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.full
def test_an_evil_twin_does_not_replace_a_room(lab, tmp_path):
    """Another machine says that it has the same room, with the same title, but what answers there has another key."""
    a, b, eve = lab.node("a"), lab.node("b"), lab.node("eve")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(room.address)
    [(id, row)] = watch.rows.items()
    assert b.lanchat.run("join", "Room A", "--nick", "ann", input="hello\n").code == 0
    argv = [*eve.prefix, sys.executable, "-c", TWIN, str(eve.lanchat.home("eve")), id]
    with Program(argv, tmp_path / "twin", stdin="pipe") as twin:
        assert twin.next_line() == "open"
        watch.wait_address(eve.address)
        mine, twins = watch.rows_of(id)
        assert mine["fingerprint"] == row["fingerprint"], "the one that answered first keeps its row"
        assert not any(eve.address in address for address in mine["addresses"])
        assert twins["fingerprint"] != row["fingerprint"], "and the other key has a row of its own"
        assert not any(a.address in address for address in twins["addresses"])
        room.send(signal.SIGKILL)
        wait_until(lambda: [row["fingerprint"] for row in watch.rows_of(id)] == [twins["fingerprint"]], LONG)
        ended = b.lanchat.run("join", "Room A", "--nick", "ann", input="secret\n")
        assert ended.code == 5, "its key is not the one that was shown before"
