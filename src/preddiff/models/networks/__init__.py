"""torch networks: traced, with their heads and hidden nodes."""
