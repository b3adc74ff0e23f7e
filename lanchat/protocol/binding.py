"""The bytes that signatures are made over: fields, each with its length before it. Pure."""

from dataclasses import dataclass

_PURPOSE = b"lanchat member proof"


def join_fields(*fields: bytes) -> bytes:
    """Join the fields, each with its length before it as 4 bytes, big-endian. No two lists give the same bytes."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


@dataclass(frozen=True)
class Binding:
    """The values that a proof of identity is bound to. A proof fits only one room, host, link and nick."""

    version: int
    room: str
    certificate: bytes  # SHA-256 of the server certificate (DER) on this link
    host_nonce: bytes
    member_nonce: bytes
    member_key: bytes
    host_key: bytes
    nick: str

    def text(self) -> bytes:
        """The bytes that are signed."""
        return join_fields(
            _PURPOSE,
            str(self.version).encode(),
            self.room.encode(),
            self.certificate,
            self.host_nonce,
            self.member_nonce,
            self.member_key,
            self.host_key,
            self.nick.encode("utf-8", "surrogatepass"),
        )
