"""Other methods' maps of the same targets, and maps of linear classifiers' weights."""
