"""Rooms are found on real networks, by whatever way is left; and where none is left, the doctor says why.

Each test is a lab of network namespaces with real multicast on a bridge.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Running
from tests.support.lab import Lab, Node, require_lab
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

NO_MDNS = "add rule inet lab input udp dport 5353 drop"
NOTHING_TO_ALL = """
add rule inet lab input meta pkttype { multicast, broadcast } ip protocol udp drop
add rule inet lab input meta pkttype multicast ip6 nexthdr udp drop
"""
NO_IPV6 = "net.ipv6.conf.all.disable_ipv6=1"


@pytest.fixture
def lab(own_world: Path) -> Iterator[Lab]:
    require_lab()
    with Lab(own_world) as made:
        yield made


def rooms(node: Node, *options: str, wait: float = 1.5, who: str = "me") -> list[dict[str, Any]]:
    """What `lanchat rooms` lists there."""
    listed = node.lanchat.run("rooms", "--json", "--wait", str(wait), *options, who=who)
    assert listed.code == 0, listed.err
    return [json.loads(line) for line in listed.lines]


def doctor(node: Node, *arguments: str, who: str = "me") -> tuple[int, dict[str, Any]]:
    """Its exit code and what it says."""
    ended = node.lanchat.run("doctor", "--json", *arguments, who=who, timeout=40)
    return ended.code, json.loads(ended.out)


def invite(host: Running) -> str:
    return next(str(line).split("'")[1] for line in host.err.splitlines() if "lanchat://" in line)


def drop_to_all(lab: Lab) -> None:
    """A switch that passes neither multicast nor broadcast, but for ARP: else nobody could talk at all."""
    lab.switch.call(
        "nft",
        "-f",
        "-",
        input="add table bridge lab\n"
        "add chain bridge lab forward { type filter hook forward priority 0; policy accept; }\n"
        "add rule bridge lab forward meta pkttype { multicast, broadcast } ether type ip drop\n"
        "add rule bridge lab forward ether type ip6 ip6 daddr ff00::/8 udp dport { 5353, 47474 } drop\n",
    )


def keep_apart(lab: Lab) -> None:
    """An access point with client isolation: each port talks to the router alone, and there is none."""
    for line in lab.switch.ip("-o", "link").splitlines():
        if (port := line.split()[1].partition("@")[0]).startswith("port"):
            lab.switch.call("bridge", "link", "set", "dev", port, "isolated", "on")


@pytest.mark.full
def test_a_room_is_found_at_once_and_by_both_ways(lab):
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    wait_until(lambda: [row["ways"] for row in watch.rows.values()] == [["announce", "mdns"]], 30)
    [row] = rooms(b)
    assert (row["title"], row["host"], row["state"], row["addresses"][0]) == (
        "Room A",
        "hal",
        "answering",
        room.address,
    )
    code, said = doctor(b)
    assert (code, said["command"]) == (0, "lanchat join")
    assert said["cause"] == f'All is well: the room "Room A" of {a.address} is seen and answers.'
    [node] = said["nodes"]
    assert (node["reached"], node["reaches_us"], node["hears"]) == (
        True,
        True,
        ["broadcast", "local multicast", "multicast"],
    )
    assert 0 < node["echo"] < 500


def test_where_mdns_is_dropped_the_announcement_is_found(lab):
    a, b = lab.node("a"), lab.node("b")
    b.nft(NO_MDNS)
    a.lanchat.host("Room A", announce=True)
    assert [(row["title"], row["ways"]) for row in rooms(b)] == [("Room A", ["announce"])]
    assert b.lanchat.run("join", "Room A", "--nick", "bob", input="hello\n").code == 0


@pytest.mark.full
def test_where_nothing_to_all_gets_through_invite_and_memory_and_scan_do(lab):
    a, b = lab.node("a"), lab.node("b")
    drop_to_all(lab)
    room = a.lanchat.host("Room A", announce=True)
    assert rooms(b) == []

    code, said = doctor(b)
    assert (code, said["command"]) == (0, "lanchat doctor ADDRESS    (the address that the host's screen shows)")
    code, said = doctor(b, room.address)
    assert (code, said["command"]) == (0, f"lanchat join {room.address}")
    assert said["cause"] == (
        f'The room "Room A" at {room.address} answers, but nothing of it is heard over multicast, broadcast or mDNS: '
        "this network drops them, so rooms do not show up by themselves."
    )

    assert [row["ways"] for row in rooms(b, "--scan", who="eve")] in ([["scan"]], [])  # the port is not the usual one
    joined = b.lanchat.run("join", invite(room), "--nick", "bob", input="hello\n")
    assert joined.code == 0, joined.err
    assert [(row["title"], row["ways"]) for row in rooms(b, who="bob")] == [("Room A", ["remembered"])]
    assert b.lanchat.run("join", "Room A", "--nick", "bob", input="hello again\n").code == 0


@pytest.mark.full
def test_a_scan_finds_what_nothing_else_does(lab):
    a, b = lab.node("a"), lab.node("b")
    drop_to_all(lab)
    one = a.lanchat.start("host", "Room A", "--nick", "hal")
    one.wait_err("hal joined")
    two = a.lanchat.start("host", "Room B", "--nick", "hans")
    two.wait_err("hans joined")
    assert sorted((row["title"], row["ways"]) for row in rooms(b, "--scan")) == [
        ("Room A", ["scan"]),
        ("Room B", ["scan"]),
    ]


def test_an_invite_of_somebody_else_is_not_followed(lab):
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
def test_a_firewall_of_ones_own_is_named(lab):
    b = lab.node("b")
    b.nft("add rule inet lab input udp dport { 5353, 47474 } drop")
    code, said = doctor(b)
    assert code == 1
    assert said["cause"] == (
        "This machine does not hear even its own multicast, broadcast and mDNS: a firewall on it drops them."
    )
    assert said["command"] == "sudo nft list ruleset"


@pytest.mark.full
def test_client_isolation_is_named(lab):
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    keep_apart(lab)
    assert rooms(b) == []
    code, said = doctor(b, room.address)
    assert code == 1
    assert said["cause"].startswith(f"{room.address} is on this very network but cannot be reached: ")
    assert "client isolation" in said["cause"]


@pytest.mark.full
def test_a_firewall_of_the_other_machine_is_named(lab):
    a, b = lab.node("a"), lab.node("b")
    a.nft("add rule inet lab input tcp dport 1024-65535 drop")
    a.lanchat.host("Room A", announce=True)
    code, said = doctor(b)
    assert code == 1
    assert said["cause"] == (
        f"{a.address} announces a room, but connections to it do not get through: "
        "a firewall on that machine keeps them out."
    )


@pytest.mark.full
def test_of_two_networks_the_dead_one_does_no_harm(lab):
    a, b = lab.node("a", on=("lan", "other")), lab.node("b")
    a.cut("eth1")
    room = a.lanchat.host("Room A", announce=True)
    [row] = rooms(b)
    assert row["addresses"][0] == room.address
    assert [row["title"] for row in rooms(a)] == ["Room A"]


@pytest.mark.full
def test_a_member_on_two_networks_sees_the_rooms_of_both(lab):
    a, b = lab.node("a", on=("lan",)), lab.node("b", on=("other",))
    member = lab.node("m", on=("lan", "other"))
    a.lanchat.host("Room A", nick="hal", announce=True)
    b.lanchat.host("Room B", nick="hans", announce=True)
    assert sorted(row["title"] for row in rooms(member)) == ["Room A", "Room B"]
    assert [row["title"] for row in rooms(a)] == ["Room A"]
    assert member.lanchat.run("join", "Room B", "--nick", "ann", input="hello\n").code == 0


@pytest.mark.full
def test_three_hosts_on_one_machine_are_three_rooms(lab):
    a, b = lab.node("a"), lab.node("b")
    for title in ("One", "Two", "Three"):
        a.lanchat.host(title, nick=title.lower(), announce=True)
    assert sorted(row["title"] for row in rooms(b)) == ["One", "Three", "Two"]
    assert sorted(row["title"] for row in rooms(a)) == ["One", "Three", "Two"]


@pytest.mark.full
def test_a_link_with_ipv6_alone(lab):
    a, b = lab.node("a"), lab.node("b")
    for node in (a, b):
        node.lose(node.address)
    room = a.lanchat.start("host", "Room A", "--nick", "hal")
    room.wait_err("hal joined")
    [row] = rooms(b)
    assert row["addresses"][0].startswith("[fe80::") and row["addresses"][0].endswith("%eth0]:47474")
    assert b.lanchat.run("join", "Room A", "--nick", "bob", input="hello\n").code == 0
    assert b.lanchat.run("join", row["addresses"][0], "--nick", "bob", input="hello\n").code == 0


class Watch:
    """`lanchat rooms --watch` on a node."""

    def __init__(self, node: Node, who: str = "watch") -> None:
        self._running = node.lanchat.start("rooms", "--watch", "--json", who=who)

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for line in self._running.out.splitlines(keepends=True):
            if line.endswith("\n"):
                change = json.loads(line)
                found[change["id"]] = change
        return {id: change for id, change in found.items() if change["change"] != "gone"}

    def wait_address(self, address: str, within: float) -> float:
        """How long it takes until a room answers at this address."""
        began = time.monotonic()
        wait_until(
            lambda: any(
                row["state"] == "answering" and any(address in each for each in row["addresses"])
                for row in self.rows.values()
            ),
            within,
            f"a room at {address}",
        )
        return time.monotonic() - began


@pytest.mark.parametrize("who_moves", ["host", pytest.param("member", marks=pytest.mark.full)])
def test_a_machine_that_moves_is_found_within_ten_seconds(lab, who_moves):
    """Another Wi-Fi: both have new addresses, in another network; the one under test later than the other."""
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(a.address, 10)
    host, port = a.address, room.port
    first, later = (b, a) if who_moves == "host" else (a, b)
    for node in (first, later):
        old = node.address
        node.give(old.replace("10.99.0.", "10.77.0.") + "/24")
        node.lose(old)
    watch.wait_address(f"{host.replace('10.99.0.', '10.77.0.')}:{port}", 10)


@pytest.mark.full
def test_mdns_alone_follows_a_new_address(lab):
    a, b = lab.node("a"), lab.node("b")
    for node in (a, b):
        node.nft("add rule inet lab input udp dport 47474 drop")
        node.nft("add rule inet lab input udp sport 47474 drop")
    a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(a.address, 15)
    for node in (a, b):
        old = node.address
        node.give(old.replace("10.99.0.", "10.77.0.") + "/24")
        node.lose(old)
    watch.wait_address(a.address, 15)


@pytest.mark.full
def test_a_network_that_comes_later_is_used(lab):
    a, b = lab.node("a", on=()), lab.node("b")
    a.lanchat.start("host", "Room A", "--nick", "hal").wait_err("hal joined")
    watch = Watch(b)
    lab.connect(a, "lan")
    assert watch.wait_address(a.address, 15) < 10


@pytest.mark.full
def test_a_host_beside_avahi(lab, tmp_path):
    """Another mDNS responder has port 5353 already, as on most Linux desktops."""
    if shutil.which("avahi-daemon") is None:
        pytest.skip("avahi-daemon is not installed")
    a, b = lab.node("a"), lab.node("b")
    with Avahi(a, tmp_path):
        a.lanchat.host("Room A", announce=True)
        b.nft("add rule inet lab input udp dport 47474 drop")
        b.nft("add rule inet lab input udp sport 47474 drop")
        wait_until(lambda: [row["ways"] for row in rooms(b)] == [["mdns"]], 30)


class Avahi:
    """avahi-daemon on a node, without D-Bus."""

    def __init__(self, node: Node, folder: Path) -> None:
        configuration = folder / "avahi.conf"
        configuration.write_text("[server]\nenable-dbus=no\nhost-name=other\n[publish]\n[wide-area]\n[reflector]\n")
        own_run = "mkdir -p /run/avahi-daemon && mount -t tmpfs none /run/avahi-daemon"  # where its process id goes
        start = f"exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f '{configuration}'"
        self._daemon = subprocess.Popen(
            [*node.prefix, "unshare", "--mount", "sh", "-c", f"{own_run} && {start}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._daemon.stderr is not None
        said = []
        for line in self._daemon.stderr:
            said.append(line)
            if "Server startup complete" in line:
                return
        self.__exit__()
        raise AssertionError(f"avahi-daemon did not start: {said}")

    def __enter__(self) -> "Avahi":
        return self

    def __exit__(self, *exception: object) -> None:
        self._daemon.terminate()
        self._daemon.wait(10)
        assert self._daemon.stderr is not None
        self._daemon.stderr.close()


def silently_own(node: Node, *addresses: str) -> None:
    """Let a node send from addresses at which nobody answers, not even to the question for a hardware address."""
    node.call("sysctl", "-q", "-w", "net.ipv4.conf.all.arp_ignore=1")
    node.call("ip", "-batch", "-", input="".join(f"address add {address}/32 dev lo\n" for address in addresses))


FLOOD = """
import secrets, socket, sys, time
from lanchat.discovery.udp.packets import Gone, Here, encode
ours, room, seconds, spoof = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4] == "spoof"
def sock(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ours))
    s.bind((address, 0))
    return s
sockets = [sock(f"10.99.0.{n}") for n in range(50, 250)] if spoof else [sock(ours)]
end, count = time.monotonic() + seconds, 0
print("flooding", flush=True)
while time.monotonic() < end:
    s = sockets[count % len(sockets)]
    s.sendto(encode(Here(secrets.token_hex(16), f"False {count}", "eve", 47474 + count % 90)), ("239.255.47.74", 47474))
    if count % 10 == 0:
        s.sendto(encode(Gone(room)), ("239.255.47.74", 47474))
    count += 1
    time.sleep(0.005)
"""


@pytest.mark.parametrize("how", ["own", pytest.param("spoof", marks=pytest.mark.full)])
def test_two_hundred_false_announcements_a_second_do_not_hide_a_room(lab, how):
    a, b, eve = lab.node("a"), lab.node("b"), lab.node("eve")
    seconds = 25 if how == "spoof" else 8
    if how == "spoof":
        silently_own(eve, *(f"10.99.0.{n}" for n in range(50, 250)))
    flood = subprocess.Popen(
        [*eve.prefix, sys.executable, "-c", FLOOD, eve.address, "0" * 32, str(seconds), how],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert flood.stdout is not None and flood.stdout.readline() == "flooding\n"
        watch = Watch(b)
        wait_until(lambda: watch.rows or how == "own", 10)
        room = a.lanchat.host("Room A", announce=True)
        took = watch.wait_address(room.address, seconds - 2)
        assert len(watch.rows) <= 64
        assert took < (15 if how == "spoof" else 5)
    finally:
        flood.kill()
        flood.communicate()


@pytest.mark.full
def test_goodbyes_of_a_stranger_touch_neither_list_nor_talk(lab):
    a, b, eve = lab.node("a"), lab.node("b"), lab.node("eve")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(room.address, 10)
    [id] = watch.rows
    ann = b.lanchat.start("join", room.address, "--nick", "ann", stdin="pipe")
    ann.wait_err("ann joined")
    say_gone = (
        "import socket, sys\nfrom lanchat.discovery.udp.packets import Gone, encode\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
        "s.bind((sys.argv[1], 0))\n"
        "[s.sendto(encode(Gone(sys.argv[2])), ('10.99.0.255', 47474)) for _ in range(50)]\n"
    )
    silently_own(eve, a.address)
    for sender in (eve.address, a.address):  # its own, and in the name of the host
        eve.call(sys.executable, "-c", say_gone, sender, id)
    ann.say("still here\n")
    room.wait_out("ann: still here")
    time.sleep(3)  # longer than a room that said goodbye is kept
    assert list(watch.rows) == [id]


@pytest.mark.full
def test_an_evil_twin_does_not_take_the_place_of_a_room(lab):
    """Another machine says that it has the same room, under the same title; what answers there has another key."""
    a, b, eve = lab.node("a"), lab.node("b"), lab.node("eve")
    room = a.lanchat.host("Room A", announce=True)
    watch = Watch(b)
    watch.wait_address(room.address, 10)
    [(id, row)] = watch.rows.items()
    assert b.lanchat.run("join", "Room A", "--nick", "ann", input="hello\n").code == 0
    evil = (
        "import sys\nfrom pathlib import Path\nfrom lanchat.discovery.advertise import Advertiser\n"
        "from lanchat.discovery.sighting import Advertisement\n"
        "from lanchat.server.doors.native import native_door\nfrom lanchat.server.host import Host\n"
        "from lanchat.storage.identity import load_identity\n"
        "identity = load_identity(Path(sys.argv[1]))\n"
        "host = Host('Room A', identity, nick='hal', room_id=sys.argv[2], doors=[native_door(0)])\n"
        "host.start()\nwith host, Advertiser(Advertisement(host.room_id, 'Room A', 'hal', host.port), None, print):\n"
        "    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    twin = subprocess.Popen(
        [*eve.prefix, sys.executable, "-c", evil, str(eve.lanchat.home("eve")), id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert twin.stdin is not None and twin.stdout is not None and twin.stdout.readline() == "open\n"
        wait_until(lambda: len(rooms(b)) == 1, 10)
        time.sleep(4)  # one round of announcements
        assert list(watch.rows) == [id]
        assert watch.rows[id]["fingerprint"] == row["fingerprint"], "whoever answered first keeps the row"
        assert not any(eve.address in address for address in watch.rows[id]["addresses"])
        room.send(signal.SIGKILL)
        watch.wait_address(eve.address, 20)
        ended = b.lanchat.run("join", "Room A", "--nick", "ann", input="secret\n")
        assert ended.code == 5, "the key that was shown before is another"
    finally:
        twin.kill()
        twin.communicate()
