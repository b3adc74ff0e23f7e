"""The remembered hosts, for a person and for a program."""

import pytest

from lanchat.storage.known_hosts import KnownHost
from lanchat.terminal.cells import cells
from lanchat.terminal.trust import trust_lines, trust_table

A = KnownHost("1" * 32, "abcd" * 16, "Room A")
B = KnownHost("2" * 32, "0123" * 16, "an evil\x1b[2J title")
KEY_A, KEY_B = " ".join(["abcd"] * 8), " ".join(["0123"] * 8)


def rows(*hosts: KnownHost, width: int) -> list[str]:
    return ["".join(text for _, text in row) for row in trust_table(hosts, width)]


def test_a_program_gets_a_line_for_each_host():
    assert trust_lines([A]) == [f"{'1' * 32}  {KEY_A}  Room A"]


def test_a_person_gets_a_table_with_headings_sorted_by_title():
    assert rows(A, B, width=160) == [
        f"TITLE                 HOST KEY{' ' * 31}  ROOM",
        f"an evil\\x1b[2J title  {KEY_B}  {'2' * 32}",
        f"Room A                {KEY_A}  {'1' * 32}",
    ]
    assert rows(A, width=80) == ["TITLE   HOST KEY", f"Room A  {KEY_A}"]
    assert rows(width=80) == []


def test_two_rooms_with_one_title_are_told_apart_by_their_ids():
    twin = KnownHost("3" * 32, A.fingerprint, "Room A")
    assert rows(A, twin, width=80) == [
        "TITLE   HOST KEY",
        f"Room A  {KEY_A}",
        f"  {'1' * 32}",
        f"Room A  {KEY_A}",
        f"  {'3' * 32}",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_no_row_is_wider_than_the_window(width):
    lines = [line for row in rows(A, B, width=width)[1:] for line in row.split("\n")]
    assert [line for line in lines if cells(line) > width] == []
