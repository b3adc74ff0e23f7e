"""The verdict on the address or the invite that a person asks about. Pure.

It is about that address alone. Other rooms that were seen, and what is odd about the network, are only a remark.
"""

from shlex import quote

from lanchat.doctor.report import Asked, Diagnosis, Report, Tried, TriedOutcome
from lanchat.protocol.text import argument, conjunction, safe_text

# An invite may name several addresses. The verdict is about the one whose outcome stands first here.
_BEST_FIRST: tuple[TriedOutcome, ...] = (
    "room",
    "another key",
    "another room",
    "other",
    "refused",
    "silent",
    "unreachable",
    "unknown",
)
GET_NETWORK = "join the Wi-Fi or plug in the cable"
ISOLATED = (
    "if that machine is on, either the Wi-Fi isolates its clients, as guest networks often do, or a firewall there "
    "blocks connections."
)
LEAVE_ISOLATION = (
    "connect both machines to another Wi-Fi or by cable, or switch off client isolation in the access point"
)
_NO_TITLE = "lanchat doctor, without a name, or with the address that the host's screen shows"
_ASK_AGAIN = "ask the host for the address that the screen there shows now"


def verdict(report: Report, asked: Asked) -> Diagnosis:
    named = [tried for tried in report.tried if tried.named]
    tried = min(named, key=lambda tried: _BEST_FIRST.index(tried.outcome))
    works, cause, command = _judge(report, asked, tried)
    remarks = [_remark_on_discovery(report, tried) if works else _remark_on_others(report)]
    if not works and report.moved_to:
        command = f"lanchat join {quote(asked.text)}"
        remarks = [f"The room of this invite answers at {report.moved_to} now; joining by the invite finds it there."]
    return Diagnosis(works, cause, command, " ".join(filter(None, remarks)))


def _judge(report: Report, asked: Asked, tried: Tried) -> tuple[bool, str, str]:
    """Whether one can join there, the likely cause if not, and one thing to try."""
    at = tried.address
    match tried.outcome:
        case "room":
            found = f'The room "{safe_text(tried.title)}" answers at {at}'
            if report.machine.trouble is not None:
                what, what_to_do = report.machine.trouble
                return False, f"{found}, but lanchat cannot be used here: {what.rstrip('.')}.", what_to_do
            return (
                True,
                f"{found}.",
                f"lanchat join {quote(asked.text)}" if asked.room_id else f"lanchat join {argument(at)}",
            )
        case "another room":
            cause = f'Another room answers at {at} ("{safe_text(tried.title)}"), not the one of this invite.'
            return False, cause, "ask the host for a new invite"
        case "another key":
            cause = f"The machine at {at} does not have this invite's key. Somebody may be impersonating the host."
            return False, cause, "ask the host for a new invite, over a channel that you trust"
        case "other":
            cause = f"Something listens at {at}, but it is not a lanchat room."
            return False, cause, "ask the host for the address and the port that the screen there shows"
        case "refused":
            cause = f"The machine at {at} answers, but no room is open at that port."
            machine = at.rpartition(":")[0]
            rooms = (node.at for node in report.nodes if node.reached and node.rooms)
            if there := next((room for room in rooms if room.rpartition(":")[0] == machine), ""):
                return False, cause, f"lanchat join {argument(there)}"
            return False, cause, 'on that machine: lanchat host "Room A"'
        case "unknown":
            host = at.rpartition(":")[0].strip("[]")
            cause = f'Cannot find a machine called "{safe_text(host)}".'
            if "." in host:
                return False, cause, _ASK_AGAIN
            return False, f"{cause} A room cannot be checked by its title.", _NO_TITLE
        case "silent" | "unreachable":
            return False, *_missing(report, tried)


def _missing(report: Report, tried: Tried) -> tuple[str, str]:
    """Why a machine does not answer, and one thing to try."""
    if not report.real:
        return f"{tried.address} does not answer, because {no_network(report)}.", GET_NETWORK
    if not tried.on_link:
        ours = ", ".join(address for i in report.real for address in i.addresses if not address.startswith("fe80:"))
        cause = f"{tried.address} is not on a network of this machine ({ours}), and does not answer"
        return f"{cause}: the two machines are on different networks.", "connect both machines to the same network"
    missing = f"{tried.address} is on your network but does not answer"
    if any(node.reached for node in report.nodes):  # so this network does not isolate its clients
        why = "that machine is off or has another address now, or a firewall on it blocks connections"
        return f"{missing}, though others do: {why}.", _ASK_AGAIN
    though = ", though the router does" if report.router else ""
    return (
        f"{missing}{though}: {ISOLATED}",
        LEAVE_ISOLATION,
    )


def no_network(report: Report) -> str:
    """Says that this machine has no network, as a part of a sentence."""
    down = report.without_address
    have = "has" if len(down) == 1 else "have"
    return "this machine has no network" + (f" ({conjunction(down)} {have} no address)" if down else "")


def _remark_on_discovery(report: Report, tried: Tried) -> str:
    """Why the room does not show up in the list, if it does not."""
    node = next((node for node in report.nodes if node.at == tried.address), None)
    if node is None or not tried.on_link or {"announce", "mdns"} & set(node.via):
        return ""
    return "It does not show up in the list: this network drops multicast, broadcast and mDNS."


def _remark_on_others(report: Report) -> str:
    node = next((node for node in report.nodes if node.reached and node.rooms), None)
    return "" if node is None else f'Another room is visible and answers: "{safe_text(node.rooms[0])}" at {node.at}.'
