"""The raw limit of a transfer: reads what a TLS client sends, with nothing but `ssl` in memory, and answers at its end.

python drain.py PORT CERTIFICATE KEY
"""

import socket
import ssl
import sys

_READ = 64 * 1024  # bytes


def main() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        sock, _ = server.accept()
        with sock:
            _drain(sock, context)


def _drain(sock: socket.socket, context: ssl.SSLContext) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    ready = last = False
    while not last and (data := sock.recv(_READ)):
        incoming.write(data)
        try:
            if not ready:
                tls.do_handshake()
                ready = True
            while plain := tls.read(_READ):
                last = plain.endswith(b"\n\n")
        except ssl.SSLWantReadError:
            pass
        if waiting := outgoing.read():
            sock.sendall(waiting)
    if last:
        tls.write(b"!")
        sock.sendall(outgoing.read())


if __name__ == "__main__":
    main()
