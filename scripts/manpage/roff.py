"""Text and Markdown as roff with the macros of man(7). Pure."""

import re
from collections.abc import Iterator

_ESCAPES = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})
_CODE = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*)")
_PARAGRAPH, _ITEM, _VERBATIM = ".PP", ".IP \\(bu 2", "    "


def plain(text: str) -> str:
    """A text in which nothing is a request or an escape. Its ASCII stays ASCII, so that examples can be copied."""
    return re.sub(r"(?m)^(?=\.)", r"\\&", text.translate(_ESCAPES))


def marked(text: str) -> str:
    """Lines of Markdown, whose code and strong words become bold."""
    parts = _CODE.split(text)
    parts[::2] = map(plain, parts[::2])
    parts[1::2] = [f"\\fB{plain(part.strip('*').replace('`', ''))}\\fR" for part in parts[1::2]]
    return "".join(parts)


def verbatim(lines: list[str]) -> list[str]:
    """Lines that stay as they are."""
    return [".PP", ".RS 4", ".EX", *map(plain, lines), ".EE", ".RE"]


def tagged(tag: str, *lines: str) -> list[str]:
    """A word and what it means, both roff already."""
    return [".TP", tag, *lines]


def page(markdown: str) -> list[str]:
    """A page of Markdown, as lanchat's own pages use it."""
    return [line for block in _blocks(markdown) for line in _block(block)]


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Lines that belong together."""
    block: list[str] = []
    fenced = False
    for line in [*markdown.splitlines(), ""]:
        begins = line.startswith(("* ", "#"))
        if block and not fenced and (not line.strip() or begins):
            verbatim_goes_on = block[0].startswith(_VERBATIM) and not line.strip()
            if not verbatim_goes_on:
                yield block
                block = []
        if line.startswith("```"):
            fenced = not fenced
        if block and block[0].startswith(_VERBATIM) and line.strip() and not line.startswith(_VERBATIM):
            yield block
            block = []
        if line.strip() or block:
            block.append(line)
    if any(line.strip() for line in block):
        yield block


def _block(block: list[str]) -> list[str]:
    while not block[-1].strip():
        block = block[:-1]
    first = block[0]
    if first.startswith("## "):
        return [f".SS {plain(first[3:])}"]
    if first.startswith("# "):
        return [f".SH {plain(first[2:].upper())}"]
    if first.startswith("```"):
        return verbatim(block[1:-1])
    if first.startswith(_VERBATIM):
        return verbatim([line[4:] for line in block])
    if first.startswith("|"):
        return _table(block)
    if first.startswith("* "):
        return [_ITEM, *marked("\n".join(line[2:] for line in block)).splitlines()]
    return [_PARAGRAPH, *marked("\n".join(block)).splitlines()]


def _table(rows: list[str]) -> list[str]:
    """Each row as a word and what it means; of more than two columns with the names of these."""
    heads, _, *body = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    lines: list[str] = []
    for tag, *cells in body:
        named = [f"{head}: {cell}" for head, cell in zip(heads[1:], cells, strict=True)] if len(heads) > 2 else cells
        meaning = [part for cell in named for part in (".br", marked(cell))]
        lines += tagged(marked(tag), *meaning[1:])
    return lines
