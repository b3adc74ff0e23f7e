"""QR codes in a terminal.

`segno`, which makes them, is imported only here, and only when it is needed.
"""

from lanchat.terminal.cells import Fragments

QUIET_ZONE = 4  # modules of white around a code, as ISO/IEC 18004 asks for
NARROW_QUIET_ZONE = 2  # modules; phones still read it, and it fits a narrow terminal
# Black on white whatever the terminal's own colours are: only some phones read a light code on a dark ground.
BLACK_ON_WHITE = "fg:#000000 bg:#ffffff"  # for prompt_toolkit


def qr_code(text: str, width: int) -> Fragments:
    """The text as a QR code to be printed, or a sentence if the window is too narrow for it.

    Args:
        width: columns of the terminal.
    """
    lines = qr_lines(text, width)
    if lines is None:
        return [("", f"(The QR code needs more than {width} columns: make the window wider.)\n")]
    return [part for line in lines for part in ((BLACK_ON_WHITE, line), ("", "\n"))]


def qr_lines(text: str, width: int) -> list[str] | None:
    """The text as a QR code of half blocks, two of its rows in one line, to be shown in black on white.

    Args:
        width: columns of the terminal.

    Returns:
        Lines of equal length; None: the code does not fit.
    """
    import segno

    code = segno.make(text, error="l", boost_error=False, micro=False)
    size = int(code.symbol_size(border=0)[0])
    quiet_zone = min(QUIET_ZONE, (width - size) // 2)
    if quiet_zone < NARROW_QUIET_ZONE:
        return None
    rows = [[module == 1 for module in row] for row in code.matrix_iter(border=quiet_zone)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return ["".join(map(_block, above, below)) for above, below in zip(rows[::2], rows[1::2], strict=True)]


def _block(above: bool, below: bool) -> str:
    return {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}[above, below]
