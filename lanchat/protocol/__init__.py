"""The protocol between members and hosts. Pure: no socket, no thread, no clock, no file. README.md describes it."""
