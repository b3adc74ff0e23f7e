"""Which rooms are on this network: ways to see them, and one list made of all that was seen. Only ever a hint."""
