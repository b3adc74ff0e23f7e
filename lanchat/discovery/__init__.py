"""Finds the rooms on this network: sources that see them, and one list of all that they see. It is only ever a hint."""
