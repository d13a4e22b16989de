"""What reproduces the paper, measures and benchmarks."""
