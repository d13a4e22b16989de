"""Studies with the method: the paper's figures and claims, benchmarks, maps of linear models."""
