"""The command that hosts a room again, as a person can type it."""

from lanchat.server.engine.address import parse_engine
from lanchat.terminal.host_again import closing_text, host_command
from tests.support.cases import cases


@cases(
    "title, engine, command",
    [
        ("Room A", "", 'lanchat host "Room A"'),
        ("-x", "", 'lanchat host -- "-x"'),
        ("Room A", "redis://localhost:7000/0", 'lanchat host "Room A" --engine redis://localhost:7000/0'),
        ("-x", "redis://box/0", 'lanchat host --engine redis://box/0 -- "-x"'),
        (
            "Room A",
            "redis://ann:PASSWORD@box/0",
            'LANCHAT_ENGINE=redis://ann:PASSWORD@box/0 lanchat host "Room A"',  # others can read a command line
        ),
    ],
)
def test_a_room_is_hosted_again_by_this_command(title, engine, command):
    assert host_command(title, engine) == command


def test_the_command_never_holds_the_password():
    address = parse_engine("redis://ann:opensesame@box:7000/3").without_password
    assert "opensesame" not in host_command("Room A", address)


def test_who_leaves_reads_whether_the_room_goes_on():
    assert closing_text("Room A", "", []) == 'Closing Room A. lanchat host "Room A" opens it again, with its history.'
    again = 'lanchat host "Room A" --engine redis://box/0'
    assert closing_text("Room A", "redis://box/0", ["bob"]) == (
        f"bob goes on with Room A. To host it here again: {again}"
    )
    assert closing_text("Room A", "redis://box/0", ["bob", "cat"]).startswith("bob and cat go on with Room A.")
