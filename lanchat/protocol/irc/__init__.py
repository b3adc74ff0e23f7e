"""IRC: lines, names, capabilities, and events as lines. Pure."""
