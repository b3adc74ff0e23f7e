"""How long a node waits for what, as one value. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """The waits of a host or a member, in seconds. The other side's may differ; only silence is felt there."""

    # A link
    ping_after: float = 10.0  # of silence, the peer's or our own, before we ask for a sign of life
    dead_after: float = 25.0  # of silence until the peer counts as dead: two unanswered pings
    stall: float = 10.0  # without a byte taken from a waiting outbox
    linger: float = 2.0  # that a finished link waits for the peer to close
    sweep: float = 1.0  # between two looks at all deadlines; they are kept to this
    asleep: float = 5.0  # between two sweeps: so late only when this process or machine was stopped

    # A member
    connect: float = 5.0  # for one address; on one network an answer takes milliseconds
    next_address: float = 0.25  # without an answer before the next address is tried as well (RFC 8305, section 8)
    greeting: float = 10.0  # in all for TLS and the card, and from then on for each sign of life
    welcome: float = 120.0  # in all for a host that is trusted; 200 people and 50 long lines over 2 kB/s
    farewell: float = 0.5  # for the host to take our goodbye; leaving must feel like leaving
    first_retry: float = 0.5  # before the first try to reconnect; doubled each time ...
    last_retry: float = 15.0  # ... up to this
    look_again: float = 2.0  # to look for a room that is not where it was

    # A host
    line: float = 10.0  # from the first byte of a line to its last
    name: float = 60.0  # for a netcat guest to type a name (ergo's time for registration)
    unended_line: float = 0.2  # after which a netcat line without an end was a whole message
    goodbye: float = 1.0  # for everybody to take the last lines and hang up, before they are cut off
    log_retry: float = 1.0  # until a disk that took nothing is asked again
    sync_wait: float = 2.0  # that acks wait for a standby's disk: what a person puts up with (MySQL waits 10)
    sync_pause: float = 60.0  # until a standby that lagged so long may be waited for again

    # A standby
    host_silence: float = 3.0  # at least, of a host that promises a sign of life each second, until it counts as lost
    ask_again: float = 1.0  # between two looks at what the other standbys know
    indirect: float = 25.0  # that a standby waits while another one still hears the host: only its own path is broken
    promotion: float = 3.0  # for a standby that was asked to go first to host the room
    company: float = 10.0  # that somebody who has just left still counts as company of a host


DEFAULT_TIMING = Timing()
