"""How the live list looks."""

from lanchat.terminal.picker.selection import Selection
from lanchat.terminal.picker.view import paint
from tests.support.listings import room


def test_the_selected_row_is_a_bar_of_one_colour():
    """Reversed, the colours of hosts and notes would make patches on which nothing can be read."""
    selection = Selection()
    selection.update((room("Lobby", people=1), room("Standup", "eve", 2, password=True)), 0.0)
    painted = paint(selection, (), looked=1.0, now=0.0, width=80, height=24)
    assert [text for style, text in painted if style == "class:selected"] == ["> Lobby    ann  1 person"]
    assert not [style for style, _ in painted if "selected" in style and style != "class:selected"]
