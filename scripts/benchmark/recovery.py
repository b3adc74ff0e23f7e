"""How long members are without their room after its host was killed, or stopped answering."""

import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lanchat.api.joining import join_target
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import Target
from lanchat.protocol.address import Endpoint
from lanchat.storage.identity import load_identity
from scripts.benchmark.nodes import line_of, node, until

_LIMIT = 60.0  # s for everybody to be back
_LOOK = 0.005  # s between two looks at who is


@dataclass(frozen=True)
class BackRow:
    what: str
    p50: float  # s until a member is in the room again
    p95: float


def recover(members: int, *, silent: bool) -> list[float]:
    """s until each member of a room with two standbys is back.

    Args:
        silent: the host stops answering, instead of being killed.
    """
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="lanchat-bench-")))
        os.environ["LANCHAT_HOME"] = str(folder / "members")
        ann = closing.enter_context(node(str(folder), "ann"))
        port = int(line_of(ann))
        for nick in ("bob", "cat"):
            closing.enter_context(node(str(folder), nick, str(port), "1"))
        until(ann, "backup")
        target = Target((Endpoint("127.0.0.1", port),))

        def join(number: int) -> JoinedRoom:
            identity = load_identity(folder / f"key{number}")
            return join_target(target, f"m{number}", patience=None, keeping="nothing", identity=identity)

        with ThreadPoolExecutor(4) as pool:
            rooms = list(pool.map(join, range(members)))
        for room in rooms:
            closing.callback(room.close)
        deadline = time.monotonic() + _LIMIT
        while any(room._member.follower.cluster.sync < 0 for room in rooms) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(2.0)  # a heartbeat or two
        began = time.monotonic()
        ann.send_signal(signal.SIGSTOP if silent else signal.SIGKILL)
        back = _watch(rooms, began)
        ann.send_signal(signal.SIGKILL)
        return back


def _watch(rooms: list[JoinedRoom], began: float) -> list[float]:
    lost: set[int] = set()
    back: dict[int, float] = {}
    while len(back) < len(rooms) and time.monotonic() - began < _LIMIT:
        for number, room in enumerate(rooms):
            connected = room.connected
            if not connected:
                lost.add(number)
            elif number in lost:
                back.setdefault(number, time.monotonic() - began)
        time.sleep(_LOOK)
    if len(back) < len(rooms):
        raise RuntimeError(f"{len(rooms) - len(back)} of {len(rooms)} members did not come back")
    return list(back.values())
