"""The command scripts/picture: plays a short conversation on loopback, and draws what Bob sees of it."""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from scripts.pictures.svg import picture
from tests.support.ptyscreen import PtyScreen

WHERE = Path(__file__).parents[2] / ".github" / "images" / "chat.svg"
COLUMNS, ROWS = 80, 20


def main() -> None:
    os.environ.update(LANCHAT_INTERFACE="127.0.0.1", LANCHAT_NO_ANNOUNCE="1")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:

        def start(nick: str, *arguments: str) -> PtyScreen:
            argv = [sys.executable, "-m", "lanchat", *arguments, "--nick", nick]
            env = {"LANCHAT_HOME": f"{folder}/{nick}", "NO_COLOR": ""}
            return stack.enter_context(PtyScreen(argv, columns=COLUMNS, rows=ROWS, env=env))

        def say(who: PtyScreen, text: str, *heard: PtyScreen) -> None:
            who.press(text + "\r")
            for screen in (who, *heard):
                screen.wait_until(lambda screen=screen: text.removeprefix("/me ") in screen.text)  # type: ignore[misc]

        ann = start("ann", "host", "Game night", "--port", "0")
        ann.wait_until(lambda: "you opened the room" in ann.text)
        at = next(word for word in ann.text.split() if word.startswith("127.0.0.1:"))
        bob = start("bob", "join", at)
        bob.wait_until(lambda: "you joined" in bob.text)
        say(ann, "pizza at seven, games at eight", bob)
        say(bob, "I bring the long cable", ann)
        bob.press("/quit\r")
        bob.wait_exit()
        cat = start("cat", "join", at)
        cat.wait_until(lambda: "you joined" in cat.text)
        say(cat, "who still has room in the car?", ann)
        say(ann, "/me has two seats", cat)
        bob = start("bob", "join", at)
        bob.wait_until(lambda: "you joined" in bob.text)
        say(cat, "bob: did you find the cable?", bob)
        say(bob, "15 m, and a switch", ann)
        ann.press("/msg bob the door code is 4711\r")
        bob.wait_until(lambda: "4711" in bob.text)
        bob.press("what I am typing stays who")
        bob.wait_until(lambda: "stays who" in bob.text)
        WHERE.parent.mkdir(parents=True, exist_ok=True)
        WHERE.write_text(picture(bob.cells, "bob: lanchat"), encoding="utf-8")
        for screen in (bob, cat, ann):
            screen.press("\x03\x04\x04")
        print(f"made {WHERE}")


if __name__ == "__main__":
    main()
