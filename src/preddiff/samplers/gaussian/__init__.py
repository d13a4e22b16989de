"""Draws from normals given what surrounds a window."""
