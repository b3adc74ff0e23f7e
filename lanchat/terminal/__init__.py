"""The front ends for people and pipes: screens, prompts, and the input and output of scripts."""
