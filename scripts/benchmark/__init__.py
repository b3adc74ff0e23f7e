"""The benchmark behind scripts/bench.

    bench process             core 0: the measured server     core 1: the load generator
    compare.py, alone.py ---  a real server process      ---  one worker process: crowd.py, fanout.py, latency.py, ...

The load generator compares the bytes of every receiver with those of the first, and reads only that one stream line by
line (check.py). So it is exact, and fast enough in plain Python. It also reports how much of its own core it used: at
90 % or more the figure is that of the load generator and not of the server.
"""
