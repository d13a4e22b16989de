"""Damaged files of every kind that the package reads: seeds, mutations, readers and a watch."""
