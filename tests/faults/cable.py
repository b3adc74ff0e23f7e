"""Cables between network namespaces that lose, delay, throttle and break: for root on Linux.

A cable is a TUN device in each of two network namespaces and a thread that carries the packets. So the two kernels see
true losses and a true silence, without a FIN; and nothing of it outlives the process, whatever ends it.
"""

import fcntl
import heapq
import os
import random
import selectors
import struct
import threading
import time
from itertools import count

import pytest

from tests.support.namespaces import Namespace, call_libc, require_namespaces

QUEUE = 6 * 1024  # bytes that wait before a slow cable ...
QUEUE_TIME = 0.5  # s; ... or so much; what is more is dropped, as a router does
_NEWNS, _FS = 0x00020000, 0x00000200
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_numbers = count(1)


def require_cables() -> None:
    """Skip the test, with the reason, where this machine cannot make cables."""
    require_namespaces()
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun")


class Cable:
    """From one network to another. Its faults may be set by any thread, at any time.

    Args:
        loss: the share of packets that never arrive, 0 to 1.
        delay: s on the way, each way.
        jitter: s more or less, at random; packets are not overtaken.
        rate: bytes a second, each way.
    """

    def __init__(
        self,
        near: Namespace,
        far: Namespace,
        *,
        loss: float = 0.0,
        delay: float = 0.0,
        jitter: float = 0.0,
        rate: float = float("inf"),
        seed: int = 1,
    ) -> None:
        self.loss, self.delay, self.jitter, self.rate = loss, delay, jitter, rate
        self.cut_to_far = self.cut_to_near = False
        self.held = False  # True: what is under way waits, until it is False again
        number = next(_numbers)
        self.near_address, self.far_address = f"10.77.{number}.1", f"10.77.{number}.2"
        self._random = random.Random(seed)
        self._closing = False
        self._tuns = _tun(near, f"cable{number}"), _tun(far, f"cable{number}")
        near.ip("addr", "add", self.near_address, "peer", self.far_address, "dev", f"cable{number}")
        far.ip("addr", "add", self.far_address, "peer", self.near_address, "dev", f"cable{number}")
        for network in (near, far):
            network.ip("link", "set", f"cable{number}", "up")
        self._thread = threading.Thread(target=self._carry, name=f"cable{number}")
        self._thread.start()

    def cut(self, to_near: bool, to_far: bool) -> None:
        """From now on packets that way vanish. With neither the cable is whole again."""
        self.cut_to_near, self.cut_to_far = to_near, to_far

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        for tun in self._tuns:
            os.close(tun)

    def _carry(self) -> None:
        under_way: list[tuple[float, int, int, bytes]] = []  # due, order, where to, packet
        free_at, due_last = [0.0, 0.0], [0.0, 0.0]
        order = count()
        with selectors.DefaultSelector() as selector:
            for end, tun in enumerate(self._tuns):
                selector.register(tun, selectors.EVENT_READ, end)
            while not self._closing:
                wait = min(0.1, under_way[0][0] - time.monotonic()) if under_way and not self.held else 0.1
                ready = selector.select(max(0.0, wait))
                now = time.monotonic()
                for key, _ in ready:
                    to = 1 - key.data
                    packet = os.read(key.fd, 4096)
                    cut, lost = (self.cut_to_near, self.cut_to_far)[to], self._random.random() < self.loss
                    if cut or lost or free_at[to] - now > max(QUEUE_TIME, QUEUE / self.rate):
                        continue
                    free_at[to] = max(now, free_at[to]) + len(packet) / self.rate
                    due = free_at[to] + max(0.0, self.delay + self._random.uniform(-self.jitter, self.jitter))
                    due_last[to] = max(due, due_last[to])
                    heapq.heappush(under_way, (due_last[to], next(order), to, packet))
                while under_way and under_way[0][0] <= now and not self.held:
                    _, _, to, packet = heapq.heappop(under_way)
                    if not (self.cut_to_near, self.cut_to_far)[to]:
                        os.write(self._tuns[to], packet)


def enter_mounts(namespace: int) -> None:
    """Files that this thread names from now on are those of that mount namespace; the thread should end soon."""
    call_libc("unshare", _FS)
    call_libc("setns", namespace, _NEWNS)


def _tun(network: Namespace, name: str) -> int:
    with network.inside():
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    os.set_blocking(tun, False)
    return tun
