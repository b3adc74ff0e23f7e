"""scrypt at a 32nd of its cost: most tests are about what a password opens, not about what a guess costs.

In a quick run all tests and forks stretch so. A full run has the true cost, and tests/network/test_password.py the
documented value in either.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lanchat.network import password

_TRUE, _QUICK = password._SCRYPT_N, 2**10


@contextmanager
def stretching(*, quickly: bool) -> Iterator[None]:
    before = password._SCRYPT_N
    password._SCRYPT_N = _QUICK if quickly else _TRUE
    try:
        yield
    finally:
        password._SCRYPT_N = before
