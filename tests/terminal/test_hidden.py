"""A password is not seen on the screen, not even by who stops the program at its question."""

import os
import signal

import pytest

if os.name == "posix":
    from tests.support.ptyscreen import PtyScreen

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses terminals and signals of POSIX systems")


def test_a_password_typed_after_a_stop_is_not_shown(lanchat):
    """The shell that continues the program has turned the echo on."""
    env = {name: value for name, value in lanchat.env("ann", LANCHAT_NICK="ann").items() if value is not None}
    with PtyScreen(lanchat.argv("host", "Room A", "--password", "--port", "0", "--no-announce"), env=env) as screen:
        screen.wait_until(lambda: "Password of the room:" in screen.text and not screen.echoes)
        screen.echo()
        screen.kill(signal.SIGCONT)
        screen.wait_until(lambda: screen.text.count("Password of the room:") == 2)
        assert not screen.echoes
        screen.press("sesame\r")
        screen.wait_until(lambda: "Repeat it:" in screen.text)
        screen.press("sesame\r")
        screen.wait_until(lambda: "You host Room A as ann" in screen.text)
        assert "sesame" not in screen.text
