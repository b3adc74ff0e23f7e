"""The bytes that signatures are made over: fields, each with its length before it. Pure."""

from dataclasses import dataclass

_PURPOSE = b"lanchat member proof"


def join_fields(*fields: bytes) -> bytes:
    """The fields in one piece, each with its length before it as 4 bytes, big-endian: no two lists give the same."""
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


@dataclass(frozen=True)
class Binding:
    """What a proof is bound to. Every field has a fixed meaning and a length before it: no two bindings read alike."""

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
