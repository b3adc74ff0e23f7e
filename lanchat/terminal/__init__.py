"""What a person sees and types. prompt_toolkit has its only door here: chat.py and picker.py."""
