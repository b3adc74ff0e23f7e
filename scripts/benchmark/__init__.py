"""The benchmark behind scripts/bench.

    bench process          core 0: what is measured       core 1: the load
    sections.py      ---   a real server process     ---  one worker process: crowd.py, fanout.py, latency.py, ...

The load generator compares what every receiver got, byte by byte, with what the first of them got, and reads only
that one stream line by line (check.py): so it is exact, and fast enough in plain Python. It says its own share of
its core; where that is 90 % or more, it was measured and not the server.
"""
