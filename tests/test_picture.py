"""The picture in README.md, and how it is drawn from a screen."""

import sys
from pathlib import Path
from xml.etree import ElementTree

from scripts.pictures.svg import NO_BREAK, picture
from tests.support.ptyscreen import Cell, PtyScreen

ROOT = Path(__file__).parents[1]
PROGRAM = r"print('\x1b[2mfaint\x1b[0m \x1b[1;38;5;2mbold\x1b[0m <&> 会')"


def test_readme_opens_with_a_picture_that_is_there():
    opening = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert "](.github/images/chat.svg)" in opening
    drawn = ElementTree.fromstring((ROOT / ".github/images/chat.svg").read_text(encoding="utf-8"))
    assert "new since" in "".join(drawn.itertext()).replace(NO_BREAK, " ")


def test_what_stands_on_a_screen_stands_in_its_picture_with_its_looks():
    with PtyScreen([sys.executable, "-c", PROGRAM], columns=30, rows=4) as screen:
        assert screen.wait_exit() == 0
        drawn = ElementTree.fromstring(picture(screen.cells, "a <title>"))
    texts = {
        "".join(text.itertext()).strip(NO_BREAK): text.attrib for text in drawn.iter() if "textLength" in text.attrib
    }
    assert set(texts) == {"faint", "bold", f"<&>{NO_BREAK}会"}
    assert "opacity" in texts["faint"] and "font-weight" not in texts["faint"]
    assert "font-weight" in texts["bold"] and "opacity" not in texts["bold"], "the 2 is of a colour"


def test_empty_rows_at_the_end_are_left_out():
    row, empty = ([Cell(char, "default", False, False, False)] * 3 for char in "x ")
    assert picture([row, empty, empty], "") == picture([row], "")
