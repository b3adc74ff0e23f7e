"""The chat screen alone, for a pseudo-terminal: python -m tests.terminal.chat.chat_program PORT NICK HOME

Its last line says how the screen was left. The exit code is 3 if the connection ended.
"""

import sys
from pathlib import Path

from lanchat.client.member import Member
from lanchat.network.connect import dial
from lanchat.network.identity import load_identity
from lanchat.protocol.address import Endpoint
from lanchat.terminal.chat.chat import Chat


def main() -> int:
    port, nick, home = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    member = Member(lambda: dial((Endpoint("127.0.0.1", port),)), load_identity(home), nick)
    connected = member.join()
    try:
        end = Chat(member, connected).run()
    finally:
        member.close()
    print(f"left: error={end.error} signal={end.signal} unsent={end.unsent!r}")
    return 3 if end.error else 0


if __name__ == "__main__":
    sys.exit(main())
