"""Samplers that draw from normals, given what surrounds a window."""
