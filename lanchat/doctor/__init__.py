"""Saying why: what this machine, its networks and the other lanchats on them are like, and what follows from that."""
