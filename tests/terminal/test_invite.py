"""What a host shows so that others can join."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lanchat
from lanchat.protocol.address import Endpoint
from lanchat.protocol.invite import Invite, parse_invite
from lanchat.terminal.invite import how_to_join, invitation, welcome
from lanchat.terminal.qr import BLACK_ON_WHITE, qr_lines

ROOM, KEY = "0123456789abcdef" * 2, "ab" * 32
AT_HOME = Invite((Endpoint("192.168.100.100", 47474),), ROOM, KEY)


@pytest.mark.parametrize(
    ("title", "command"),
    [
        ("Room A", '  lanchat join "Room A"'),
        ("-x", '  lanchat join -- "-x"'),
        ("node.js", '  lanchat join "node.js"'),
        ("10.0.0.1:80", None),
    ],
)
def test_a_host_shows_a_command_that_works(own_world, title, command):
    with lanchat.host(title, nick="hal", port=0, announce=False, ephemeral=True) as room:
        _, first, *_ = how_to_join(room)
        assert first == (command or f"  lanchat join 127.0.0.1:{room.host.port}")


def test_a_host_with_a_plain_port_shows_how_netcat_joins(own_world):
    with lanchat.host("Room A", nick="hal", port=0, plain_port=0, announce=False, ephemeral=True) as room:
        assert f"  nc 127.0.0.1 {room.host.ports['plain']}" in how_to_join(room)


def test_a_host_with_an_irc_port_shows_what_an_irc_client_needs(own_world):
    with lanchat.host("Room A", nick="hal", port=0, irc_port=0, announce=False, ephemeral=True) as room:
        assert f"  server 127.0.0.1, port {room.host.ports['irc']}, channel #room-a" in how_to_join(room)


def test_a_host_with_tls_for_irc_shows_which_certificate_to_expect(own_world):
    with lanchat.host("Room A", nick="hal", port=0, irc_tls_port=0, announce=False, ephemeral=True) as room:
        shown = how_to_join(room)
        assert f"  server 127.0.0.1, port {room.host.ports['irc-tls']}, channel #room-a" in shown
        assert len(room.irc_certificate) == 64 and f"  {room.irc_certificate}" in shown


def test_the_password_of_irc_clients_is_not_the_rooms_and_goes_by_tls_alone(own_world):
    for ports in ({"irc_port": 0}, {"irc_port": 0, "irc_tls_port": 0}, {"irc_tls_port": 0, "password": "kelp-oven"}):
        with pytest.raises(ValueError, match="never the room's"):
            lanchat.host("Room A", irc_password="kelp-oven", announce=False, ephemeral=True, **ports)


def test_a_screen_shows_in_three_lines_how_others_join(own_world):
    with lanchat.host("Room A", nick="hal", port=0, plain_port=0, announce=False, ephemeral=True) as room:
        port, plain = room.host.port, room.host.ports["plain"]
        notices, wide = [line for line, command in welcome(room, 80) if not command], commands(welcome(room, 80))
        assert wide == [f'lanchat join "Room A"   or   lanchat join 127.0.0.1:{port}', f"nc 127.0.0.1 {plain}"]
        assert commands(welcome(room, 40))[:2] == ['lanchat join "Room A"', f"lanchat join 127.0.0.1:{port}"]
        assert notices[0] == "You host Room A as hal. Others on this network join with:" and "/invite" in notices[-1]
        assert len(notices) == 3, "one of them is about netcat"


def commands(lines):
    return [line for line, command in lines if command]


def test_the_code_is_the_invite_and_fits_forty_columns():
    short = Invite(AT_HOME.endpoints, ROOM, KEY[:32])
    assert parse_invite(AT_HOME.for_qr()) == short
    lines = qr_lines(AT_HOME.for_qr(), 40)
    assert lines is not None
    assert {len(line) for line in lines} == {39} and len(lines) == 20
    assert set("".join(lines)) == set(" █▀▄")
    assert lines[0].strip() == "" and lines[-1].strip() == "", "white around it"
    assert all(line.startswith("   ") and line.endswith("   ") for line in lines)


def test_a_code_that_does_not_fit_is_not_drawn():
    assert qr_lines(AT_HOME.for_qr(), 36) is None
    wide = qr_lines(AT_HOME.for_qr(), 80)
    assert wide is not None and {len(line) for line in wide} == {33 + 2 * 4}


@given(st.integers(1, 254), st.integers(1024, 65535))
@pytest.mark.full
def test_every_code_of_an_ipv4_host_fits(last, port):
    invite = Invite((Endpoint(f"192.168.100.{last}", port),), ROOM, KEY)
    assert parse_invite(invite.for_qr()).endpoints == invite.endpoints
    assert qr_lines(invite.for_qr(), 40) is not None


def test_the_answer_to_invite():
    first, *code = invitation(AT_HOME, 40)
    assert first == ("", f"lanchat join '{AT_HOME}'\n")
    assert code[::2] == [(BLACK_ON_WHITE, line) for line in qr_lines(AT_HOME.for_qr(), 40) or []]
    assert invitation(AT_HOME, 30)[1:] == [("", "(The QR code needs more than 30 columns: make the window wider.)\n")]
