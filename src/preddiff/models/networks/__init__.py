"""Networks of torch: traced, with their heads and hidden nodes."""
