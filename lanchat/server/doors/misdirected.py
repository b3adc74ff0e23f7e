"""Recognises the lines of programs that want another server: browsers and their pages, and TLS. Pure."""

import re
from collections.abc import Sequence

# A web page may send requests here, with any method and body (ergo#2239); a long request line comes in several reads.
_REQUEST = re.compile(rb"(GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) |[!-~]+ +(/|[a-z]+://)")
_HTTP = re.compile(
    rb"[!-~]+ [!-~]+ HTTP/\d|(Host|Accept|Connection|Content|Cookie|Origin|Referer|Sec|User)(-[A-Z][A-Za-z-]*)?: "
)
_TLS = b"\x16\x03"  # the first bytes of a ClientHello


def is_other_protocol(first: bytes) -> bool:
    """Whether a first line begins a web request or TLS, and not a conversation."""
    return first.startswith(_TLS) or _REQUEST.match(first) is not None


def has_http(lines: Sequence[bytes]) -> bool:
    """Whether one of these lines belongs to a web request."""
    return any(map(_HTTP.match, lines))
