"""A QR code in the terminal, two of its rows in one line. The door of `segno`, which is loaded when it is needed."""

from lanchat.protocol.invite import Invite

QUIET = 4  # modules of white around it, by the book (ISO/IEC 18004) ...
LEAST_QUIET = 2  # ... and as few as phones read, where a terminal is narrow
# Black on white whatever the terminal's own colours are: a code in light on dark is read by some phones only.
BLACK_ON_WHITE = "fg:#000000 bg:#ffffff"  # for prompt_toolkit


def qr_lines(text: str, width: int) -> list[str] | None:
    """The code as lines of half blocks, where ink is foreground: show it in black on white.

    Args:
        width: columns there are.

    Returns:
        Lines of equal length; None: it does not fit.
    """
    import segno

    code = segno.make(text, error="l", boost_error=False, micro=False)
    size = int(code.symbol_size(border=0)[0])
    quiet = min(QUIET, (width - size) // 2)
    if quiet < LEAST_QUIET:
        return None
    rows = [[module == 1 for module in row] for row in code.matrix_iter(border=quiet)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return ["".join(map(_block, above, below)) for above, below in zip(rows[::2], rows[1::2], strict=True)]


def invitation(invite: Invite, width: int) -> list[tuple[str, str]]:
    """The answer to /invite, as styles and texts: the invite, and under it the code of it, or why there is none."""
    shown = [("", f"lanchat join '{invite}'\n")]
    lines = qr_lines(invite.for_qr(), width)
    if lines is None:
        return [*shown, ("", f"(its QR code needs more than {width} columns: make the window wider)\n")]
    return shown + [part for line in lines for part in ((BLACK_ON_WHITE, line), ("", "\n"))]


def _block(above: bool, below: bool) -> str:
    return {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}[above, below]
