"""Rooms for Python programs: the functions and classes that `import lanchat` offers.

import lanchat

with lanchat.join("Room A", nick="bob") as room:
    room.say("hello")
    answer = room.wait_for("pong", timeout=10)
    for event in room:
        ...

`lanchat.host` and `HostedRoom` are in hosted.py, `lanchat.join` in joining.py, `JoinedRoom` in room.py (its parts are
in listening.py, files.py, requests.py and moving.py), and `lanchat.rooms` in targets.py. Nothing is loaded before it is
used: a program that joins needs no server.
"""
