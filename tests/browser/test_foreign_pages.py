"""Web pages that are not ours, in a browser inside the network: none of them comes into the room, or sees it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser, expect

from tests.browser.pages import FOREIGN
from tests.support.page import PageClient

# Everything that a page can try: each entry is what came of it.
TRIES = """async (targets) => {
    const socket = (url) => new Promise((done) => {
        const tried = new WebSocket(url);
        tried.onopen = () => done("open");
        tried.onclose = () => done("closed");
    });
    const read = (url, options) => fetch(url, options).then((answer) => answer.text(), () => "unreadable");
    const came = [];
    for (const target of targets) {
        came.push(await socket(`ws://${target}/ws`));
        came.push(await read(`http://${target}/`));
        came.push(await read(`http://${target}/`, { method: "POST", body: "{}", credentials: "include" }));
    }
    return came;
}"""


@contextmanager
def foreign_page() -> Iterator[str]:
    """The address of a web server that has nothing to do with the room."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>cats</title>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{FOREIGN}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_no_other_web_page_comes_in(room, chromium: Browser, visit):
    """Its name may have been rebound to this machine, too: then the name is what gives it away."""
    zoe, port = visit(room, "zoe"), room.ports["web"]
    context = chromium.new_context()
    page = context.new_page()
    with foreign_page() as url:
        page.goto(url)
        came = page.evaluate(
            TRIES, [f"127.0.0.1:{port}", f"localhost:{port}", f"room.test:{port}", f"{FOREIGN}:{port}"]
        )
        assert came == ["closed", "unreadable", "unreadable"] * 4
        page.set_content(f"<iframe src='http://room.test:{port}/'></iframe>")
        expect(page.frame_locator("iframe").locator("#nick")).to_have_count(0)
    answer = page.goto(f"http://{FOREIGN}:{port}/")
    assert answer is not None
    assert answer.status == 421
    assert FOREIGN not in answer.text()
    assert f"http://127.0.0.1:{port}/" in answer.text()
    context.close()
    bob = PageClient(port, "bob")
    bob.say("nobody else is here")
    zoe.sees("nobody else is here")
    expect(zoe.page.locator("#people-button")).to_have_text("2 people")
    bob.close()
