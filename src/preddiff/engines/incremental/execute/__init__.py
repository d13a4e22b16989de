"""Runs steps on boxes."""
