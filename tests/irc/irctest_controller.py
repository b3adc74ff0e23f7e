"""How irctest starts a room: the module of its option --controller, loaded by the interpreter of irctest."""

# mypy: ignore-errors
import os
import sys
from pathlib import Path

from irctest.basecontrollers import BaseServerController, DirectoryBasedController
from irctest.runner import NotImplementedByController

TOP = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("LANCHAT_PYTHON", sys.executable)  # the interpreter that has what lanchat needs
TITLE = os.environ.get("LANCHAT_TITLE", "chan")  # of the room, and so the name of its only channel


class Controller(BaseServerController, DirectoryBasedController):
    """One room, whose only channel is named by its title."""

    software_name = "lanchat"
    supported_sasl_mechanisms = frozenset()
    supports_sts = False

    def run(self, hostname, port, *, password, ssl, run_services, websocket_hostname, **others):
        if ssl or run_services or websocket_hostname is not None:
            raise NotImplementedByController("not by this room")
        self.hostname, self.port = hostname, port
        self.create_config()
        server = TOP / "tests" / "irc" / "irctest_server.py"
        environment = {**os.environ, "PYTHONPATH": str(TOP), "LANCHAT_INTERFACE": "127.0.0.1"}
        command = [PYTHON, str(server), str(port), str(Path(self.directory) / "home"), TITLE]
        self.proc = self.execute([*command, password] if password else command, env=environment)


def get_irctest_controller_class():
    return Controller
