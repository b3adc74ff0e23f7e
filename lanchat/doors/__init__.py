"""The ways into a room: each with its own greeting, and its own way to tell what happens."""
