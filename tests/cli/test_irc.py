"""What `lanchat irc` shows before a client connects."""

from lanchat.cli.irc import how_to_connect
from lanchat.terminal.wrap import hang


def test_the_commands_for_the_client_can_be_copied_whole_from_a_window_of_80_cells():
    longest = "-".join(["w" * 8, "w" * 8, "w" * 8])
    shown = how_to_connect(6667, longest)
    commands = [line for line in shown if line.startswith("  /")]
    assert any(line.startswith("  /connect") and longest in line for line in commands), "irssi"
    assert any(line.startswith("  /server add") and longest in line for line in commands), "WeeChat"
    assert [hang(line, 80, 6, 0) for line in commands] == commands
