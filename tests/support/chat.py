"""Ann's chat with keys from a pipe."""

import threading

from prompt_toolkit.input import PipeInput
from prompt_toolkit.output import DummyOutput

from lanchat.terminal.chat.chat import Chat, ChatEnd
from tests.support.waiting import PATIENCE, wait_until

CTRL_C, CTRL_D, CTRL_U, TAB, UP = "\x03", "\x04", "\x15", "\t", "\x1b[A"


class Recorder(DummyOutput):
    """A terminal that keeps everything that was written to it."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, data: str) -> None:
        self.text += data


class RunningChat:
    """Ann's chat, running in a thread of its own."""

    def __init__(self, chat: Chat, keys: PipeInput, terminal: Recorder) -> None:
        self.chat = chat
        self._keys = keys
        self._terminal = terminal
        self._end: ChatEnd | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ann-chat")

    def _run(self) -> None:
        try:
            self._end = self.chat.run()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> "RunningChat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self.press(CTRL_U + CTRL_D)
        self._thread.join()

    def press(self, keys: str) -> None:
        self._keys.send_text(keys)

    def shows(self, text: str) -> None:
        wait_until(lambda: text in self._terminal.text, what=f"{text!r} on the screen")

    def has_typed(self, text: str) -> None:
        """Waits until this stands in the line."""
        wait_until(lambda: self.chat._screen.typed == text, what=f"{text!r} in the line")

    @property
    def text(self) -> str:
        return self._terminal.text

    def end(self) -> ChatEnd:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        assert self._end is not None
        return self._end
