"""Somebody who uses the page in a real browser."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, expect

from lanchat.server.doors.web.sealed import SealedChannel
from lanchat.server.host import Host
from tests.support.waiting import PATIENCE

FOREIGN = "cats.test"  # a name that the door does not know

_LIMIT = PATIENCE * 1000  # ms


class Visitor:
    """One browser with the page. Belongs to one thread.

    Attributes:
        problems: what the browser complained of: errors of the program, and what the policy of the page forbids.
    """

    def __init__(self, context: BrowserContext, url: str, fragment: str = "") -> None:
        self.context = context
        self.url = url
        self.problems: list[str] = []
        self.requests: list[str] = []
        context.set_default_timeout(_LIMIT)
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("dialog", lambda dialog: self.problems.append(f"a dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url + fragment)

    def _note(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.problems.append(said.text)

    def forgive_lost_links(self) -> None:
        """The browser complains of a link that is refused or cut before it is one, which is no fault of the page."""
        self.problems[:] = [problem for problem in self.problems if not problem.startswith("WebSocket connection to ")]

    def join(self, nick: str) -> None:
        self.page.get_by_label("What should the others call you?").fill(nick)
        self.page.get_by_role("button", name="Join").click()
        self.is_inside()

    def is_inside(self) -> None:
        expect(self.composer).to_be_visible(timeout=_LIMIT)

    def look_away(self) -> None:
        """The page is not in view any more; it tries to reconnect only after half a minute."""
        self.page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")

    def look_back(self) -> None:
        self.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")

    @property
    def composer(self) -> Locator:
        return self.page.locator("#text")

    def say(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    @property
    def texts(self) -> list[str]:
        """The texts of all messages that are shown, oldest first."""
        return self.page.locator("#lines .message .text").all_inner_texts()

    def sees(self, text: str) -> Locator:
        """Wait until a message with this text is shown."""
        found = self.page.locator("#lines .message .text", has_text=text).last
        expect(found).to_be_visible(timeout=_LIMIT)
        return found

    def reads(self, text: str) -> None:
        """Wait until this text is to be read somewhere on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=_LIMIT)


def cut(room: Host) -> None:
    """Cut the links of all browsers."""
    for link in room.links:
        if isinstance(link.channel, SealedChannel):
            link.drop("lost", "the cable is out")
