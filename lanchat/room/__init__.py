"""The rules of a room. Pure: no socket, no thread, no clock, no file."""
