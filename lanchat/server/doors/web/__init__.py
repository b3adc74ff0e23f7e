"""The door for browsers: one page, and behind it a WebSocket with a sealed channel."""
