"""A file as an ordinary download of a browser: the head of the answer, and which part of the file follows. Pure."""

import re
from urllib.parse import quote

from lanchat.protocol.filenames import safe_name
from lanchat.server.doors.web.request import Download

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_HEADERS = (
    "Content-Type: application/octet-stream",
    "Accept-Ranges: bytes",
    "X-Content-Type-Options: nosniff",
    "Content-Security-Policy: sandbox; default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy: no-referrer",
    "Cross-Origin-Resource-Policy: same-origin",
    "Cache-Control: no-store",
    "Connection: close",
)


def part_of(asked: Download, name: str, size: int, sha256: str) -> tuple[bytes, int, int]:
    """What a browser gets of a file, whatever is in it: saved, never shown.

    Args:
        sha256: in hex; it tells a browser that what it has is of the same file.

    Returns:
        The head of the answer, the first byte of the file that follows, and the one behind the last.
    """
    tag = f'"{sha256}"'
    whole = asked.if_range not in ("", tag)
    wanted = None if whole else _span(asked.range, size)
    headers = [f"ETag: {tag}", f"Content-Disposition: attachment; filename*=UTF-8''{quote(safe_name(name), safe='')}"]
    if wanted is None:
        at, end, status = 0, size, "200 OK"
    elif wanted[0] >= wanted[1]:
        at = end = 0
        status = "416 Range Not Satisfiable"
        headers.append(f"Content-Range: bytes */{size}")
    else:
        (at, end), status = wanted, "206 Partial Content"
        headers.append(f"Content-Range: bytes {at}-{end - 1}/{size}")
    lines = [f"HTTP/1.1 {status}", *_HEADERS, f"Content-Length: {end - at}", *headers, "", ""]
    return "\r\n".join(lines).encode(), at, end


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The first byte that a browser wants and the one behind the last; None: it wants all, or several parts."""
    found = _RANGE.fullmatch(asked)
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
