"""From what a caller asks for to an explanation."""
