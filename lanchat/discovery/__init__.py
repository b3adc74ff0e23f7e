"""Finds the rooms on this network: several sources report where a room may be, and each such address is probed.

What is found is only a hint. Trust comes from the key that a host shows.
"""
