"""Clips from words: a plan of pictures to come, noise made into them, and a file with its marks."""
