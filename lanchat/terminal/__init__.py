"""What a person sees and types, and what a script reads and writes."""
