"""All waiting times of a node, as one value. Pure."""

from msgspec import Struct


class Timing(Struct, frozen=True):  # a dataclass of so many fields would take 3 ms of each start
    """The waiting times of a host or a member, in seconds. Two nodes may use different ones."""

    # A link
    ping_after: float = 10.0  # silence, of the peer or of ourselves, after which the peer is pinged
    dead_after: float = 25.0  # silence after which the peer counts as dead: two unanswered pings
    stall: float = 10.0  # without progress of an outbox, after which the peer is dropped
    linger: float = 2.0  # for the peer to close a link that was finished
    sweep: float = 1.0  # between two checks of all deadlines; a deadline is exact to this
    asleep: float = 5.0  # between two checks, which means that this process or machine was stopped

    # This machine
    own_addresses: float = 1.0  # between two looks at our own addresses: who changes the Wi-Fi is found again soon
    settled: float = 3.0  # that a trouble with them lasts before a person is told; a new lease takes a second or two

    # A transfer of a file, at both ends
    transfer_stall: float = 30.0  # for the next piece to come or to go; a chat link that stands so long is dropped
    place_every: float = 5.0  # between two lines that say how many transfers are before this one
    disk_retry: float = 30.0  # before a file is sent again to a host whose disk was full

    # A member
    connect: float = 5.0  # for one address; on a local network an answer takes milliseconds
    next_address: float = 0.25  # without an answer, after which the next address is tried as well (RFC 8305, section 8)
    greeting: float = 10.0  # in all for TLS and the card; from then on, silence after which the host counts as dead
    welcome: float = 120.0  # in all for a trusted host: 200 people and 50 long messages over 2 kB/s
    farewell: float = 0.5  # for the host to answer our goodbye; leaving must feel immediate
    follow: float = 10.0  # at least, of trying to reach the computer that the host has handed the room to
    first_retry: float = 0.2  # before the first try to reconnect; it doubles with each try
    join: float = 0.002  # that a host takes for one member who comes in: all who follow it are spread over so much each
    last_retry: float = 15.0  # before any later try, at most
    look_first: float = 5.0  # to look for the room of an invite, which may be old, if it is not at its address
    next_place: float = 1.0  # for one computer to answer, where the room may be at others as well
    look_again: float = 2.0  # to look for a room that is not at its address any more

    # A host
    park: float = 3.0  # of silence of a client, after which its link needs no thread: between two lines of a talk
    line: float = 10.0  # from the first byte of a line to its last
    name: float = 60.0  # for a netcat guest to type a name, and for an IRC client to register (ergo's time for that)
    irc_ping_after: float = 90.0  # silence of an IRC client; phones sleep, and ergo waits as long
    irc_dead_after: float = 150.0
    web_absence: float = 120.0  # of a browser without a link, before its member has left: phones sleep
    unended_line: float = 0.2  # after which a line of netcat without an end counts as complete
    single_key: float = 5.0  # the same for a line of one character: a telnet that sends each key has slow typists
    goodbye: float = 1.0  # for all members to take the last lines and hang up, before their links are dropped
    log_retry: float = 1.0  # before a disk that has failed is tried again
    ticket: float = 30.0  # that a ticket for a transfer is good for; it is used at once
    download: float = 3600.0  # that an address is good for by which a browser downloads a file: it may ask again
    sync_wait: float = 2.0  # that acks wait for a standby's disk: as long as a person accepts (MySQL waits 10)
    follow_sweep: float = 0.25  # between two looks at the standbys, where there are any
    heartbeat: float = 1.0  # between two signs of life, where there are any
    roster: float = 10.0  # after a move of the room, for its members to come over in silence
    newcomer: float = 60.0  # in the room, before a computer that was never there on an earlier day may become a standby
    renewal: float = 3600.0  # between two signatures under the list of standbys, which is valid for a week
    blocked: float = (
        600.0  # before a port that cannot be reached is tried again; nobody changes a firewall every minute
    )
    naming: float = 1.0  # between two looks at who may become a standby
    sync_pause: float = 60.0  # before a standby that lagged so long may be waited for again

    # An engine, where several hosts serve one room
    engine: float = 3.0  # for an answer; longer than a read waits for something new
    engine_read: float = 0.25  # that one read waits for something new; who quits waits for its end
    engine_retry: float = 0.25  # before it is tried again
    engine_store: float = 0.25  # that the file of a host may lack what members of other hosts have said
    engine_claim: float = 10.0  # that a room whose title is claimed is waited for; to open one takes a second
    engine_rewrite: float = 60.0  # for the rewriting of its file, after it was started again
    beat: float = 1.0  # between two renewals of a host's lease
    ghosts: float = 3.0  # after the end of a lease, for its people to come back elsewhere before they have left

    # A standby
    copy_retry: float = 60.0  # before a copy that the disk did not take is tried again: somebody may make room
    file_copies: float = 30.0  # between two looks at which files the room has
    host_silence: float = 3.0  # at least, of a host that promises a sign of life each second, until it counts as lost
    longest_silence: float = 10.0  # of such a host on a network that loses much; a person waits no longer in vain
    refused_again: float = 0.1  # between two refusals of the host's port, which mean that its process is gone
    ask: float = 1.0  # for the others to say what they know; on a local network an answer takes milliseconds
    ask_long: float = 5.0  # the same on a network that loses much, where it takes 1 to 4 s (10 % loss, 200 ms each way)
    ask_again: float = 0.5  # between two looks at what the other standbys know
    abandoned: float = 30.0  # without a host, after which a person is told that nobody has taken over
    watch: float = 5.0  # between two looks of a host at the places where another one may be
    indirect: float = 25.0  # that a standby waits while another one still hears the host: only its own path is broken
    promotion: float = 3.0  # for a standby that was asked to go first to host the room
    company: float = 10.0  # that somebody who has just left still counts as company of a host


DEFAULT_TIMING = Timing()
