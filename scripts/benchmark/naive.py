"""The chat server of a first tutorial, for comparison: a thread for each client that waits in recv(1024), one lock,
and one sendall() for each message and receiver.

    python naive.py PORT [CERTIFICATE KEY]
"""

import socket
import ssl
import sys
import threading

clients: list[socket.socket] = []
lock = threading.Lock()


def broadcast(line: bytes, sender: socket.socket) -> None:
    with lock:
        for client in clients:
            if client is not sender:
                try:
                    client.sendall(line)
                except OSError:
                    pass


def serve(client: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        if context is not None:
            client = context.wrap_socket(client, server_side=True)
        client.sendall(b"Enter your name: ")
        name = client.recv(1024).strip()
        with lock:
            clients.append(client)
        broadcast(name + b" joined the chat\n", client)
        partial = b""
        while data := client.recv(1024):
            *lines, partial = (partial + data).split(b"\n")
            for line in lines:
                broadcast(name + b": " + line + b"\n", client)
    except OSError:
        pass
    with lock:
        if client in clients:
            clients.remove(client)
    client.close()


def main() -> None:
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as server:
        while True:
            client, _ = server.accept()
            threading.Thread(target=serve, args=(client, context), daemon=True).start()


if __name__ == "__main__":
    main()
