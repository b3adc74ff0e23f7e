"""What `lanchat doctor` prints."""

import io
import json
from dataclasses import replace

from lanchat.doctor.report import Diagnosis, Interface, Loop, Machine, Node, Report, Tried
from lanchat.terminal.colour import put_styled
from lanchat.terminal.doctor import detail_lines, doctor_json, verdict_lines

LOOPS = (Loop("multicast", True), Loop("broadcast"), Loop("mDNS", error="no such device"))
CABLE = Interface("eth0", "network", True, ("192.168.1.7/24",), LOOPS)
BOB = Node("192.168.1.8", "192.168.1.8:47474", ("\x1b[2J",), ("announce", "mdns"), ("multicast",), 0.4, True, None)
ELSEWHERE = Tried("10.0.0.9:47474", "silent", False, True)
MACHINE = Machine("Linux", {"lanchat": "0.1.0"}, home="/home/ann", key="fingerprint abab", disk=10**9, clock="now")
REPORT = Report(MACHINE, (CABLE,), (BOB,), ("Room A",), (ELSEWHERE,), True, ("mDNS does not work here.",))
DIAGNOSIS = Diagnosis(True, "All is well.", "lanchat join")


def shown(lines):
    """What is printed where there are no colours."""
    out = io.StringIO()
    put_styled(out, lines)
    return out.getvalue().splitlines()


def test_the_verdict_comes_first():
    assert shown(verdict_lines(REPORT, DIAGNOSIS, marks=True)) == ["✓ All is well.", "  Try:  lanchat join"]
    bad = Diagnosis(False, "A firewall stops lanchat.", "sudo ufw allow 47474", "Others are \x1b[2J seen.")
    machine = replace(MACHINE, warnings=("the clock is wrong",))
    assert shown(verdict_lines(replace(REPORT, machine=machine), bad, marks=False)) == [
        "Problem: A firewall stops lanchat.",
        "  Others are \\x1b[2J seen.",
        "  Note: the clock is wrong.",
        "  Try:  sudo ufw allow 47474",
    ]


def test_the_details_show_what_was_found():
    assert shown(detail_lines(REPORT)) == [
        "Networks",
        "  eth0  up  192.168.1.7/24",
        "    multicast        works",
        "    broadcast        sent, but it does not come back",
        "    mDNS             does not work: no such device",
        "Others on this network",
        '  192.168.1.8:47474  "\\x1b[2J"',
        "    found by       announce, mdns; it hears our multicast",
        "    UDP            answers in 0.4 ms",
        "    TCP            to it: works; from it to us: not tried",
        "  10.0.0.9:47474: no answer (not on a network of this machine)",
        "  router           answers",
        "This machine",
        "  system           Linux",
        '  rooms            "Room A"',
        "  port 47474       free",
        "  firewall         none found",
        "  key              fingerprint abab",
        "  home             /home/ann",
        "  free disk        954 MB",
        "  clock            now",
        "  versions         lanchat 0.1.0",
        "Problems of the search",
        "  mDNS does not work here.",
    ]


def test_json_holds_the_diagnosis_and_the_report():
    found = json.loads(doctor_json(REPORT, DIAGNOSIS))
    assert (found["works"], found["command"], found["nodes"][0]["address"]) == (True, "lanchat join", "192.168.1.8")
