"""Chromium for the stories of the page, started once for each process of a run."""

import asyncio
import os
import shutil
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from lanchat.protocol.limits import FileLimits
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from tests.browser.pages import FOREIGN, Visitor
from tests.support.moving import Stage

# The headless shell has the same engine, but no windows, which cost half of the CPU of these tests.
_PROGRAM = os.environ.get("LANCHAT_CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
# A page that came over http from another machine: no name of this machine is one for a browser, which trusts those.
_ELSEWHERE = "room.test"


@contextmanager
def _running(loop: AbstractEventLoop | None) -> Iterator[None]:
    """Playwright leaves its event loop running in this thread, in a greenlet: no other test may see it."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


@pytest.fixture
def chromium(_chromium: tuple[Browser, AbstractEventLoop | None]) -> Iterator[Browser]:
    browser, loop = _chromium
    with _running(loop):
        yield browser


@pytest.fixture(scope="session")
def _chromium(own_process: None) -> Iterator[tuple[Browser, AbstractEventLoop | None]]:
    if _PROGRAM is None:
        pytest.skip("no Chromium: apt-get install chromium, or set LANCHAT_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_PROGRAM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                f"--host-resolver-rules=MAP {_ELSEWHERE} 127.0.0.1,MAP {FOREIGN} 127.0.0.1",
            ],
        )
        loop = asyncio._get_running_loop()
        with _running(None):
            yield browser, loop
        browser.close()


@pytest.fixture
def room(host: Callable[..., Host]) -> Host:
    opened: Host = host("Room A", web_port=0, web_names=(_ELSEWHERE,))
    return opened


@pytest.fixture
def room_with_files(host: Callable[..., Host], tmp_path: Path) -> Host:
    limits = FileLimits(spare_part=0.0, spare_bytes=0)  # the disk of whoever runs the tests may be full
    opened: Host = host("Room A", web_port=0, web_names=(_ELSEWHERE,), blobs=Blobs(tmp_path / "files", limits))
    return opened


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """`visit(room, "zoe")`: somebody in the room, in a browser of their own; without a nick, in front of it."""
    visitors: list[Visitor] = []

    def come(room: Host, nick: str = "", *, fragment: str = "", **options: Any) -> Visitor:
        context = chromium.new_context(**{"viewport": {"width": 390, "height": 844}, **options})
        visitors.append(visitor := Visitor(context, f"http://{_ELSEWHERE}:{room.ports['web']}/", fragment))
        if nick:
            visitor.join(nick)
        return visitor

    yield come
    for visitor in visitors:
        visitor.context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []
