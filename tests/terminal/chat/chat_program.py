"""The chat screen alone, for a pseudo-terminal: python -m tests.terminal.chat.chat_program PORT NICK HOME

Its last line says how the screen was left. The exit code is 3 if the connection ended.
"""

import sys
from pathlib import Path

from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.storage.identity import load_identity
from lanchat.storage.input_history import InputHistory
from lanchat.terminal.chat.chat import Chat
from lanchat.terminal.stdio import is_dumb
from tests.support.people import joined_room


def main() -> int:
    port, nick, home = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    with joined_room(lambda: dial((Endpoint("127.0.0.1", port),)), load_identity(home), nick) as room:
        end = Chat(room, typed=InputHistory(home / "typed"), dumb=is_dumb()).run()
    print(f"left: error={end.error} signal={end.signal} unsent={end.unsent!r}")
    return 3 if end.error else 0


if __name__ == "__main__":
    sys.exit(main())
