"""The conversation: its rules, its log, and the one thread that owns both."""
