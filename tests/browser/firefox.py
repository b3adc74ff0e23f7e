"""Firefox, driven by WebDriver BiDi, which it speaks itself: no package and no other program is needed."""

import itertools
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.waiting import PATIENCE, wait_until

PROGRAM = os.environ.get("LANCHAT_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
ENTER = "\ue007"

_START = 6 * PATIENCE  # s; a first start makes a profile
_PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.enabled": False,
}


class Firefox:
    """One window. Belongs to one thread."""

    def __init__(self, web: ClientConnection) -> None:
        self._web = web
        self._numbers = itertools.count(1)
        self.problems: list[str] = []
        self._call("session.new", capabilities={})
        self._call("session.subscribe", events=["log.entryAdded"])
        self._context = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def go(self, url: str) -> None:
        self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def run(self, script: str) -> Any:
        """The value of this expression, if it is a text, a number or a truth value."""
        answer = self._call("script.evaluate", expression=script, target={"context": self._context}, awaitPromise=True)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        wait_until(lambda: self.run(script), what=script)

    def type(self, text: str) -> None:
        keys = [{"type": kind, "value": char} for char in text for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        self._call("input.performActions", context=self._context, actions=actions)

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._web.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._web.recv(timeout=_START))
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.problems.append(str(answer["params"]["text"]))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]


@contextmanager
def firefox(profile: Path, *local: str) -> Iterator[Firefox]:
    """A new Firefox.

    Args:
        profile: an empty folder.
        local: names of this machine.
    """
    assert PROGRAM is not None
    preferences = {**_PREFERENCES, "network.dns.localDomains": ",".join(local)}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    profile.joinpath("user.js").write_text("\n".join(lines))
    command = [PROGRAM, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    program = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, "HOME": str(profile)}
    )
    said: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in program.stderr or ():
            said.put(line)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while not (found := re.search(r"listening on (ws://\S+)", said.get(timeout=_START))):
            pass
        with connect(found[1] + "/session", max_size=None) as web:
            yield Firefox(web)
    finally:
        program.terminate()
        program.wait()
        reader.join()
        if program.stderr is not None:
            program.stderr.close()
