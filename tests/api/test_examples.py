"""The examples of `lanchat help python` are run as they stand, in a room with somebody who answers."""

import re
import threading
from pathlib import Path

import pytest

import lanchat
from lanchat import Said
from tests.support.waiting import PATIENCE, wait_until

PAGE = (Path(lanchat.__file__).parent / "help" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"## (.*?)\n.*?```python\n(.*?)```", PAGE, re.DOTALL)

SAID = {
    "Say something": ["the build is green"],
    "Ask, and wait for the answer": ["deploy 1.4?", "Yes, says ann"],
    "Answer what people say": ["hello"],
}


def test_there_are_five():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_of_the_page_runs(name, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANCHAT_HOME", str(tmp_path / "ann"))
    with lanchat.host("Room A", nick="ann", port=0, announce=False) as ann:
        monkeypatch.setenv("LANCHAT_HOME", str(tmp_path / "bob"))
        heard: list[str] = []

        def answer() -> None:
            for event in ann.events(own=False):
                if isinstance(event, Said):
                    heard.append(event.text)
                    if event.text == "deploy 1.4?":
                        ann.say("Yes")
                if type(event).__name__ == "Joined" and getattr(event, "nick", "") == "echo":
                    ann.say("echo hello")
                if heard[-1:] == ["hello"]:
                    ann.close()

        person = threading.Thread(target=answer)
        person.start()
        try:
            exec(
                code.replace("Room A", f"127.0.0.1:{ann.host.port}").replace("events(timeout=2)", "events(timeout=0)"),
                {},
            )
            # What the program said is on ann's disk once it has left; ann's own program may hear it a moment later.
            wait_until(lambda: heard == SAID.get(name, []), what="what the program said")
        finally:
            ann.close()
            person.join(PATIENCE)
    if name == "Answer what people say":
        assert "closed the room" in capsys.readouterr().out
    if name == "Send a private message and a file":
        assert len(capsys.readouterr().out.strip()) == 64
