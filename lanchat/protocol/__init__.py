"""What is said on the wire. Pure: no socket, no thread, no clock, no file. README.md here is the wire itself."""
