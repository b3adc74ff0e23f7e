"""The page as it is served: small, whole, and with nothing in it that could come from elsewhere."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import lanchat.server.doors.web
from lanchat.server.doors.web.page import PROGRAMS, STYLES, load_page

FOLDER = Path(lanchat.server.doors.web.__file__).parent / "page"
MAX_SIZE = 120 * 1024  # bytes, compressed
HTML = load_page().html.decode()
OWN = "".join((FOLDER / name).read_text(encoding="utf-8") for name in (*STYLES, *PROGRAMS) if name != "noble.js")


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_page_is_small():
    assert len(load_page().compressed) < MAX_SIZE
    assert gzip.decompress(load_page().compressed) == load_page().html


def test_the_policy_allows_what_is_in_the_page_and_nothing_else():
    (style,) = re.findall(r"<style>(.*?)</style>", HTML, re.DOTALL)
    (program,) = re.findall(r"<script>(.*?)</script>", HTML, re.DOTALL)
    policy = dict(part.split(" ", 1) for part in load_page().policy.split("; "))
    assert policy["script-src"] == hash_of(program)
    assert policy["style-src"] == hash_of(style)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["trusted-types"] == "'none'" and policy["require-trusted-types-for"] == "'script'"


def test_the_page_names_no_other_place():
    assert not re.findall(r"https?://", OWN.replace("http://www.w3.org", ""))
    assert not re.findall(r"(?:src|href)=\"(?!data:)", HTML.partition("<script>")[0])


def test_texts_come_in_as_texts():
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser", OWN
    )
    assert not re.findall(r"\bon[a-z]+=|style=", (FOLDER / "index.html").read_text(encoding="utf-8"))


def test_the_vendored_file_is_the_one_that_was_written_down():
    noble = (FOLDER / "noble.js").read_bytes()
    assert hashlib.sha256(noble).hexdigest() in (FOLDER / "NOBLE.md").read_text(encoding="utf-8")
    assert b"The MIT License (MIT)" in noble[:200] and b"Paul Miller" in noble[:300]


def test_every_file_of_the_folder_is_in_the_page():
    others = {"index.html", "NOBLE.md"}
    assert {path.name for path in FOLDER.iterdir()} == {*STYLES, *PROGRAMS, *others}


def test_answers_are_whole():
    for compressed in (False, True):
        head, body = load_page().response(compressed=compressed).split(b"\r\n\r\n", 1)
        assert f"Content-Length: {len(body)}".encode() in head
        assert (b"Content-Encoding: gzip" in head) == compressed
        for header in (b"nosniff", b"no-referrer", b"same-origin", b"no-store", b"Connection: close"):
            assert header in head
