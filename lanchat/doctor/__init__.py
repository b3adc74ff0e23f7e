"""Finds out why rooms do not show up: it checks this machine, its networks and the other nodes, and names a cause."""
