"""The door for IRC clients."""
