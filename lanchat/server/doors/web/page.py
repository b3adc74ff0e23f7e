"""The page as it is served: one HTML document with its style and its program inside, and nothing else to load.

The files are in the folder `page` beside this module. A browser runs a style and a program only if their hashes stand
in the Content-Security-Policy, so nothing that came in by a message could ever run.
"""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib import resources

from lanchat.server.doors.web.request import Refusal

STYLES = ("app.css",)
PROGRAMS = (
    *("noble.js", "bytes.js", "channel.js", "private.js", "safe.js", "papers.js", "follow.js", "handover.js"),
    *(
        "storage.js",
        "room.js",
        "transfer.js",
        "sealedfile.js",
        "files.js",
        "elements.js",
        "attention.js",
        "log.js",
        "fileview.js",
        "view.js",
        "app.js",
    ),
)
_LINK = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>lanchat</title>
<p>{text}</p><p><a href="{link}">{link}</a></p></html>
"""
_STYLE, _PROGRAM = "<!-- style -->", "<!-- program -->"

_COMMON = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
)


@dataclass(frozen=True)
class Document:
    """The page, ready to be sent."""

    html: bytes
    compressed: bytes
    policy: str

    def response(self, *, compressed: bool) -> bytes:
        """The answer to a request for the page, with its headers."""
        body = self.compressed if compressed else self.html
        encoding = (("Content-Encoding", "gzip"),) if compressed else ()
        return _response(200, "OK", "text/html; charset=utf-8", self.policy, encoding, body)

    def refusal(self, refusal: Refusal) -> bytes:
        """The answer to a request that is refused, with its headers."""
        kind, text = "text/plain", refusal.text
        if refusal.link:
            kind, link = "text/html", escape(refusal.link)
            text = _LINK.format(text=escape(text.strip()), link=link)
        return _response(
            refusal.status,
            refusal.phrase,
            f"{kind}; charset=utf-8",
            "default-src 'none'; frame-ancestors 'none'",
            refusal.headers,
            text.encode(),
        )


@lru_cache(1)
def load_page() -> Document:
    """The page of this package."""
    folder = resources.files("lanchat.server.doors.web").joinpath("page")

    def read(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")

    style = "\n".join(map(read, STYLES))
    program = "\n;".join(map(read, PROGRAMS))
    for part, end in ((style, "</style"), (program, "</script")):
        assert end not in part.lower(), f"{end} would end the part too early"
    html = read("index.html")
    html = html.replace(_STYLE, f"<style>{style}</style>").replace(_PROGRAM, f"<script>{program}</script>")
    return Document(html.encode(), gzip.compress(html.encode(), 9, mtime=0), policy(style, program))


def policy(style: str, program: str) -> str:
    """The Content-Security-Policy of a page with this style and this program."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(program)}'",
            f"style-src '{_hash(style)}'",
            "img-src blob: data:",
            "connect-src 'self' ws: wss:",  # the room may move to another computer, whose address nobody knows yet
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _response(
    status: int, phrase: str, kind: str, policy: str, more: tuple[tuple[str, str], ...], body: bytes
) -> bytes:
    headers = (
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", policy),
        *_COMMON,
        *more,
    )
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode() + body
