"""Pages for people, and the program that writes their tables."""
