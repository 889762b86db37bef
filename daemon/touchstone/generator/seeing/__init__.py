"""What a clip shows, read off its pixels, and whether that is what was asked for."""
