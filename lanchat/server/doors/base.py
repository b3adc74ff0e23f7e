"""What all doors do with whoever breaks the rules."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lanchat.errors import LanchatError, ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.messages import Closing, FromHost

_log = logging.getLogger(__name__)


@contextmanager
def told_why(link: Link, encode: Callable[[FromHost], bytes]) -> Iterator[None]:
    """They are told what was wrong, and sent away."""
    try:
        yield
    except ProtocolError as error:
        _log.info("dropped %s: %s", link.peer, error)
        link.reason = link.reason or str(error)
        link.finish(encode(Closing("rules", str(error))))
        link.drain()
    except LanchatError as error:  # not even TLS: there is nothing to tell it by
        _log.info("dropped %s: %s", link.peer, error)
